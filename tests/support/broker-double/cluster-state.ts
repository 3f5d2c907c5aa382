import { PartitionLog } from './partition-log.ts'
import { Script, type Step } from './script.ts'

export interface DoubleOptions {
  /** Partitions by topic. */
  readonly topics: Readonly<Record<string, number>>
  /** 3 unless told. */
  readonly nodes?: number
  readonly steps?: readonly Step[]
  /** With it clients must authenticate by PLAIN; a session of limited life must be renewed on its connection. */
  readonly sasl?: { readonly username: string; readonly password: string; readonly sessionMs?: number }
  /** 1 MiB unless told. */
  readonly maxBatchBytes?: number
  /** What a batch that is in the log already is answered: 46, or 0 as brokers from 2.x on do. 46 unless told. */
  readonly duplicateCode?: 0 | 46
}

export interface NodeAddress {
  readonly id: number
  readonly port: number
  /** Refuses connections and leads nothing. */
  readonly isDown: boolean
}

/** Records that a topic will not take. */
export interface Poison {
  readonly text: string
  readonly code: number
  readonly tellsRows: boolean
}

interface CodeForAWhile {
  readonly code: number
  left: number
}

/** What all nodes know: topics with their logs and leaders, limits, and the script. */
export class ClusterState {
  readonly options: DoubleOptions
  readonly script: Script
  readonly topics = new Map<string, readonly PartitionLog[]>()
  readonly vanished = new Set<string>()
  readonly poisons = new Map<string, Poison>()
  /** What a client did that no client may do. A test expects none. */
  readonly violations: string[] = []
  /** The most produce requests that one connection had waiting for their answers at once. */
  inFlightMax = 0
  /** Produce requests that came while another one with a partition of theirs waited on the same connection. */
  overlaps = 0
  /** Successful ones. */
  authentications = 0
  nodes: readonly NodeAddress[] = []
  maxBatchBytes: number
  #nextProducerId = 1000n
  #initCode: CodeForAWhile = { code: 0, left: 0 }
  readonly #metadataCodes = new Map<string, CodeForAWhile>()

  constructor(options: DoubleOptions) {
    this.options = options
    this.script = new Script(options.steps ?? [])
    this.maxBatchBytes = options.maxBatchBytes ?? 1024 * 1024
    const nodes = options.nodes ?? 3
    for (const [topic, partitions] of Object.entries(options.topics)) {
      const logs = Array.from(
        { length: partitions },
        (_, partition) =>
          new PartitionLog(topic, partition, 1 + (partition % nodes), options.duplicateCode ?? 46)
      )
      this.topics.set(topic, logs)
    }
  }

  /** Undefined where the topic or partition does not exist, or the topic is away. */
  find(topic: string, partition: number): PartitionLog | undefined {
    return this.vanished.has(topic) ? undefined : this.topics.get(topic)?.[partition]
  }

  newProducerId(): bigint {
    return this.#nextProducerId++
  }

  answerInit(code: number, times: number): void {
    this.#initCode = { code, left: times }
  }

  /** The code that the next InitProducerId is answered; 0 when it succeeds. */
  takeInitCode(): number {
    return take(this.#initCode)
  }

  answerMetadata(topic: string, code: number, times: number): void {
    this.#metadataCodes.set(topic, { code, left: times })
  }

  takeMetadataCode(topic: string): number {
    const code = this.#metadataCodes.get(topic)
    return code === undefined ? 0 : take(code)
  }
}

function take(code: CodeForAWhile): number {
  if (code.left === 0) return 0
  code.left--
  return code.code
}
