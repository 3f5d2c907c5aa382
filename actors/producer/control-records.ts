import { type Clock } from '../../src/core/clock.ts'
import { controlOwner } from './accounts.ts'
import { type LetterHeaders } from './dead-letters.ts'
import { encodeHeaders } from './kafka/record-headers.ts'
import { type Routes } from './routes.ts'
import { type RecordSink } from './sinks/record-sink.ts'

const encoder = new TextEncoder()

/** The small producers beside the data: gaps, dead letters, errors and reports, all of them JSON over the same sink. */
export class ControlRecords {
  readonly #routes: Routes
  readonly #sink: RecordSink
  readonly #clock: Clock
  readonly #roomBytes: number
  /** Events for people that were handed to the sink. */
  reports = 0

  /** @param roomBytes memory of the sink up to which there is room for more than gaps */
  constructor(routes: Routes, sink: RecordSink, clock: Clock, roomBytes: number) {
    this.#routes = routes
    this.#sink = sink
    this.#clock = clock
    this.#roomBytes = roomBytes
  }

  /** Whether there is room for errors and dead letters while the sink is away; gaps are sent in any case. */
  get hasRoom(): boolean {
    return this.#sink.bufferedBytes < this.#roomBytes
  }

  publish(topic: string, key: string, value: string, owner = controlOwner, headers?: LetterHeaders): void {
    this.bytes(topic, key, encoder.encode(value), this.#clock.nowMicros(), owner, headers)
  }

  bytes(
    topic: string,
    key: string,
    value: Uint8Array,
    atMicros: number,
    owner = controlOwner,
    headers?: LetterHeaders
  ): void {
    const encoded = headers === undefined ? undefined : encodeHeaders(headers)
    this.#sink.append(this.#routes.to(topic, key), value, 0, value.length, atMicros, owner, encoded)
  }

  /** What is for people waits no longer than there is room. */
  report(topic: string, key: string, event: object): void {
    if (!this.hasRoom) return
    this.reports++
    this.publish(topic, key, JSON.stringify(event))
  }
}
