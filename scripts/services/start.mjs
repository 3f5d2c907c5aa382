import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from './cache.mjs'
import {
  hasDocker,
  images,
  javaHome,
  kafkaHome,
  redisBinary,
  registryGiven,
  registryJar,
  witnessPath
} from './install.mjs'
import { brokerSettings, containerSettings, jvmFlags, loadJvmFlags, writeSettings } from './kafka-config.mjs'
import { freePorts, probeKafka, probeRedis, probeRegistry } from './probe.mjs'
import { TiedProcess } from './tied-process.mjs'

const triesForPorts = 3

function containerOf(name, ports, options) {
  const container = `coin-stream-${name}-${process.pid}-${ports[0][0]}`
  const published = ports.flatMap(([outside, inside]) => ['-p', `127.0.0.1:${outside}:${inside}`])
  return {
    container,
    command: ['docker', 'run', '--name', container, ...published, ...options, images[name]]
  }
}

async function kafkaOn([port, controllerPort], folder) {
  const probe = () => probeKafka(port)
  if (await hasDocker()) {
    const plan = containerOf('kafka', [[port, port]], containerSettings(port, controllerPort))
    return new TiedProcess({ name: 'kafka', folder, probe, ...plan })
  }
  const formatted = join(await kafkaHome(), 'formatted')
  return brokerProcess({
    name: 'kafka',
    folder,
    probe,
    formatted,
    settings: brokerSettings(port, controllerPort)
  })
}

/** A broker with a copy of the formatted data folder, not started yet. */
export async function brokerProcess({ name, folder, probe, formatted, settings }) {
  const { java } = await javaHome()
  const file = join(folder, `${name}.properties`)
  const data = join(folder, 'data', name)
  cpSync(formatted, data, { recursive: true })
  writeSettings(file, { ...settings, 'log.dirs': data })
  const isForLoad = process.env.COIN_STREAM_KAFKA_FOR === 'load'
  const jvm = isForLoad ? ['-Xmx1g', ...loadJvmFlags] : ['-Xmx256m', ...jvmFlags]
  const command = [java, ...jvm, '-cp', join(await kafkaHome(), 'libs', '*'), 'kafka.Kafka', file]
  return new TiedProcess({ name, folder, command, probe })
}

async function redisOn([port], folder) {
  const probe = () => probeRedis(port)
  if (await hasDocker()) {
    return new TiedProcess({ name: 'redis', folder, probe, ...containerOf('redis', [[port, 6379]], []) })
  }
  const memoryOnly = ['--save', '', '--appendonly', 'no', '--loglevel', 'warning', '--daemonize', 'no']
  const command = [
    await redisBinary(),
    ...memoryOnly,
    '--bind',
    '127.0.0.1',
    '--port',
    `${port}`,
    '--dir',
    folder
  ]
  return new TiedProcess({ name: 'redis', folder, command, probe })
}

const registryUrl = port => `http://127.0.0.1:${port}/apis/ccompat/v7`

async function registryOn([port], folder) {
  const probe = () => probeRegistry(registryUrl(port))
  if (await hasDocker()) {
    return new TiedProcess({
      name: 'registry',
      folder,
      probe,
      ...containerOf('registry', [[port, 8080]], [])
    })
  }
  const jar = await registryJar()
  const { java } = await javaHome()
  const where = ['-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${port}`]
  const quiet = ['-Dquarkus.banner.enabled=false', '-Dquarkus.log.level=WARN']
  const command = [java, '-Xmx128m', ...jvmFlags, ...where, ...quiet, '-jar', jar]
  return new TiedProcess({ name: 'registry', folder, command, probe })
}

/** A port can be taken between its choice and its use: then the service ends at once and gets others. */
export async function startOn(make, portCount, folder) {
  for (let n = 1; ; n++) {
    const attemptFolder = join(folder, `${n}`)
    mkdirSync(attemptFolder, { recursive: true })
    const ports = await freePorts(portCount)
    const service = await make(ports, attemptFolder)
    try {
      await service.start()
      return { service, ports }
    } catch (error) {
      await service.remove()
      const isPortTaken = error instanceof ServiceError && /address already in use/i.test(error.message)
      if (!isPortTaken || n === triesForPorts) throw error
    }
  }
}

export async function startKafka(folder) {
  const { service, ports } = await startOn(kafkaOn, 2, join(folder, 'kafka'))
  return { service, brokers: `127.0.0.1:${ports[0]}` }
}

/**
 * Starts what `names` asks for and the environment does not name already; answers the processes, in order of start, and
 * the variables by which programs find them.
 */
export async function startServices(names, folder) {
  const wanted = new Set(names)
  const env = { SCHEMA_REGISTRY_URL: registryGiven() ?? 'none' }
  const services = []
  const starts = []
  const start = async (name, given, ports, make, tell) => {
    if (!wanted.has(name) || given !== undefined) return
    const started = await startOn(make, ports, join(folder, name))
    services.push(started.service)
    tell(started)
  }
  starts.push(
    start('kafka', process.env.KAFKA_BROKERS, 2, kafkaOn, ({ service, ports }) => {
      env.KAFKA_BROKERS = `127.0.0.1:${ports[0]}`
      if (service.container === null) env.COIN_STREAM_KAFKA_PID = service.pidFile
    }),
    start('redis', process.env.REDIS_URL, 1, redisOn, ({ ports }) => {
      env.REDIS_URL = `redis://127.0.0.1:${ports[0]}`
    }),
    start('registry', registryGiven(), 1, registryOn, ({ ports }) => {
      env.SCHEMA_REGISTRY_URL = registryUrl(ports[0])
    })
  )
  if (wanted.has('witness')) {
    starts.push(
      witnessPath().then(path => {
        env.COIN_STREAM_PYTHONPATH = path
      })
    )
  }
  const outcomes = await Promise.allSettled(starts)
  const failed = outcomes.find(({ status }) => status === 'rejected')
  if (failed !== undefined) {
    await Promise.all(services.map(service => service.remove()))
    throw failed.reason
  }
  for (const name of ['KAFKA_BROKERS', 'REDIS_URL']) {
    if (process.env[name] !== undefined) env[name] = process.env[name]
  }
  return { services, env }
}
