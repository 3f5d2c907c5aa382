import { type IngestError } from '../../src/core/errors.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type Target } from '../../src/domain/target.ts'
import { type SessionNotice } from '../../src/wire/session-messages.ts'
import { type SocketEnd } from './socket.ts'

/** What one socket session is to do. */
export interface LinkPlan {
  readonly connection: number
  readonly connectionId: string
  readonly target: Target
  readonly shard: number
  readonly targetIndex: number
  readonly instruments: readonly Instrument[]
  readonly projection: readonly string[]
  readonly url: string
  /** The connection this one replaces. */
  readonly previous: number | null
  readonly frameBytesMax: number
  readonly inflatedBytesMax: number
}

/** What a link tells the session that it serves. */
export interface LinkEvents {
  opened(): void
  /** The first data frame of this socket. */
  firstData(): void
  confirmed(subscriptions: readonly number[]): void
  rejected(subscriptions: readonly number[], reason: string): void
  subscribed(): void
  reconnectAsked(reason: string): void
  fault(error: IngestError): void
  ended(end: SocketEnd): void
  /** Where the data of this shard broke off, when the producer was replaced since its last connection began. */
  resumption(isForced: boolean): (SessionNotice & { readonly type: 'resumed' }) | null
}
