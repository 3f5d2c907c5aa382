import { fetchListing } from '../../../actors/exchange/instruments.ts'
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
  /** For the exchange that is checked: asked for the listing again it gets the same answer, without a second request. */
  readonly rest: Rest
}

/** The venue's listing, fetched as the service fetches it, before the symbols are chosen. Never rejects. */
export async function checkListing(
  adapter: ExchangeAdapter,
  origin: string,
  rest: Rest,
  clock: Clock
): Promise<ListingCheck> {
  const { listing } = adapter.instruments
  if (listing === null) return { instruments: null, report: null, rest }
  const url = origin + listing.path
  const startedMicros = clock.nowMicros()
  let last: RestAnswer | null = null
  let offsetMs: number | null = null
  const asking: Rest = async request => {
    const askedMicros = clock.nowMicros()
    last = await rest(request)
    if (last.type === 'body' && last.dateMs !== undefined) {
      const middleMs = (askedMicros + clock.nowMicros()) / 2000
      // The header's second had begun half a second ago on the average.
      offsetMs = Math.round(middleMs - (last.dateMs + 500))
    }
    return last
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
    rest: request => (request.url === url && last !== null ? Promise.resolve(asFinal(last)) : rest(request))
  }
}

/** The attempts have been made: whoever asks again is not to wait for more of them. */
function asFinal(answer: RestAnswer): RestAnswer {
  if (answer.type === 'body' || (answer.status !== null && answer.status < 500)) return answer
  return { ...answer, status: 0 }
}
