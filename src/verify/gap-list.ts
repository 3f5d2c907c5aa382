import { type Gap } from '../domain/gap.ts'
import { targetName } from '../domain/target.ts'
import { type ChannelCheck } from './channel-check.ts'
import { readConnectionId } from './connections.ts'

/** A gap as it was last declared, with what bounds it when nothing was delivered behind it. */
export interface DeclaredGap {
  gap: Gap
  /** Events that each channel it may concern had made when its end was read: what came later it does not cover. */
  madeAtEnd: ReadonlyMap<ChannelCheck, number> | null
}

/** Indices into a channel's deliveries: the last record before a gap and the first one after it. */
export interface GapEdges {
  readonly before: number
  readonly after: number
}

/** Gap events by id; the last event of a gap counts. */
export class GapList {
  readonly #gaps = new Map<string, DeclaredGap>()
  readonly #channels = new Map<string, ChannelCheck[]>()

  addChannel(channel: ChannelCheck): void {
    const name = `${channel.ledger.exchange}/${channel.ledger.requestType}`
    const channels = this.#channels.get(name) ?? []
    this.#channels.set(name, channels)
    channels.push(channel)
  }

  all(): Iterable<DeclaredGap> {
    return this.#gaps.values()
  }

  accept(gap: Gap): void {
    const known = this.#gaps.get(gap.gap_id)
    let madeAtEnd = known?.madeAtEnd ?? null
    if (gap.status === 'closed' && madeAtEnd === null) {
      madeAtEnd = new Map(this.#candidates(gap).map(channel => [channel, channel.ledger.count]))
    }
    if (known === undefined) this.#gaps.set(gap.gap_id, { gap, madeAtEnd })
    else {
      known.gap = gap
      known.madeAtEnd = madeAtEnd
    }
  }

  /** The channels a gap concerns: its symbol's, or all that its shard carries (or may carry: nothing came yet). */
  channelsOf(gap: Gap): ChannelCheck[] {
    const candidates = this.#candidates(gap)
    if (gap.symbol !== null) return candidates
    const { shard } = readConnectionId(gap.connection_id)
    return candidates.filter(channel => channel.shards.size === 0 || channel.shards.has(shard))
  }

  #candidates(gap: Gap): ChannelCheck[] {
    const channels = this.#channels.get(targetName(gap.target)) ?? []
    return gap.symbol === null ? channels : channels.filter(channel => channel.ledger.symbol === gap.symbol)
  }
}

/**
 * Where a gap lies among the deliveries of a channel: by frames of connections, in the order in which these were dialled;
 * by receive times where a frame number is not known.
 */
export function edgesOf(gap: Gap, channel: ChannelCheck): GapEdges {
  const { delivered } = channel
  const from = readConnectionId(gap.connection_id)
  const before =
    gap.last_frame_seq === null
      ? delivered.firstAfterMicros(gap.opened_ts, false)
      : delivered.firstAfterPlace({ dialMs: from.dialMs, frameSeq: gap.last_frame_seq }, false)
  if (gap.status === 'open') return { before: before - 1, after: delivered.count }
  const to = gap.next_connection_id === null ? from : readConnectionId(gap.next_connection_id)
  const after =
    gap.first_frame_seq === null
      ? delivered.firstAfterMicros(gap.closed_ts ?? gap.opened_ts, true)
      : delivered.firstAfterPlace({ dialMs: to.dialMs, frameSeq: gap.first_frame_seq }, true)
  return { before: before - 1, after: Math.max(after, before) }
}
