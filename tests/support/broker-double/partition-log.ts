import { codes } from './codes.ts'
import { type ReadBatch, type ReadRecord } from './record-batch.ts'

export interface LoggedRecord extends ReadRecord {
  readonly offset: number
  readonly producerId: bigint
  readonly sequence: number
}

export interface AppendResult {
  readonly code: number
  /** -1 where nothing of the batch is in the log. */
  readonly baseOffset: number
}

interface WrittenBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

/** What a broker knows of one producer in one partition. */
interface ProducerState {
  epoch: number
  /** The latest last; a broker remembers five. */
  readonly batches: WrittenBatch[]
}

const rememberedBatches = 5
const sequences = 2 ** 31

/** One partition, as all its replicas have it: the records and the state that makes writing idempotent. */
export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly records: LoggedRecord[] = []
  /** The node that takes writes; null: none is elected. */
  leader: number | null
  /** Batches that were sent again although they were in the log. */
  repeats = 0
  readonly #duplicateCode: number
  readonly #producers = new Map<bigint, ProducerState>()
  /** Producers that must begin again at sequence 0, as brokers before 2.5 demanded. */
  readonly #forgotten = new Set<bigint>()

  constructor(topic: string, partition: number, leader: number, duplicateCode: number) {
    this.topic = topic
    this.partition = partition
    this.leader = leader
    this.#duplicateCode = duplicateCode
  }

  append(batch: ReadBatch): AppendResult {
    const { producerId, epoch, baseSequence, records } = batch
    if (producerId < 0n) return this.#write(batch)
    const state = this.#producers.get(producerId)
    const lastSequence = (baseSequence + records.length - 1) % sequences
    if (state === undefined) {
      if (this.#forgotten.has(producerId) && baseSequence !== 0) return refused(codes.unknownProducerId)
      this.#forgotten.delete(producerId)
    } else {
      if (epoch < state.epoch) return refused(codes.invalidProducerEpoch)
      if (epoch === state.epoch) {
        const known = state.batches.find(
          written => written.firstSequence === baseSequence && written.lastSequence === lastSequence
        )
        if (known !== undefined) {
          this.repeats++
          return { code: this.#duplicateCode, baseOffset: known.baseOffset }
        }
        const next = (state.batches.at(-1)!.lastSequence + 1) % sequences
        if (baseSequence !== next) return refused(codes.outOfOrderSequence)
      } else if (baseSequence !== 0) return refused(codes.outOfOrderSequence)
    }
    const written = this.#write(batch)
    const { baseOffset } = written
    this.#remember(producerId, epoch, { firstSequence: baseSequence, lastSequence, baseOffset })
    return written
  }

  /**
   * The state of all producers is lost, as when their records were deleted. `isStrict`: who goes on is refused with 59;
   * but one that has written its first batch only stays known, since that batch sent again would look like a beginning,
   * and no client could tell.
   */
  forgetProducers(isStrict: boolean): void {
    for (const [id, { batches }] of this.#producers) {
      if (isStrict && batches.at(-1)!.firstSequence === 0) continue
      if (isStrict) this.#forgotten.add(id)
      this.#producers.delete(id)
    }
  }

  #remember(producerId: bigint, epoch: number, batch: WrittenBatch): void {
    const state = this.#producers.get(producerId)
    if (state === undefined) this.#producers.set(producerId, { epoch, batches: [batch] })
    else {
      if (state.epoch !== epoch) state.batches.length = 0
      state.epoch = epoch
      state.batches.push(batch)
      if (state.batches.length > rememberedBatches) state.batches.shift()
    }
  }

  #write({ records, producerId, baseSequence }: ReadBatch): AppendResult {
    const baseOffset = this.records.length
    records.forEach((record, i) => {
      const sequence = producerId < 0n ? -1 : (baseSequence + i) % sequences
      this.records.push({ ...record, offset: baseOffset + i, producerId, sequence })
    })
    return { code: codes.none, baseOffset }
  }
}

function refused(code: number): AppendResult {
  return { code, baseOffset: -1 }
}
