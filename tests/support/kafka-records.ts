import { type RequestType, requestTypes } from '../../src/domain/target.ts'
import { KafkaReader } from '../../src/verify/kafka-reader.ts'
import { type DataRecord, RecordDecoder } from '../../src/verify/record-decoder.ts'
import { accessTo } from './kafka.ts'

const readWithinMs = 60_000

export interface DeliveredRecord {
  readonly topic: string
  readonly key: string
  readonly record: DataRecord
  /** The value as it lies in the log. */
  readonly bytes: Buffer
}

/**
 * The data records that one pod writes to a broker it shares with other tests, from now on: read by kafkajs, decoded by
 * avsc, in the order of each partition.
 */
export class KafkaRecords implements AsyncDisposable {
  readonly #reader: KafkaReader
  readonly #records: DeliveredRecord[] = []

  private constructor(brokers: string, topics: readonly string[], pod: string) {
    const decoder = new RecordDecoder()
    const take = (topic: string, key: string, bytes: Buffer, start: number, end: number): void => {
      const decoded = decoder.decode(requestTypeOf(topic), bytes, start, end)
      if (!decoded.connection_id.startsWith(`${pod}/`)) return
      // Plain objects instead of avsc's classes, so that they can be compared with others.
      const record = JSON.parse(JSON.stringify(decoded)) as DataRecord
      this.#records.push({ topic, key, record, bytes: Buffer.from(bytes.subarray(start, end)) })
    }
    this.#reader = new KafkaReader(accessTo(brokers), topics, take, () => undefined)
  }

  /** The topics must exist. Resolves when nothing written from now on can be missed. */
  static async from(brokers: string, topics: readonly string[], pod: string): Promise<KafkaRecords> {
    const records = new KafkaRecords(brokers, topics, pod)
    await records.#reader.attach()
    return records
  }

  /** Everything up to the present ends of the topics. */
  async finish(): Promise<readonly DeliveredRecord[]> {
    await this.#reader.finish(readWithinMs)
    return this.#records
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#reader.close()
  }
}

function requestTypeOf(topic: string): RequestType {
  const type = requestTypes.find(each => topic.startsWith(`${each}-data.`))
  if (type === undefined) throw new RangeError(`${topic} holds no data records`)
  return type
}
