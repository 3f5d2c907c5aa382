import { type FrameCodec } from '../../../actors/producer/decoding.ts'
import { type CodecContext } from '../../codec/context.ts'
import { FrameBatch } from '../../wire/frame-batch.ts'
import { RecordBatch } from '../../wire/record-batch.ts'

/** Told of every batch of frames with what the codec made of it; both are only lent for the call. */
export type BatchObserver = (frames: FrameBatch, records: RecordBatch, context: CodecContext) => void

/** A codec that shows what it does. It decodes on the calling thread only. */
export function observedCodec(codec: FrameCodec, observe: BatchObserver): FrameCodec {
  return {
    canOffload: false,
    get offloaded() {
      return codec.offloaded
    },
    get inlined() {
      return codec.inlined
    },
    encodingOf: target => codec.encodingOf(target),
    transcode(batch, context) {
      const answer = codec.transcode(batch, context)
      observe(new FrameBatch(batch), new RecordBatch(answer), context)
      return answer
    },
    transcodeInPlace(batch, context) {
      const records = codec.transcodeInPlace(batch, context)
      observe(new FrameBatch(batch), records, context)
      return records
    },
    offload: (batch, context) => codec.offload(batch, context)
  }
}
