import { type ExchangeName, type RequestType } from '../domain/target.ts'
import { type ChannelFaults } from './channel.ts'
import { type ChannelSet, type MarketChannels, type Run } from './channel-set.ts'
import { type ChannelLedger, type LedgerTraits } from './ledger.ts'
import { type MarketSpec } from './market-spec.ts'
import { type Timings } from './timings.ts'
import { type Venue } from './venue-server.ts'

/** What one channel of a market is made from. */
export interface ChannelParts {
  readonly ledger: ChannelLedger
  readonly faults: ChannelFaults
}

/** Everything the simulators must know of one venue; see `simulations.ts` for the list of them. */
export interface Simulation {
  readonly exchange: ExchangeName
  /** The usual markets first. */
  readonly markets: readonly MarketSpec[]
  /** How the check tells the events of each channel apart. */
  readonly ledgers: Readonly<Record<RequestType, LedgerTraits>>
  /** Makes the channels of one market, when somebody first asks for them. */
  channels(spec: MarketSpec, seed: number, parts: Readonly<Record<RequestType, ChannelParts>>): MarketChannels
  /** @param markets by native symbol */
  venue(markets: ReadonlyMap<string, ChannelSet>, run: Run, timings: Timings): Venue
}
