import { type EntryCursor, EntryKind } from '../../src/capture/entry.ts'
import {
  type CapturedConnection,
  type CapturedEnd,
  type CapturedRequest,
  type StandingConnection
} from '../../src/capture/facts.ts'
import { readConnection, readEnd, readRequest, readStanding } from '../../src/capture/read-facts.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type ExchangeName, targetKey } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { connectionStates, type FrameAccount, type SharedLedger } from '../../src/wire/shared-ledger.ts'
import { type Batcher } from './batcher.ts'
import { type FaultReporter } from './fault-reporter.ts'
import { Link } from './link.ts'
import { type ExchangeLimits, type ExchangeTarget } from './messages.ts'
import { type ReplayClock } from './replay-clock.ts'
import { ReplaySocket } from './replay-socket.ts'
import { SubscriptionState, type Subscriptions } from './subscriptions.ts'

const live = connectionStates.indexOf('live')
const stopped = connectionStates.indexOf('stopped')

interface ReplayedLink {
  readonly link: Link
  readonly socket: ReplaySocket
  readonly account: FrameAccount
  /** Which of its target's shards it serves, see `CapturedConnection`. */
  readonly ordinal: number
}

export interface ReplayLinksOptions {
  readonly targets: readonly ExchangeTarget[]
  readonly limits: ExchangeLimits
  readonly clock: ReplayClock
  readonly batcher: Batcher
  readonly faults: FaultReporter
  readonly ledger: SharedLedger
  readonly adapterOf: (exchange: ExchangeName) => ExchangeAdapter
}

/** The captured connections as links again; each entry does to its link what once happened to it. */
export class ReplayLinks {
  readonly #options: ReplayLinksOptions
  readonly #targets: ReadonlyMap<string, ExchangeTarget>
  readonly #links = new Map<number, ReplayedLink>()
  /** The link of each shard that was fed last. */
  readonly #lastOfShard = new Map<number, ReplayedLink>()
  connections = 0
  frames = 0
  /** Frames that the capture has not. */
  missing = 0

  constructor(options: ReplayLinksOptions) {
    this.#options = options
    this.#targets = new Map(options.targets.map(target => [targetKey(target.plan.target), target]))
  }

