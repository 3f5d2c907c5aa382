import { move, workerData } from 'piscina'
import { type CodecContext } from '../../src/codec/context.ts'
import { createTranscoder } from '../../src/codec/transcode.ts'
import { warmUp } from '../../src/codec/warm-up.ts'
import { FrameBatch } from '../../src/wire/frame-batch.ts'
import { type CodecTask, type CodecWorkerPlan } from './messages.ts'

const contextsMax = 1024
const transcoder = createTranscoder()
warmUp(transcoder, (workerData as CodecWorkerPlan).exchanges)
/** Parsed contexts by connection and version. */
const contexts = new Map<string, CodecContext>()
const decoder = new TextDecoder()

function contextOf(batch: ArrayBuffer, shared: SharedArrayBuffer): CodecContext {
  const { connection, contextVersion } = new FrameBatch(batch)
  const key = `${connection}/${contextVersion}`
  const known = contexts.get(key)
  if (known !== undefined) return known
  // TextDecoder refuses shared memory, so the bytes are copied first.
  const bytes = new Uint8Array(shared.byteLength)
  bytes.set(new Uint8Array(shared))
  const context = JSON.parse(decoder.decode(bytes)) as CodecContext
  if (contexts.size >= contextsMax) {
    const oldest = contexts.keys().next()
    if (oldest.done !== true) contexts.delete(oldest.value)
  }
  contexts.set(key, context)
  return context
}

/** The pool's task; Piscina wants it as the default export. */
export default function transcodeTask(task: CodecTask): unknown {
  return move(transcoder.transcode(task.batch, contextOf(task.batch, task.context), task.progress))
}
