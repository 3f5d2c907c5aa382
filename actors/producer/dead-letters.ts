import { type ErrorCode } from '../../src/core/errors.ts'
import { targetKey } from '../../src/domain/target.ts'
import { type FrameReason } from '../../src/wire/record-batch.ts'
import { type ConnectionContext } from '../../src/wire/session-messages.ts'
import { type Route } from './sinks/record-sink.ts'

const valueBytesMax = 512 * 1024

const codes: Partial<Record<FrameReason, ErrorCode>> = {
  'malformed json': 'FRAME_MALFORMED',
  'invalid utf-8': 'FRAME_MALFORMED',
  'nested too deep': 'FRAME_MALFORMED',
  'not decompressible': 'FRAME_MALFORMED',
  oversized: 'FRAME_OVERSIZED',
  'field missing': 'FRAME_UNEXPECTED',
  'field invalid': 'FRAME_UNEXPECTED',
  unknown: 'FRAME_UNKNOWN',
  'codec failed': 'INTERNAL'
}

/** The code under which a frame that is dead for this reason is counted and reported. */
export function codeOfReason(reason: FrameReason): ErrorCode {
  return codes[reason] ?? 'INTERNAL'
}

/** Headers of a dead letter, by the names that Spring's recoverer writes; the values are UTF-8. */
export type LetterHeaders = readonly (readonly [string, string])[]

/**
 * Publishes what cannot go on, whole as it came, but no more than a named number a second: frames that cannot be decoded,
 * and records that the sink refused for good.
 * @see https://docs.spring.io/spring-kafka/reference/kafka/annotation-error-handling.html#dead-letters
 */
export class DeadLetters {
  readonly #pod: string
  readonly #perSecond: number
  readonly #hasRoom: () => boolean
  readonly #publish: (key: string, value: string, headers: LetterHeaders) => void
  #second = 0
  #inSecond = 0
  #next = 0
  published = 0
  suppressed = 0

  /** @param hasRoom whether the buffer takes one more; while the sink is away gaps go before dead letters */
  constructor(
    pod: string,
    perSecond: number,
    hasRoom: () => boolean,
    publish: (key: string, value: string, headers: LetterHeaders) => void
  ) {
    this.#pod = pod
    this.#perSecond = perSecond
    this.#hasRoom = hasRoom
    this.#publish = publish
  }

  /** A frame never was a Kafka record: of the headers it has why it is dead, and when it came. */
  frame(
    context: ConnectionContext,
    frame: Uint8Array,
    frameSeq: number,
    reason: FrameReason,
    receivedMicros: number
  ): void {
    if (!this.#mayPublish(receivedMicros)) return
    const { target, connectionId } = context
    const code = codeOfReason(reason)
    const key = targetKey(target)
    this.#send(key, frame, [...explained(code, reason), ...timed(receivedMicros)], {
      dlq_id: `${connectionId}/${frameSeq}/${++this.#next}`,
      kind: 'frame',
      code,
      reason,
      attempts: 1,
      ts: millis(receivedMicros),
      source: { target, connection_id: connectionId, frame_seq: frameSeq }
    })
  }

  /** A record that the sink refused: it was meant for this partition, and never got an offset there. */
  record(route: Route, value: Uint8Array, receivedMicros: number, reason: string, nowMicros: number): void {
    if (!this.#mayPublish(nowMicros)) return
    const { topic, partition, key } = route
    const code: ErrorCode = 'RECORD_UNDELIVERED'
    const place: LetterHeaders = [
      ['kafka_dlt-original-topic', topic],
      ['kafka_dlt-original-partition', String(partition)]
    ]
    this.#send(key, value, [...place, ...explained(code, reason), ...timed(receivedMicros)], {
      dlq_id: `${this.#pod}/${topic}/${partition}/${receivedMicros}/${++this.#next}`,
      kind: 'record',
      code,
      reason,
      attempts: 1,
      ts: millis(nowMicros),
      source: { topic, partition, offset: null, timestamp: millis(receivedMicros), group: null }
    })
  }

  #mayPublish(nowMicros: number): boolean {
    const second = Math.floor(nowMicros / 1_000_000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    if (++this.#inSecond > this.#perSecond || !this.#hasRoom()) {
      this.suppressed++
      return false
    }
    this.published++
    return true
  }

  #send(
    key: string,
    whole: Uint8Array,
    headers: LetterHeaders,
    facts: Readonly<Record<string, unknown>>
  ): void {
    const value = whole.subarray(0, valueBytesMax)
    this.#publish(
      key,
      JSON.stringify({
        ...facts,
        key_base64: Buffer.from(key).toString('base64'),
        value_base64: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'),
        truncated: value.length < whole.length
      }),
      headers
    )
  }
}

function explained(code: ErrorCode, reason: string): LetterHeaders {
  return [
    ['kafka_dlt-exception-fqcn', code],
    ['kafka_dlt-exception-message', reason]
  ]
}

function timed(receivedMicros: number): LetterHeaders {
  return [['kafka_dlt-original-timestamp', String(millis(receivedMicros))]]
}

function millis(micros: number): number {
  return Math.floor(micros / 1000)
}
