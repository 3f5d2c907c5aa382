import { type SocketEnd } from '../../../actors/exchange/socket.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'
import { type FrameAccount, type RecordAccount } from '../../wire/shared-ledger.ts'
import { type ChannelEvidence } from './channel-evidence.ts'
import { type ChannelSockets } from './channel-sockets.ts'

/** What one channel left behind when the check had ended. */
export interface ChannelFacts {
  readonly adapter: ExchangeAdapter
  readonly evidence: ChannelEvidence
  readonly sockets: ChannelSockets
  /** Accounts of its connections and of its records. */
  readonly frames: readonly FrameAccount[]
  readonly records: RecordAccount
  /** Where it would have dialled. */
  readonly endpoint: string
  /** Symbols that the venue's listing lacks. */
  readonly unlisted: ReadonlySet<string>
  /** How a dial of any channel of the exchange failed; after some failures none of them is dialled for a while. */
  readonly exchangeFailure: SocketEnd | null
  readonly endMicros: number
  readonly wasInterrupted: boolean
}
