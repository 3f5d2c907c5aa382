import { defaultLogLimits } from '../../actors/log/messages.ts'
import { LogRef } from '../../actors/log/ref.ts'
import { EmbeddedSink } from '../../actors/producer/sinks/embedded.ts'
import { KafkajsSendSink } from '../../actors/producer/sinks/kafkajs-send.ts'
import { type RecordSink, type Route, type SinkListener } from '../../actors/producer/sinks/record-sink.ts'
import { createLogger } from '../../src/core/logger.ts'
import { defaultPartitions, partitionOf } from '../../src/domain/routing.ts'
import { type ContenderPlan } from './messages.ts'

/** The baselines' sink: the embedded log as the service has it, or kafkajs `send()`; same linger, batch size and topics. */
export interface BaselineSink {
  publish(topic: string, key: string, value: string): void
  acknowledged(): number
  /** Records that are not acknowledged, and what they take. */
  pendingBytes(): number
}

export async function openBaselineSink(plan: ContenderPlan): Promise<BaselineSink> {
  let published = 0
  const listener: SinkListener = {
    settled: (_owners, _received, count, outcome) => {
      if (outcome === 'published') published += count
    },
    undelivered: () => undefined,
    refused: () => undefined,
    availability: () => undefined
  }
  const sink = await openSink(plan, listener)
  const routes = new Map<string, Route>()
  return {
    publish: (topic, key, value) => {
      let route = routes.get(topic + key)
      if (route === undefined) {
        const keyBytes = Buffer.from(key)
        const partition = partitionOf(keyBytes, defaultPartitions(topic))
        route = { id: routes.size, topic, partition, key, keyBytes }
        routes.set(topic + key, route)
      }
      const bytes = Buffer.from(value)
      sink.append(route, bytes, 0, bytes.length, Date.now() * 1000, 0)
    },
    acknowledged: () => published,
    pendingBytes: () => sink.pendingBytes
  }
}

async function openSink(plan: ContenderPlan, listener: SinkListener): Promise<RecordSink> {
  const { lingerMs, batchBytes } = plan
  const sink =
    plan.sink.kind === 'embedded'
      ? new EmbeddedSink({ port: await embeddedPort(), lingerMs, batchBytes }, listener)
      : new KafkajsSendSink(
          {
            brokers: plan.sink.brokers,
            clientId: 'coin-stream-bench',
            tls: false,
            caFile: null,
            certFile: null,
            keyFile: null,
            sasl: null,
            compression: 'none',
            lingerMs,
            batchBytes
          },
          listener,
          createLogger('error', 'bench')
        )
  await sink.open()
  return sink
}

async function embeddedPort() {
  const log = new LogRef({ logLevel: 'error', verifySocket: null, limits: defaultLogLimits }, error => {
    throw error
  })
  await log.ready
  return log.producerPort()
}
