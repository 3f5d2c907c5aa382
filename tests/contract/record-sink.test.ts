import { EmbeddedSink } from '../../actors/producer/sinks/embedded.ts'
import { type Route } from '../../actors/producer/sinks/record-sink.ts'
import { EmbeddedLogRig } from '../support/embedded-log.ts'
import { type KeptRecord, recordSinkContract } from '../support/record-sink-contract.ts'
import { Settlements } from '../support/settlements.ts'

const topics = ['trade-data.asia', 'ticker-data.asia'] as const

recordSinkContract('embedded log', async (options, listener) => {
  const rig = await EmbeddedLogRig.start()
  const sink = new EmbeddedSink({ ...options, port: rig.log.producerPort() }, listener)
  return {
    sink,
    topics,
    kept: async () => (await Promise.all(topics.map(topic => readAll(rig, topic)))).flat(),
    cutOff: () => rig.log.kill(),
    close: async () => rig[Symbol.asyncDispose]()
  }
})

/** A topic from its first record to its last: a marker that another producer writes now comes behind it. */
async function readAll(rig: EmbeddedLogRig, topic: string): Promise<KeptRecord[]> {
  const settlements = new Settlements()
  const marker = new EmbeddedSink({ port: rig.log.producerPort(), lingerMs: 0, batchBytes: 1 }, settlements)
  await marker.open()
  const route: Route = { id: 0, topic, partition: 0, key: 'marker', keyBytes: Buffer.from('marker') }
  marker.append(route, new Uint8Array(1), 0, 1, 0, 0)
  await settlements.until(() => settlements.published.size === 1)
  await marker.close()
  return await new Promise(resolve => {
    const records: KeptRecord[] = []
    const stop = rig.log.tail(
      { topic, from: 'earliest', keyPrefix: '' },
      {
        record: ({ partition, key, value }) => {
          if (key !== 'marker') records.push({ topic, partition, key, value: Buffer.from(value).toString() })
          else {
            stop()
            resolve(records)
          }
        },
        skipped: () => undefined,
        end: () => resolve(records)
      }
    )
  })
}
