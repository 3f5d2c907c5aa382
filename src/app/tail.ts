import { type TailRequest, type TailStream } from '../../actors/control/messages.ts'
import { type LogRef } from '../../actors/log/ref.ts'
import { IngestError } from '../core/errors.ts'
import { recordLine } from './record-line.ts'

/** Serves the admin socket's `tail` from the embedded log; the answer stops it. */
export function tailHandler(log: LogRef | null, request: TailRequest, stream: TailStream): () => void {
  if (log === null) {
    throw new IngestError(
      'USAGE',
      'The records of this service are in Kafka; set KAFKA_BROKERS and tail them there.'
    )
  }
  const { topic, from, filter, count } = request
  let left = count ?? Number.POSITIVE_INFINITY
  const stop = log.tail(
    { topic, from, keyPrefix: filter },
    {
      record: ({ partition, offset, key, timestampMicros, value }) => {
        if (left <= 0) return
        left--
        const timestampMs = Math.floor(timestampMicros / 1000)
        stream.line(recordLine({ topic, partition, offset: String(offset), key, timestampMs, value }))
        if (left === 0) stream.end()
      },
      skipped: skipped => stream.line(JSON.stringify({ skipped })),
      end: () => stream.end()
    }
  )
  return stop
}
