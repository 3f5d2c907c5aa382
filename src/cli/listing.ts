import { fetchListing, type ListingAnswer } from '../../actors/exchange/instruments.ts'
import { type CachedListing, ListingCache, type ListingKey } from '../../actors/exchange/listing-cache.ts'
import { type Rest } from '../../actors/exchange/rest.ts'
import { RestBudget } from '../../actors/exchange/rest-budget.ts'
import { SimulationClient } from '../app/simulation-client.ts'
import { type Config } from '../config/schema.ts'
import { SystemClock } from '../core/clock.ts'
import { asIngestError, IngestError } from '../core/errors.ts'
import { type Instrument } from '../domain/instrument.ts'
import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { exampleSymbol } from './exchange-facts.ts'

/** A venue's listing and where it is from. */
export interface FoundListing {
  readonly instruments: readonly Instrument[]
  /** Milliseconds since the epoch. */
  readonly fetchedMs: number
  /** What was asked, or what was asked then. */
  readonly url: string
  readonly source: 'venue' | 'simulator' | 'cache'
  /** What went wrong on the way to it, in sentences. */
  readonly remarks: readonly string[]
}

export interface ListingWish {
  readonly adapter: ExchangeAdapter
  readonly settings: Config['instruments']
  /** Socket of a running simulation whose venue is asked instead of the real one. */
  readonly simulation: string | null
  /** Ask the venue even when a fresh listing is at hand. */
  readonly isRefreshed: boolean
  readonly rest: Rest
}

/**
 * Looks up a venue's listing: a fresh one from the disk, else the venue's own, else an old one from the disk.
 * @throws IngestError LISTING_FAILED, or SIMULATOR_FAILED for a simulation that does not answer or lacks the venue
 */
export async function findListing(wish: ListingWish): Promise<FoundListing> {
  const { adapter, settings, simulation } = wish
  const { listing } = adapter.instruments
  if (listing === null) {
    const example = exampleSymbol(adapter.region)
    throw new IngestError(
      'LISTING_FAILED',
      `${adapter.name} publishes no list of its instruments. Its symbols go by a naming rule: ${example} is ${adapter.instruments.nativeOf(example)} there.`
    )
  }
  const origin = simulation === null ? adapter.endpoints.rest : await simulatedOrigin(adapter, simulation)
  const key: ListingKey = { exchange: adapter.name, origin, path: listing.path }
  const url = origin + listing.path
  const cache =
    simulation !== null || settings.cacheDir === ''
      ? null
      : new ListingCache({ folder: settings.cacheDir, maxAgeMs: settings.maxAgeMs })
  const remarks: string[] = []
  const cached = cache === null || wish.isRefreshed ? null : await readCached(cache, key, remarks)
  if (cached?.isFresh === true) return { ...cached, url, source: 'cache', remarks }

  const clock = new SystemClock()
  const budget = new RestBudget(clock, adapter.limits)
  const random = (): number => Math.random()
  const answer = await fetchListing({ adapter, origin, rest: wish.rest, budget, clock, random }, listing)
  const nowMs = Date.now()
  if (answer.type === 'failed') {
    const sentence = `The listing of ${adapter.name} could not be fetched from ${url}: ${answer.why}; ${advice(answer)}.`
    if (cached === null) throw new IngestError('LISTING_FAILED', sentence)
    return { ...cached, url, source: 'cache', remarks: [...remarks, sentence] }
  }
  const { instruments } = answer
  try {
    await cache?.write(key, instruments, nowMs)
  } catch (error) {
    remarks.push(asIngestError(error).message)
  }
  const source = simulation === null ? 'venue' : 'simulator'
  return { instruments, fetchedMs: nowMs, url, source, remarks }
}

async function simulatedOrigin({ name }: ExchangeAdapter, socket: string): Promise<string> {
  const { venues } = await new SimulationClient(socket).open()
  const venue = venues.find(({ exchange }) => exchange === name)
  if (venue !== undefined) return venue.rest.replace(/\/+$/, '')
  const offered = venues.map(({ exchange }) => exchange).join(', ')
  throw new IngestError('SIMULATOR_FAILED', `The simulation at ${socket} has no ${name}; it has ${offered}.`)
}

async function readCached(
  cache: ListingCache,
  key: ListingKey,
  remarks: string[]
): Promise<CachedListing | null> {
  const answer = await cache.read(key, Date.now())
  if (answer.type === 'broken') remarks.push(`The listing kept on disk is not used: ${answer.reason}.`)
  return answer.type === 'listing' ? answer.listing : null
}

/** What whoever asked can do about it. */
function advice({ status, retryAfterMs }: ListingAnswer & { readonly type: 'failed' }): string {
  switch (status) {
    case null:
      return 'check the way from here to there'
    case 200:
      return 'try again later, and when it stays so, look for a newer coin-stream'
    case 403:
    case 451:
      return 'the venue does not serve this address, so ask from another place'
    case 418:
    case 429:
      return retryAfterMs === null
        ? 'this address asks too often, so try again in some minutes'
        : `this address asks too often, so try again in ${Math.ceil(retryAfterMs / 1000)} s`
    default:
      return status >= 500
        ? 'the venue has trouble, so try again later'
        : 'the venue has changed, so look for a newer coin-stream'
  }
}
