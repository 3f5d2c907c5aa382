import { type ClusterClient, type ClusterMetadata } from '../../../src/bus/cluster-client.ts'
import { alertBackoffMs, backoffMs } from '../sinks/send-backoff.ts'
import { isAccessFault, reasonOf } from './client-fault.ts'
import { type Health } from './health.ts'

/** Leaders move seldom, and a move is told by an error; this is for what no error tells. */
const metadataMaxAgeMs = 300_000
/** Between two answers, however many partitions ask. */
const refreshMinMs = 100

export interface LeadersListener {
  /** Topics to ask for; nothing is asked without any. */
  topics(): readonly string[]
  heard(metadata: ClusterMetadata): Hearing
}

/** Whether every partition has its leader; if not it must be asked again, seldom where only rights are missing. */
export type Hearing = 'complete' | 'incomplete' | 'forbidden'

/** Asks the cluster who leads what: one question at a time, and again until every partition has a leader. */
export class Leaders {
  readonly #client: ClusterClient
  readonly #health: Health
  readonly #listener: LeadersListener
  #isAsking = false
  #mustAskAgain = false
  #failures = 0
  #heardAtMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(client: ClusterClient, health: Health, listener: LeadersListener) {
    this.#client = client
    this.#health = health
    this.#listener = listener
  }

  /** What is known may be wrong. Never asks in a hurry: a question that is due anyway is enough. */
  refresh(): void {
    if (this.#isAsking) this.#mustAskAgain = true
    else if (this.#timer === null && !this.#isClosed) {
      const waitMs = this.#heardAtMs + refreshMinMs - performance.now()
      this.#timer = setTimeout(this.#onDue, Math.max(0, waitMs))
    }
  }

  tick(nowMs: number): void {
    if (nowMs - this.#heardAtMs > metadataMaxAgeMs) this.refresh()
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  readonly #onDue = (): void => {
    this.#timer = null
    const topics = this.#listener.topics()
    if (topics.length === 0) return
    this.#isAsking = true
    this.#mustAskAgain = false
    this.#client.metadata(topics).then(
      metadata => this.#heard(metadata),
      (error: unknown) => this.#failed(error)
    )
  }

  #heard(metadata: ClusterMetadata): void {
    this.#isAsking = false
    if (this.#isClosed) return
    this.#heardAtMs = performance.now()
    this.#health.recovered(this)
    const hearing = this.#listener.heard(metadata)
    if (hearing === 'complete') this.#failures = 0
    if (this.#mustAskAgain) this.refresh()
    else if (hearing === 'incomplete') this.#timer = setTimeout(this.#onDue, backoffMs(this.#failures++))
    else if (hearing === 'forbidden') this.#timer = setTimeout(this.#onDue, alertBackoffMs)
  }

  #failed(error: unknown): void {
    this.#isAsking = false
    if (this.#isClosed) return
    const isAccess = isAccessFault(error)
    this.#health.failing(this, reasonOf(error), performance.now(), isAccess)
    this.#timer = setTimeout(this.#onDue, isAccess ? alertBackoffMs : backoffMs(this.#failures++))
  }
}
