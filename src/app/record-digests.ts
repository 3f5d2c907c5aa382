import { createHash, type Hash } from 'node:crypto'
import { type KeyDigest } from '../domain/summary.ts'
import { EmbeddedReader } from '../verify/embedded-reader.ts'

const dataTopics = /^(?:ticker|trade|orderbook)-data\./
const finishWithinMs = 30_000

interface Running {
  readonly topic: string
  readonly key: string
  readonly hash: Hash
  records: number
}

/** Reads the records of the embedded log as they are written and keeps a SHA-256 of each key's: same digest, same bytes in the same order. */
export class RecordDigests {
  readonly #reader: EmbeddedReader
  readonly #running = new Map<string, Running>()
  readonly #length = Buffer.alloc(4)

  /** @param socket the log's verify socket */
  constructor(socket: string, note: (sentence: string) => void) {
    this.#reader = new EmbeddedReader(
      socket,
      (topic, key, bytes, start, end) => {
        if (dataTopics.test(topic)) this.#take(topic, key, bytes.subarray(start, end))
      },
      note
    )
  }

  async attach(): Promise<void> {
    await this.#reader.attach()
  }

  /** After the log was closed: what every key comes to, in the order of topics and keys. */
  async finish(): Promise<readonly KeyDigest[]> {
    await this.#reader.finish(finishWithinMs)
    return [...this.#running.values()]
      .map(({ topic, key, hash, records }) => ({ topic, key, records, sha256: hash.digest('hex') }))
      .sort((a, b) => order(a.topic, b.topic) || order(a.key, b.key))
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }

  /** The length goes in as well, or two records could be told from one with the same bytes by nothing. */
  #take(topic: string, key: string, value: Buffer): void {
    const name = `${topic} ${key}`
    let running = this.#running.get(name)
    if (running === undefined) {
      running = { topic, key, hash: createHash('sha256'), records: 0 }
      this.#running.set(name, running)
    }
    this.#length.writeUInt32LE(value.length)
    running.hash.update(this.#length).update(value)
    running.records++
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
