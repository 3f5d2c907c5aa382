import { type ChannelSet } from './channel-set.ts'
import { type RestAnswer } from './venue-server.ts'

/** The REST API beside a ticket protocol: one path, which lists every market under its own name. */
export function ticketListing(path: string, markets: ReadonlyMap<string, ChannelSet>): RestAnswer | null {
  if (path !== '/v1/market/all') return null
  const list = [...markets.values()].map(({ spec }) => ({
    market: spec.native,
    korean_name: spec.base,
    english_name: spec.base
  }))
  return { status: 200, body: JSON.stringify(list) }
}
