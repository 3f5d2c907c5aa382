import { type MessagePort } from 'node:worker_threads'
import { type FromTail, type ToTail } from '../../src/wire/log-port.ts'
import { type TailQuery } from './messages.ts'
import { type TopicCursor, type TopicLog } from './topic-log.ts'

const recordsPerMessage = 256
const bytesPerMessage = 256 * 1024

/**
 * One reader of a topic. It has a place in the log and one message on its way, so that a slow reader costs nothing: when
 * the log moves past its place it is told how many records it has missed.
 */
export class TailReader {
  readonly #topic: TopicLog
  readonly #port: MessagePort
  readonly #cursor: TopicCursor
  readonly #keyPrefix: string
  #isOnItsWay = false

  constructor(topic: TopicLog, query: TailQuery, port: MessagePort, onGone: (reader: TailReader) => void) {
    this.#topic = topic
    this.#port = port
    this.#keyPrefix = query.keyPrefix
    this.#cursor = query.from === 'earliest' ? topic.earliest() : topic.latest()
    port.on('message', (_message: ToTail) => {
      this.#isOnItsWay = false
      this.pump()
    })
    port.on('close', () => onGone(this))
    this.pump()
  }

  /** Sends what is there, when the reader has taken what it got before. */
  pump(): void {
    if (this.#isOnItsWay) return
    const { records, skipped } = this.#topic.read(
      this.#cursor,
      this.#keyPrefix,
      recordsPerMessage,
      bytesPerMessage
    )
    if (records.length === 0 && skipped === 0) return
    this.#isOnItsWay = true
    this.#port.postMessage({ type: 'records', skipped, records } satisfies FromTail)
  }

  close(): void {
    this.#port.close()
  }
}
