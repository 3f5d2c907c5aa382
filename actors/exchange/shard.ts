import { type Instrument } from '../../src/domain/instrument.ts'
import { type ConnectionState, connectionStates } from '../../src/wire/shared-ledger.ts'
import { type ExchangeServices, type ShardPlan } from './services.ts'
import { Session } from './session.ts'

/** Rotation begins this long before the venue's maximum age, at most a twentieth of it. */
const rotationLeadMs = 600_000
/** After a replacement that the venue refused altogether the next one is tried so much later. */
const refusedPauseMicros = 60_000_000
/** So long the older connection goes on while the venue has not confirmed everything that it has on the newer one. */
const unconfirmedMicros = 30_000_000

/**
 * A fixed share of a target's symbols. It has one session; for a planned rotation a second one is opened first, and
 * the older one closes, by its closing handshake, when the newer is subscribed: what both deliver is dropped as
 * duplicate by the continuity tracker.
 */
export class Shard {
  readonly plan: ShardPlan
  readonly #services: ExchangeServices
  readonly #instruments: readonly Instrument[]
  readonly #sessions = new Set<Session>()
  #active: Session
  #successor: Session | null = null
  /** When the successor's subscriptions were first answered, NaN before. */
  #readyMicros = Number.NaN
  #refusedMicros = Number.NEGATIVE_INFINITY
  #isStopping = false
  #onStopped: () => void = () => undefined

  constructor(services: ExchangeServices, plan: ShardPlan, instruments: readonly Instrument[]) {
    this.plan = plan
    this.#services = services
    this.#instruments = instruments
    this.#active = this.#open(null)
  }

  start(): void {
    this.#active.start()
  }

  /** Resolves when every session has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await new Promise<void>(resolve => {
      this.#onStopped = resolve
      for (const session of [...this.#sessions]) session.stop()
      if (this.#sessions.size === 0) resolve()
    })
  }

  tick(nowMicros: number): void {
    for (const session of this.#sessions) session.tick(nowMicros)
    if (this.#successor !== null && this.#coversAll(this.#successor, nowMicros)) this.#handOver()
    const { connectionAgeMaxMs } = this.#services.adapter.limits
    if (connectionAgeMaxMs === null || this.#active.state !== 'live') return
    if (nowMicros - this.#refusedMicros < refusedPauseMicros) return
    const rotateAtMs = connectionAgeMaxMs - Math.min(rotationLeadMs, connectionAgeMaxMs / 20)
    if ((this.#active.link?.ageMs(nowMicros) ?? 0) >= rotateAtMs) this.#rotate(this.#active)
  }

  #open(previous: number | null): Session {
    const session: Session = new Session(this.#services, this.plan, this.#instruments, previous, {
      moved: state => this.#moved(session, state),
      replacementAsked: () => this.#rotate(session)
    })
    this.#sessions.add(session)
    return session
  }

  #rotate(session: Session): void {
    if (this.#isStopping || session !== this.#active || this.#successor !== null) return
    this.#readyMicros = Number.NaN
    this.#successor = this.#open(session.connection)
    this.#successor.start()
  }

  #moved(session: Session, state: ConnectionState): void {
    if (session === this.#successor) {
      const now = this.#services.clock.nowMicros()
      if (state === 'live') {
        if (Number.isNaN(this.#readyMicros)) this.#readyMicros = now
        if (this.#coversAll(session, now)) this.#handOver()
      } else if (state === 'stopping' || state === 'stopped') {
        // The venue refused all of its symbols, so it ended itself: the older socket goes on.
        this.#successor = null
        this.#refusedMicros = now
      }
    } else if (session === this.#active) {
      this.#show(state)
      // The older socket was quicker to go: the newer one takes its place at once, wherever it stands.
      if (this.#successor !== null && (state === 'backoff' || state === 'open')) this.#handOver()
    }
    if (state !== 'stopped') return
    this.#sessions.delete(session)
    if (this.#isStopping && this.#sessions.size === 0) this.#onStopped()
  }

  /** Whether the newer connection has what the older one has, or as much of it as is to be waited for. */
  #coversAll(successor: Session, nowMicros: number): boolean {
    if (successor.state !== 'live') return false
    const has = successor.link?.subscriptions.confirmed.length ?? 0
    const wants = this.#active.link?.subscriptions.confirmed.length ?? 0
    return has >= wants || (has > 0 && nowMicros - this.#readyMicros >= unconfirmedMicros)
  }

  #handOver(): void {
    const older = this.#active
    this.#active = this.#successor!
    this.#successor = null
    this.#show(this.#active.state)
    older.stop()
  }

  #show(state: ConnectionState): void {
    this.plan.account.set('state', connectionStates.indexOf(state))
  }
}
