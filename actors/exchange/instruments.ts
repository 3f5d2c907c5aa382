import { nearestFew, orList } from '../../src/config/nearest.ts'
import { backoffMs } from '../../src/core/backoff.ts'
import { type Clock } from '../../src/core/clock.ts'
import { asIngestError, IngestError } from '../../src/core/errors.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { parseJson } from '../../src/exchange-kit/json.ts'
import { type CachedListing, type ListingCache, type ListingKey } from './listing-cache.ts'
import { type Rest } from './rest.ts'
import { type RestBudget } from './rest-budget.ts'

const timeoutMs = 10_000
/** Binance's listing has 15 MB and grows. */
const bodyBytesMax = 64 * 1024 * 1024
const attemptsMax = 3
const retryPolicy = { baseMs: 1_000, capMs: 10_000, floorMs: 100 }
const namesHinted = 3

/** From a canonical symbol to what the venue calls it. */
export interface InstrumentBook {
  find(symbol: string): Instrument | null
  /** ` (did you mean X, Y or Z?)` or nothing. */
  hint(symbol: string): string
}

/**
 * By the adapter's rule alone: every symbol is taken for listed, but one whose name the venue has given to another coin
 * (`AMPUSD` of Bitfinex is AMPL-USD). A name without a separator may be split elsewhere: ADAEUR could be AD-AEUR.
 */
export function instrumentsByRule({ instruments }: ExchangeAdapter): InstrumentBook {
  return {
    find: symbol => {
      const native = instruments.nativeOf(symbol)
      const named = instruments.canonicalOf(native)
      const isOther = named !== null && named.replace('-', '') !== symbol.replace('-', '')
      return isOther ? null : { symbol, native }
    },
    hint: () => ''
  }
}

export function instrumentsOf(listed: readonly Instrument[]): InstrumentBook {
  const bySymbol = new Map(listed.map(instrument => [instrument.symbol, instrument]))
  return {
    find: symbol => bySymbol.get(symbol) ?? null,
    hint: symbol => {
      const names = similarSymbols(symbol, bySymbol)
      return names.length === 0 ? '' : ` (did you mean ${orList(names)}?)`
    }
  }
}

/** Names that somebody who wrote `symbol` may have meant, the likeliest first. */
function similarSymbols(
  symbol: string,
  bySymbol: { has(name: string): boolean; keys(): Iterable<string> }
): readonly string[] {
  const [base = '', quote = ''] = symbol.split('-')
  const swapped = `${quote}-${base}`
  if (bySymbol.has(swapped)) return [swapped]
  const spelt = nearestFew(symbol, bySymbol.keys(), namesHinted)
  if (spelt.length > 0) return spelt
  // No slip of the pen: the same coin in other money, or in another unit (SHIB, 1000SHIB).
  const asset = bareAsset(base)
  const others = [...bySymbol.keys()].filter(name => bareAsset(name.slice(0, name.indexOf('-'))) === asset)
  const rank = (name: string): number => (name.endsWith(`-${quote}`) ? 0 : 1)
  return others.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).slice(0, namesHinted)
}

/** `1000SHIB` and `SHIB` are one asset; `1INCH` is called so. */
function bareAsset(base: string): string {
  return base.replace(/^10{3,}(?=[A-Z])/, '')
}

export interface ListingSource {
  readonly adapter: ExchangeAdapter
  /** Origin of the REST API, without a path. */
  readonly origin: string
  readonly rest: Rest
  readonly budget: RestBudget
  readonly clock: Clock
  readonly random: () => number
}

export type ListingAnswer =
  | { readonly type: 'listing'; readonly instruments: readonly Instrument[] }
  | {
      readonly type: 'failed'
      readonly why: string
      /** Of HTTP; null when no answer came. 200 is an answer that is no listing. */
      readonly status: number | null
      readonly retryAfterMs: number | null
    }

/** The budget was stopped: nobody waits for a listing any more. */
const unasked: ListingAnswer = { type: 'failed', why: 'the service stops', status: null, retryAfterMs: null }

