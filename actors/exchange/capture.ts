import { type CaptureStats, CaptureWriter } from '../../src/capture/capture-writer.ts'
import { EntryKind } from '../../src/capture/entry.ts'
import {
  type CapturedConnection,
  type CapturedEnd,
  type CapturedRequest,
  type StandingConnection
} from '../../src/capture/facts.ts'
import { type CapturePlan } from '../../src/capture/limits.ts'
import { type Clock } from '../../src/core/clock.ts'
import { type IngestError } from '../../src/core/errors.ts'
import { type GapReason } from '../../src/domain/gap.ts'
import { type Link } from './link.ts'
import { type LinkObserver } from './link-observer.ts'
import { type LinkPlan } from './link-plan.ts'

/** The capture of one connection thread: what passes its links goes into the thread's segment files. */
export class ThreadCapture {
  readonly #writer: CaptureWriter
  readonly #clock: Clock
  readonly #links = new Map<number, LinkCapture>()

  constructor(plan: CapturePlan, clock: Clock, onStopped: (error: IngestError) => void) {
    this.#clock = clock
    this.#writer = new CaptureWriter({
      ...plan,
      clock,
      events: {
        // A replay may begin with any segment, so each says what stands where it begins.
        segmentBegun: () => {
          for (const link of this.#links.values()) link.introduce()
        },
        stopped: onStopped
      }
    })
  }

  get stats(): CaptureStats {
    return this.#writer.stats
  }

  /** The observer of a link that is about to be made; `linkOf` finds it once it is. */
  observe(plan: LinkPlan, ordinal: number, linkOf: () => Link | null): LinkObserver {
    const link = new LinkCapture(this.#writer, this.#clock, plan, ordinal, linkOf, () =>
      this.#links.delete(plan.connection)
    )
    link.introduce()
    this.#links.set(plan.connection, link)
    return link
  }

  /** Writes what waits; what the disk has not taken within this time is let go, and that is told. */
  async close(withinMs: number): Promise<void> {
    let timer: unknown = null
    const late = new Promise<void>(resolve => {
      timer = this.#clock.setTimeout(() => {
        this.#writer.giveUp(`the disk did not take what waited within ${Math.ceil(withinMs)} ms`)
        resolve()
      }, withinMs)
    })
    await Promise.race([this.#writer.close(), late])
    this.#clock.clearTimeout(timer)
  }
}

class LinkCapture implements LinkObserver {
  readonly #writer: CaptureWriter
  readonly #clock: Clock
  readonly #connection: number
  readonly #facts: CapturedConnection
  readonly #linkOf: () => Link | null
  readonly #onEnded: () => void
  #openedMicros = 0

  constructor(
    writer: CaptureWriter,
    clock: Clock,
    plan: LinkPlan,
    ordinal: number,
    linkOf: () => Link | null,
    onEnded: () => void
  ) {
    const { connectionId, target, instruments, projection, url, previous } = plan
    this.#writer = writer
    this.#clock = clock
    this.#connection = plan.connection
    this.#facts = { connectionId, target, ordinal, instruments, projection, url, previous }
    this.#linkOf = linkOf
    this.#onEnded = onEnded
  }

  /** What a replay must know before the entries that follow. */
  introduce(): void {
    const link = this.#linkOf()
    if (this.#openedMicros === 0 || link === null) {
      this.#tell(EntryKind.planned, this.#clock.nowMicros(), this.#facts)
      return
    }
    const { states, channelIds, lastId, requests } = link.subscriptions
    this.#tell(EntryKind.standing, this.#clock.nowMicros(), {
      ...this.#facts,
      openedMicros: this.#openedMicros,
      frameSeq: link.frameSeq,
      states: [...states],
      channelIds,
      lastId,
      requests: requests.all
    } satisfies StandingConnection)
  }

  opened(atMicros: number): void {
    this.#writer.fact(EntryKind.opened, this.#connection, 0, atMicros)
    this.#openedMicros = atMicros
  }

  frame(bytes: Uint8Array, readMicros: number): void {
    this.#writer.frame(EntryKind.frame, this.#connection, 0, readMicros, bytes)
  }

  sent(text: string): void {
    this.#writer.fact(EntryKind.sent, this.#connection, 0, this.#clock.nowMicros(), Buffer.from(text))
  }

  pinged(): void {
    this.#writer.fact(EntryKind.pinged, this.#connection, 0, this.#clock.nowMicros())
  }

  snapshot(body: Uint8Array, subscription: number, atMicros: number): void {
    this.#writer.frame(EntryKind.snapshot, this.#connection, subscription, atMicros, body)
  }

  asked(subscriptions: readonly number[] | null, isAnew: boolean): void {
    const request: CapturedRequest = { subscriptions, isAnew }
    this.#tell(EntryKind.asked, this.#clock.nowMicros(), request)
  }

  tookId(): void {
    this.#writer.fact(EntryKind.tookId, this.#connection, 0, this.#clock.nowMicros())
  }

  ended(isClosed: boolean, reason: GapReason, atMicros: number): void {
    this.#tell(EntryKind.ended, atMicros, { end: isClosed ? 'closed' : 'lost', reason } satisfies CapturedEnd)
    this.#onEnded()
  }

  #tell(
    kind: EntryKind,
    micros: number,
    facts: CapturedConnection | StandingConnection | CapturedRequest | CapturedEnd
  ): void {
    this.#writer.fact(kind, this.#connection, 0, micros, Buffer.from(JSON.stringify(facts)))
  }
}
