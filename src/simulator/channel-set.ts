import { type RequestType } from '../domain/target.ts'
import { type Channel } from './channel.ts'
import { type Connection } from './connection.ts'
import { channelName } from './fault-log.ts'
import { type Market } from './market.ts'
import { type MarketSpec } from './market-spec.ts'

/** The channels of one market by request type. */
export interface MarketChannels {
  readonly market: Market
  readonly channels: Readonly<Record<RequestType, Channel>>
}

/** One listed market. Its price texts take room and time to make, so they are made when somebody first asks for them. */
export class ChannelSet {
  readonly spec: MarketSpec
  /** Subscriptions of these are refused, or met with silence where the venue refuses nothing. */
  readonly #rejected: ReadonlySet<RequestType>
  readonly #make: () => MarketChannels
  #made: MarketChannels | null = null

  constructor(spec: MarketSpec, rejected: ReadonlySet<RequestType>, make: () => MarketChannels) {
    this.spec = spec
    this.#rejected = rejected
    this.#make = make
  }

  /** Whether a subscription is to be refused; what befalls its connection then concerns the channel all the same. */
  refuses(type: RequestType, connection: Connection): boolean {
    if (!this.#rejected.has(type)) return false
    connection.refused.add(channelName(type, this.spec.symbol))
    return true
  }

  get market(): Market {
    return this.#all.market
  }

  get channels(): Readonly<Record<RequestType, Channel>> {
    return this.#all.channels
  }

  get #all(): MarketChannels {
    this.#made ??= this.#make()
    return this.#made
  }
}

/** What a venue needs of the run it belongs to. */
export interface Run {
  /** After the freeze nothing is made any more, not even a first event for a new subscriber. */
  readonly isFrozen: boolean
  /** First confirmation of a channel: from now on the run makes events on it. */
  activate(set: ChannelSet, channel: Channel): void
}