/** Asks the venue for its listing, again after a fault that may pass. Never rejects. */
export async function fetchListing(
  source: ListingSource,
  listing: NonNullable<ExchangeAdapter['instruments']['listing']>
): Promise<ListingAnswer> {
  const { clock, budget } = source
  const url = source.origin + listing.path
  for (let attempt = 1; ; attempt++) {
    if (attempt > 1) await budget.pause(backoffMs(retryPolicy, attempt - 2, source.random))
    if (!(await budget.turn(listing.weight))) return unasked
    const answer = await source.rest({ url, timeoutMs, bodyBytesMax, clock, signal: budget.stopped })
    budget.judge(answer)
    if (answer.type === 'body') return read(answer.bytes, listing)
    const { message: why, status, retryAfterMs } = answer
    // Refusals for good do not pass by waiting, and a penalty is too long to wait for.
    const isFinal = attempt === attemptsMax || (status !== null && status < 500)
    if (isFinal) return { type: 'failed', why, status, retryAfterMs }
  }
}

function read(
  bytes: Uint8Array,
  listing: NonNullable<ExchangeAdapter['instruments']['listing']>
): ListingAnswer {
  try {
    const instruments = listing.parse(parseJson(bytes, 0, bytes.length))
    // A venue under maintenance may answer with an empty list, or with an error in the shape of a success.
    return instruments.length === 0
      ? noListing('the answer lists no instrument')
      : { type: 'listing', instruments }
  } catch (error) {
    return noListing(asIngestError(error).message)
  }
}

function noListing(why: string): ListingAnswer {
  return { type: 'failed', why, status: 200, retryAfterMs: null }
}

export interface InstrumentOptions extends ListingSource {
  /** Null keeps nothing on disk. Simulated venues have none. */
  readonly cache: ListingCache | null
  /** Canonical symbols that will be looked up. */
  readonly wanted: readonly string[]
  readonly onFault: (error: IngestError) => void
}

/**
 * The venue's listing: a fresh one from the disk, else the venue's own, else an old one from the disk. What none of them
 * has goes by the adapter's rule as long as the venue cannot be asked: data flow matters more than a check of names, and a
 * symbol that does not exist is still found out by its silence.
 */
export async function fetchInstruments(options: InstrumentOptions): Promise<InstrumentBook> {
  const { adapter, wanted, onFault } = options
  const { listing } = adapter.instruments
  const byRule = instrumentsByRule(adapter)
  if (listing === null) return byRule
  const key = { exchange: adapter.name, origin: options.origin, path: listing.path }
  const cached = await readCached(options, key)
  if (cached?.isFresh === true) {
    const book = instrumentsOf(cached.instruments)
    // A symbol that it lacks may have been listed since.
    if (wanted.every(symbol => book.find(symbol) !== null)) return book
  }
  const answer = await fetchListing(options, listing)
  if (answer.type === 'listing') {
    await options.cache?.write(key, answer.instruments, nowMs(options.clock)).catch((error: unknown) => {
      onFault(asIngestError(error))
    })
    return instrumentsOf(answer.instruments)
  }
  const failure = `the listing ${key.origin}${key.path} could not be fetched: ${answer.why}`
  if (cached === null) {
    const message = `${failure}; symbols go by the exchange's naming rule, unchecked`
    onFault(new IngestError('LISTING_FAILED', message))
    return byRule
  }
  const age = new Date(cached.fetchedMs).toISOString()
  const message = `${failure}; symbols go by the listing of ${age}, and where it has none by the exchange's naming rule, unchecked`
  onFault(new IngestError('LISTING_STALE', message))
  const book = instrumentsOf(cached.instruments)
  return { find: symbol => book.find(symbol) ?? byRule.find(symbol), hint: () => '' }
}

async function readCached(
  { cache, clock, onFault }: InstrumentOptions,
  key: ListingKey
): Promise<CachedListing | null> {
  if (cache === null) return null
  const answer = await cache.read(key, nowMs(clock))
  if (answer.type === 'listing') return answer.listing
  if (answer.type === 'broken')
    onFault(new IngestError('LISTING_CACHE', `the listing kept on disk is not used: ${answer.reason}`))
  return null
}

function nowMs(clock: Clock): number {
  return clock.nowMicros() / 1000
}
