import { type ClusterClient, type ProducerId, protocolCodeOf } from '../../../src/bus/cluster-client.ts'
import { type KafkaAccess } from '../../../src/bus/kafka-client.ts'
import { explainKafkaFault } from '../../../src/bus/kafka-fault.ts'
import { alertBackoffMs, backoffMs } from '../sinks/send-backoff.ts'
import { isAccessFault, reasonOf } from './client-fault.ts'
import { type Health } from './health.ts'
import { type Partition } from './partition.ts'

/**
 * Producer ids for partitions. All begin with the same one; a partition whose numbering breaks takes a newer one alone, and
 * begins at 0 with it, while the others keep theirs.
 */
export class ProducerIds {
  readonly #client: ClusterClient
  readonly #access: KafkaAccess
  readonly #health: Health
  readonly #onReady: () => void
  #current: ProducerId | null = null
  #isFetching = false
  #isClosed = false
  #timer: NodeJS.Timeout | null = null
  #whenFirstWord: (() => void) | null = null

  constructor(client: ClusterClient, access: KafkaAccess, health: Health, onReady: () => void) {
    this.#client = client
    this.#access = access
    this.#health = health
    this.#onReady = onReady
  }

  /** Resolves when the cluster has given the first id, or has failed to. */
  async open(): Promise<void> {
    const firstWord = new Promise<void>(resolve => {
      this.#whenFirstWord = resolve
    })
    this.#fetch(0)
    await firstWord
  }

  /** Whether the partition can be numbered; if not, an id is under way. */
  ensure(partition: Partition): boolean {
    if (partition.identity !== null && !partition.mustRenew) return true
    if (this.#current !== null && this.#current !== partition.identity) {
      partition.renumber(this.#current)
      return true
    }
    this.#current = null
    if (!this.#isFetching) this.#fetch(0)
    return false
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#sayFirstWord()
  }

  /** A coordinator that is loading, just after a broker's start, answers with an error that passes. */
  #fetch(failures: number): void {
    this.#isFetching = true
    this.#timer = null
    this.#client.producerId().then(
      identity => {
        this.#isFetching = false
        if (this.#isClosed) return
        this.#current = identity
        this.#health.recovered(this)
        this.#sayFirstWord()
        this.#onReady()
      },
      (error: unknown) => this.#failed(error, failures)
    )
  }

  async #failed(error: unknown, failures: number): Promise<void> {
    // Told once, and thoroughly: at the start it says what is wrong with the configuration.
    const text = this.#health.isDown ? reasonOf(error) : await explainKafkaFault(error, this.#access)
    if (this.#isClosed) return
    const isAccess = isAccessFault(error)
    // At the start there is no earlier success that would make silence a passing trouble.
    const isSilent = protocolCodeOf(error) === null
    const isLasting = isAccess || (isSilent && this.#whenFirstWord !== null)
    this.#health.failing(this, text, performance.now(), isLasting)
    this.#sayFirstWord()
    this.#timer = setTimeout(() => this.#fetch(failures + 1), isAccess ? alertBackoffMs : backoffMs(failures))
  }

  #sayFirstWord(): void {
    this.#whenFirstWord?.()
    this.#whenFirstWord = null
  }
}
