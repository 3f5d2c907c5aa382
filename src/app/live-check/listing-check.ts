import { fetchListing, type ListingAnswer } from '../../../actors/exchange/instruments.ts'
import { type Rest, type RestAnswer } from '../../../actors/exchange/rest.ts'
import { RestBudget } from '../../../actors/exchange/rest-budget.ts'
import { type Clock } from '../../core/clock.ts'
import { type Instrument } from '../../domain/instrument.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'
import { type ListingReport } from './report.ts'
import { escaped } from './sample.ts'

export interface ListingCheck {
  /** Null where the venue has no listing, or it could not be had. */
  readonly instruments: readonly Instrument[] | null
  readonly report: ListingReport | null
  /** What the check connects with: asked for the listing again it has it, without a second request or reading. */
  readonly adapter: ExchangeAdapter
  readonly rest: Rest
}

const nothing = new TextEncoder().encode('[]')

/** The venue's listing, fetched as the service fetches it, before the symbols are chosen. Never rejects. */
export async function checkListing(
  adapter: ExchangeAdapter,
  origin: string,
  rest: Rest,
  clock: Clock
): Promise<ListingCheck> {
  const { listing } = adapter.instruments
  if (listing === null) return { instruments: null, report: null, adapter, rest }
  const url = origin + listing.path
  const startedMicros = clock.nowMicros()
  let offsetMs: number | null = null
  const asking: Rest = async request => {
    const askedMicros = clock.nowMicros()
    const answer = await rest(request)
    if (answer.type === 'body' && answer.dateMs !== undefined) {
      const middleMs = (askedMicros + clock.nowMicros()) / 2000
      // The header's second had begun half a second ago on the average.
      offsetMs = Math.round(middleMs - (answer.dateMs + 500))
    }
    return answer
  }
  const budget = new RestBudget(clock, adapter.limits)
  const source = { adapter, origin, rest: asking, budget, clock, random: () => Math.random() }
  const answer = await fetchListing(source, listing)
  budget.stop()
  const instruments = answer.type === 'listing' ? answer.instruments : null
  return {
    instruments,
    report: {
      url,
      state: instruments === null ? 'failed' : 'fetched',
      reason: answer.type === 'failed' ? escaped(answer.why) : null,
      symbols: instruments?.length ?? 0,
      took_ms: Math.round((clock.nowMicros() - startedMicros) / 1000),
      date_offset_ms: offsetMs
    },
    adapter: {
      ...adapter,
      instruments: { ...adapter.instruments, listing: readAlready(listing, instruments) }
    },
    rest: request => (request.url === url ? Promise.resolve(asFinal(answer)) : rest(request))
  }
}

/** Some listings have 15 MB, and reading them a second time would hold up everything else on this thread. */
function readAlready(
  listing: NonNullable<ExchangeAdapter['instruments']['listing']>,
  instruments: readonly Instrument[] | null
): typeof listing {
  return instruments === null ? listing : { ...listing, parse: () => instruments }
}

/** The attempts have been made: whoever asks again is not to wait for more of them. */
function asFinal(answer: ListingAnswer): RestAnswer {
  if (answer.type === 'listing') return { type: 'body', bytes: nothing }
  const { why, status, retryAfterMs } = answer
  const isFinal = status !== null && status < 500
  return { type: 'failed', message: why, status: isFinal ? status : 0, retryAfterMs }
}
