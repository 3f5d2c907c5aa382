import { type Logger } from '../../../src/core/logger.ts'
import { type ProducerPlan } from '../messages.ts'
import { EmbeddedSink } from './embedded.ts'
import { KafkaSink } from './kafka.ts'
import { KafkajsSendSink } from './kafkajs-send.ts'
import { type RecordSink, type SinkListener } from './record-sink.ts'

/** The sink that a plan asks for. */
export function createSink(plan: ProducerPlan, listener: SinkListener, logger: Logger): RecordSink {
  const { tuning, sink } = plan
  const { lingerMaxMs: lingerMs, batchBytes, compression } = tuning
  switch (sink.kind) {
    case 'embedded':
      return new EmbeddedSink({ port: sink.port, lingerMs, batchBytes }, listener)
    case 'kafka':
      return new KafkaSink({ access: sink.access, tuning }, listener, logger)
    case 'kafkajs-send':
      return new KafkajsSendSink(
        { ...sink.access, lingerMs, batchBytes, compression: compression === 'gzip' ? 'gzip' : 'none' },
        listener,
        logger
      )
  }
}
