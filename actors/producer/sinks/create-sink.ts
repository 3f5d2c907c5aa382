import { type Logger } from '../../../src/core/logger.ts'
import { type ProducerPlan } from '../messages.ts'
import { EmbeddedSink } from './embedded.ts'
import { KafkajsSendSink } from './kafkajs-send.ts'
import { type RecordSink, type SinkListener } from './record-sink.ts'

/** The sink that a plan asks for. */
export function createSink(plan: ProducerPlan, listener: SinkListener, logger: Logger): RecordSink {
  const { lingerMs, batchBytes, sink } = plan
  switch (sink.kind) {
    case 'embedded':
      return new EmbeddedSink({ port: sink.port, lingerMs, batchBytes }, listener)
    case 'kafka':
      return new KafkajsSendSink({ ...sink, lingerMs, batchBytes }, listener, logger)
  }
}
