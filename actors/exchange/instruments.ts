import { nearest } from '../../src/config/nearest.ts'
import { backoffMs } from '../../src/core/backoff.ts'
import { type Clock } from '../../src/core/clock.ts'
import { asIngestError, IngestError } from '../../src/core/errors.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { parseJson } from '../../src/exchange-kit/json.ts'
import { type Rest } from './rest.ts'
import { type RestBudget } from './rest-budget.ts'

const timeoutMs = 10_000
/** Binance's listing has 15 MB and grows. */
const bodyBytesMax = 64 * 1024 * 1024
const attemptsMax = 3
const retryPolicy = { baseMs: 1_000, capMs: 10_000, floorMs: 100 }

/** From a canonical symbol to what the venue calls it. */
export interface InstrumentBook {
  find(symbol: string): Instrument | null
  /** ` (did you mean X?)` or nothing. */
  hint(symbol: string): string
}

/** By the adapter's rule alone: every symbol is taken for listed. */
export function instrumentsByRule(adapter: ExchangeAdapter): InstrumentBook {
  return {
    find: symbol => ({ symbol, native: adapter.instruments.nativeOf(symbol) }),
    hint: () => ''
  }
}

export function instrumentsOf(listed: readonly Instrument[]): InstrumentBook {
  const bySymbol = new Map(listed.map(instrument => [instrument.symbol, instrument]))
  return {
    find: symbol => bySymbol.get(symbol) ?? null,
    hint: symbol => {
      const swapped = symbol.split('-').toReversed().join('-')
      const found = bySymbol.has(swapped) ? swapped : nearest(symbol, bySymbol.keys())
      return found === null ? '' : ` (did you mean ${found}?)`
    }
  }
}

/**
 * Fetches the venue's listing. When it cannot be had, the adapter's rule decides instead: data flow matters more than
 * a check of names, and a symbol that does not exist is still found out by its silence.
 */
export async function fetchInstruments(options: {
  adapter: ExchangeAdapter
  origin: string
  rest: Rest
  budget: RestBudget
  clock: Clock
  random: () => number
  onFault: (error: IngestError) => void
}): Promise<InstrumentBook> {
  const { adapter, clock } = options
  const { listing } = adapter.instruments
  if (listing === null) return instrumentsByRule(adapter)
  const url = options.origin + listing.path
  let why = ''
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (attempt > 0) await wait(clock, backoffMs(retryPolicy, attempt - 1, options.random))
    await new Promise<void>(resolve => options.budget.run(listing.weight, resolve))
    const answer = await options.rest({ url, timeoutMs, bodyBytesMax, clock })
    options.budget.judge(answer)
    if (answer.type === 'body') {
      try {
        return instrumentsOf(listing.parse(parseJson(answer.bytes, 0, answer.bytes.length)))
      } catch (error) {
        why = asIngestError(error).message
        break
      }
    }
    why = answer.message
    // Refusals for good do not pass by waiting, and a penalty is too long to wait for.
    if (answer.status !== null && answer.status < 500) break
  }
  const message = `the listing ${url} could not be fetched: ${why}; symbols go by the exchange's naming rule, unchecked`
  options.onFault(new IngestError('LISTING_FAILED', message))
  return instrumentsByRule(adapter)
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise(resolve => {
    clock.setTimeout(resolve, ms)
  })
}
