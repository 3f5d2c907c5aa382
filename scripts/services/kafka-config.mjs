import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './cache.mjs'

const clusterId = 'Y29pbi1zdHJlYW0tMDAwMQ'

/** Small and quick to start; for tests and laptops, not for load. */
export const jvmFlags = [
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
]

/** A broker under a bench has the compiler and the memory that a real one has. */
export const loadJvmFlags = jvmFlags.filter(flag => !/SerialGC|TieredStopAtLevel/.test(flag))

/**
 * The settings of a single broker that is its own controller. A broker killed hard may come back only when its old
 * session has expired, hence the short session; topics are made by whoever needs them, never by a stray produce.
 */
export function brokerSettings(port, controllerPort, host = '127.0.0.1') {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://${host}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'log.cleaner.dedupe.buffer.size': 16777216
  }
}

export function writeSettings(file, settings) {
  writeFileSync(
    file,
    `${Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n')}\n`
  )
}

/**
 * Leaves a formatted data folder in `folder/formatted`; neither ports nor paths are in it, so each run copies it. The
 * settings say which node it is; `options` are further arguments of the format.
 */
export async function formatStorage(java, libs, folder, settings = brokerSettings(1, 2), options = []) {
  const data = join(folder, 'formatted')
  mkdirSync(data, { recursive: true })
  const file = join(folder, 'format.properties')
  writeSettings(file, { ...settings, 'log.dirs': data })
  const classPath = ['-cp', join(libs, '*')]
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, '--ignore-formatted']
  const command = ['-Xmx128m', ...jvmFlags, ...classPath, ...format, ...options]
  await run(java, command, 'Formatting the data folder of Kafka')
}

/** The same settings as environment variables of the container image. */
export function containerSettings(port, controllerPort) {
  const settings = Object.entries(brokerSettings(port, controllerPort, '0.0.0.0'))
  const variables = settings.map(
    ([name, value]) => `KAFKA_${name.toUpperCase().replaceAll('.', '_')}=${value}`
  )
  return [`CLUSTER_ID=${clusterId}`, ...variables].flatMap(text => ['-e', text])
}
