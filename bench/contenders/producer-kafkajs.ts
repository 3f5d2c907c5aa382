import kafkajs from 'kafkajs'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { sendInBatches } from '../producer/batch-sender.ts'
import { serveRuns } from '../producer/serve.ts'

// A default import: Node.js does not see all names of this CommonJS module.
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

// kafkajs as it comes, with lz4 plugged in.
const types = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async ({ buffer }: { buffer: Buffer }) => compressFrameSync(buffer),
  decompress: async (buffer: Buffer) => decompressFrameSync(buffer)
})

serveRuns(async (run, records) => {
  const kafka = new Kafka({
    brokers: [...run.brokers],
    clientId: 'bench-kafkajs',
    logLevel: logLevel.NOTHING
  })
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false })
  await producer.connect()
  return sendInBatches(run, records, {
    send: async messages => {
      await producer.send({
        topic: run.topic,
        acks: -1,
        compression: types[run.compression],
        messages: [...messages]
      })
    },
    close: () => producer.disconnect()
  })
})