  /** @throws IngestError FILE_UNREADABLE when the entry does not fit the capture's own description */
  take(entry: EntryCursor): void {
    const { kind, connection, detail, micros, body } = entry
    this.#options.clock.advanceTo(micros)
    if (kind === EntryKind.planned) {
      if (this.#links.has(connection)) return
      const facts = readConnection(body)
      if (facts.previous === null) this.#loseForerunner(facts)
      this.#build(connection, facts)
      return
    }
    if (kind === EntryKind.standing) {
      this.#stand(connection, readStanding(body))
      return
    }
    const found = this.#links.get(connection)
    // Its plan was in a part of the capture that is not there any more.
    if (found === undefined) return
    switch (kind) {
      case EntryKind.opened:
        found.account.set('state', live)
        found.socket.open(micros)
        break
      case EntryKind.frame:
        this.#inTurn(found)
        this.frames++
        found.socket.receive(body, micros)
        break
      case EntryKind.snapshot:
        this.#inTurn(found)
        this.frames++
        found.link.snapshot(body, detail)
        break
      case EntryKind.asked:
        askAs(readRequest(body), found.link.subscriptions)
        break
      case EntryKind.tookId:
        found.link.subscriptions.nextId()
        break
      case EntryKind.hole:
        this.#missed(found, detail)
        break
      case EntryKind.ended:
        this.#end(connection, found, readEnd(body))
        break
    }
  }

  /** Hands over everything that links have collected. */
  handOver(): void {
    for (const { link } of this.#links.values()) this.#options.batcher.handOver(link.lane)
  }

  /** What came so far was only to know how things stand: the counts begin here. */
  beginCounting(): void {
    const { ledger } = this.#options
    for (let shard = 0; shard < ledger.shards; shard++) ledger.frames(shard).values.fill(0)
    for (const { link, account } of this.#links.values()) {
      account.set('state', link.isOpen ? live : stopped)
      account.set('subscribed', link.subscriptions.confirmed.length)
    }
    this.connections = this.#links.size
    this.frames = 0
    this.missing = 0
  }

  /** Ends what the capture has left open: nothing is known to be lost behind its end. */
  endAll(): void {
    for (const [connection, found] of [...this.#links]) {
      this.#end(connection, found, { end: 'closed', reason: 'disconnect' })
    }
  }

  /**
   * Only the first connection of a shard replaces none. One that stands all the same was of a thread that died, which could
   * not write its end: it was lost, and the service went on with another life of the thread.
   */
  #loseForerunner({ target, ordinal }: CapturedConnection): void {
    const key = targetKey(target)
    for (const [connection, found] of [...this.#links]) {
      if (found.ordinal !== ordinal || targetKey(found.link.plan.target) !== key) continue
      this.#end(connection, found, { end: 'lost', reason: 'disconnect' })
    }
  }

  #build(connection: number, facts: CapturedConnection): ReplayedLink {
    const { clock, batcher, faults, ledger, limits, adapterOf } = this.#options
    const { connectionId, target, ordinal, instruments, projection, url, previous } = facts
    const placed = this.#targets.get(targetKey(target))
    if (placed === undefined) {
      throw new IngestError(
        'FILE_UNREADABLE',
        `the capture has a connection of ${targetKey(target)}, which its capture.json does not name`
      )
    }
    const shard = placed.firstShard + Math.min(ordinal, placed.shards - 1)
    const account = ledger.frames(shard)
    let socket: ReplaySocket | null = null
    const link: Link = new Link({
      plan: {
        connection,
        connectionId,
        target,
        shard,
        targetIndex: placed.targetIndex,
        instruments,
        projection,
        url,
        previous,
        frameBytesMax: limits.frameBytesMax,
        inflatedBytesMax: limits.inflatedBytesMax
      },
      adapter: adapterOf(target.exchange),
      clock,
      batcher,
      account,
      dial: (_, handler) => (socket = new ReplaySocket(handler)),
      events: {
        opened: () => undefined,
        firstData: () => undefined,
        confirmed: () => account.set('subscribed', link.subscriptions.confirmed.length),
        rejected: () => undefined,
        subscribed: () => undefined,
        reconnectAsked: () => undefined,
        fault: error => faults.fault(target.exchange, error, target, connectionId),
        ended: () => undefined,
        resumption: () => null
      },
      observer: null
    })
    if (this.#lastOfShard.has(shard)) account.add('reconnects', 1)
    const found: ReplayedLink = { link, socket: socket!, account, ordinal }
    this.#links.set(connection, found)
    this.connections++
    return found
  }

  /** A connection in the middle of its life: news at the first segment that is read, else a check of what we know. */
  #stand(connection: number, facts: StandingConnection): void {
    const known = this.#links.get(connection)
    if (known !== undefined) {
      if (facts.frameSeq > known.link.frameSeq) this.#missed(known, facts.frameSeq - known.link.frameSeq)
      return
    }
    const found = this.#build(connection, facts)
    const { link, socket, account } = found
    account.set('state', live)
    this.#options.clock.asOf(facts.openedMicros, () => socket.open(facts.openedMicros))
    const { subscriptions } = link
    while (subscriptions.lastId < facts.lastId) subscriptions.nextId()
    const natives = (state: number): string[] =>
      facts.instruments.filter((_, index) => facts.states[index] === state).map(({ native }) => native)
    const confirmed = natives(SubscriptionState.confirmed)
    subscriptions.answered({ type: 'confirmed', id: null, natives: confirmed, channelId: null })
    for (const [channelId, index] of Object.entries(facts.channelIds)) {
      const { native } = facts.instruments[index]!
      subscriptions.answered({ type: 'confirmed', id: null, natives: [native], channelId })
    }
    const reason = 'refused before the replay begins'
    const refused = natives(SubscriptionState.rejected)
    if (refused.length > 0) subscriptions.answered({ type: 'rejected', id: null, natives: refused, reason })
    for (const request of facts.requests) subscriptions.requests.add(request.id, request.subscriptions)
    link.resumeAt(facts.frameSeq)
  }

  /** Connections of one shard that overlap bring their frames in the order of the capture, whatever a batch holds. */
  #inTurn(found: ReplayedLink): void {
    const { shard } = found.link.plan
    const last = this.#lastOfShard.get(shard)
    if (last === found) return
    this.#lastOfShard.set(shard, found)
    if (last !== undefined) this.#options.batcher.handOver(last.link.lane)
  }

  /** A hole in the capture is what shedding is in a running service: frames are lost, and declared. */
  #missed({ link, account }: ReplayedLink, frames: number): void {
    const firstFrameSeq = link.frameSeq + 1
    link.resumeAt(link.frameSeq + frames)
    this.missing += frames
    account.add('received', frames)
    account.add('shed', frames)
    if (!link.isOpen) return
    const lastFrameSeq = link.frameSeq
    this.#options.batcher.notice(link.lane, {
      type: 'shed',
      subscription: null,
      frames,
      firstFrameSeq,
      lastFrameSeq
    })
  }

  #end(connection: number, found: ReplayedLink, { end, reason }: CapturedEnd): void {
    const { link, socket, account } = found
    this.#links.delete(connection)
    if (end === 'closed') link.close()
    else link.terminate(reason, new IngestError('SOCKET_FAILED', 'the captured connection was lost here'))
    socket.end('the captured connection ended here')
    account.set('state', stopped)
    account.set('subscribed', 0)
  }
}

function askAs({ subscriptions: asked, isAnew }: CapturedRequest, subscriptions: Subscriptions): void {
  if (asked === null) subscriptions.subscribeAll()
  else if (isAnew) subscriptions.resubscribe(asked)
  else subscriptions.ask(asked)
}
