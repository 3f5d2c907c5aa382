import { type ErrorCode } from '../../src/core/errors.ts'
import { targetKey } from '../../src/domain/target.ts'
import { type FrameReason } from '../../src/wire/record-batch.ts'
import { type ConnectionContext } from '../../src/wire/session-messages.ts'

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

/** Publishes frames that cannot be decoded, whole as they came, but no more than a named number a second. */
export class DeadLetters {
  readonly #perSecond: number
  readonly #hasRoom: () => boolean
  readonly #publish: (key: string, value: string) => void
  #second = 0
  #inSecond = 0
  #next = 0
  published = 0
  suppressed = 0

  /** @param hasRoom whether the buffer takes one more; while the sink is away gaps go before dead letters */
  constructor(perSecond: number, hasRoom: () => boolean, publish: (key: string, value: string) => void) {
    this.#perSecond = perSecond
    this.#hasRoom = hasRoom
    this.#publish = publish
  }

  frame(
    context: ConnectionContext,
    frame: Uint8Array,
    frameSeq: number,
    reason: FrameReason,
    nowMicros: number
  ): void {
    const second = Math.floor(nowMicros / 1_000_000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    if (++this.#inSecond > this.#perSecond || !this.#hasRoom()) {
      this.suppressed++
      return
    }
    this.published++
    const key = targetKey(context.target)
    const value = frame.subarray(0, valueBytesMax)
    this.#publish(
      key,
      JSON.stringify({
        dlq_id: `${context.connectionId}/${frameSeq}/${++this.#next}`,
        kind: 'frame',
        code: codeOfReason(reason),
        reason,
        attempts: 1,
        ts: Math.floor(nowMicros / 1000),
        source: { target: context.target, connection_id: context.connectionId, frame_seq: frameSeq },
        key_base64: Buffer.from(key).toString('base64'),
        value_base64: Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'),
        truncated: value.length < frame.length
      })
    )
  }
}
