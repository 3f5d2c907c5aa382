import { type Connection } from './connection.ts'
import { type Fault } from './fault-log.ts'
import { type FaultPlan, type Flood, floodEveryMs, stallPauseMs } from './faults.ts'
import { Random } from './random.ts'

/** A connection is left alone until it has lived this long: a drop should hit a stream, not a handshake. */
const youngMs = 500

/** The faults of a run that come by the clock: dropped and stalled connections, floods. */
export class WireTroubles {
  readonly #plan: FaultPlan
  readonly #connections: () => readonly Connection[]
  readonly #random: Random
  #dropAtMs = 0
  #stallAtMs = 0
  #stall: { readonly connection: Connection; readonly fault: Fault; readonly untilMs: number } | null = null
  readonly #floodAtMs: number[]

  constructor(plan: FaultPlan, connections: () => readonly Connection[], seed: number) {
    this.#plan = plan
    this.#connections = connections
    this.#random = new Random(seed, 'troubles')
    this.#floodAtMs = plan.floods.map(() => 0)
  }

  tick(nowMs: number): void {
    const { dropEveryMs, stallMs } = this.#plan
    if (dropEveryMs !== null) this.#drop(nowMs, dropEveryMs)
    if (stallMs !== null) this.#stallOne(nowMs, stallMs)
  }

  /** Floods whose time has come. */
  floodsDue(nowMs: number): readonly Flood[] {
    if (this.#plan.floods.length === 0) return []
    return this.#plan.floods.filter((_, i) => {
      if (this.#floodAtMs[i] === 0) this.#floodAtMs[i] = nowMs + floodEveryMs
      if (nowMs < this.#floodAtMs[i]!) return false
      this.#floodAtMs[i] = nowMs + floodEveryMs
      return true
    })
  }

  /** Ends a stall that is under way. */
  stop(): void {
    this.#endStall()
  }

  #drop(nowMs: number, everyMs: number): void {
    if (this.#dropAtMs === 0) this.#dropAtMs = nowMs + everyMs
    if (nowMs < this.#dropAtMs) return
    const victim = this.#pick()
    // With nobody to drop the turn is not lost: the next connection that is old enough gets it.
    if (victim === null) return
    this.#dropAtMs = nowMs + everyMs
    victim.cut('drop')
  }

  #stallOne(nowMs: number, stallMs: number): void {
    if (this.#stall !== null) {
      if (nowMs >= this.#stall.untilMs || !this.#stall.connection.isOpen) {
        this.#endStall()
        this.#stallAtMs = nowMs + stallPauseMs
      }
      return
    }
    if (this.#stallAtMs === 0) this.#stallAtMs = nowMs + stallPauseMs / 5
    if (nowMs < this.#stallAtMs) return
    const connection = this.#pick()
    if (connection === null) return
    connection.stall()
    const fault = connection.logFault('stall', undefined, Number.POSITIVE_INFINITY)
    this.#stall = { connection, fault, untilMs: nowMs + stallMs }
  }

  #endStall(): void {
    if (this.#stall === null) return
    const { connection, fault } = this.#stall
    fault.untilMs = performance.timeOrigin + performance.now()
    connection.resume()
    this.#stall = null
  }

  #pick(): Connection | null {
    const grown = performance.timeOrigin + performance.now() - youngMs
    const open = this.#connections().filter(
      known => known.isOpen && known.openedMs < grown && known.channels.size > 0
    )
    return open[this.#random.below(open.length)] ?? null
  }
}
