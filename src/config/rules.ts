import { type ProducerProfile, producerProfiles, profileBounds } from '../domain/producer-tuning.ts'
import { serviceTopics } from '../domain/routing.ts'
import { type TargetPlan } from '../domain/target.ts'
import { type Fault } from './fault.ts'
import { didYouMean } from './nearest.ts'

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, its final zero included. */
const socketPathBytesMax = 103

/**
 * What one key alone cannot tell. Runs on a draft that may have failed its schema, so each rule looks at the types of
 * what it compares and keeps silent where the schema has already spoken.
 */
export function checkRules(
  draft: Record<string, unknown>,
  targets: readonly TargetPlan[],
  faults: Fault[]
): void {
  checkRegistry(draft, faults)
  checkKafka(draft, faults)
  checkTopicList(draft, 'producer', 'compressionByTopic', faults)
  checkTopicList(draft, 'topics', 'partitions', faults)
  checkProducer(draft, faults)
  checkSocket(draft, faults)
  const limit = (name: string) => numberAt(draft, 'limits', name)
  const pairs = [
    ['limits.frameBytesMax', limit('frameBytesMax'), 'limits.inflatedBytesMax', limit('inflatedBytesMax')],
    ['limits.frameBytesMax', limit('frameBytesMax'), 'limits.creditBytes', limit('creditBytes')],
    ['limits.batchBytes', limit('batchBytes'), 'limits.creditBytes', limit('creditBytes')]
  ] as const
  for (const [lowerPath, lower, upperPath, upper] of pairs) {
    checkOrder(lowerPath, lower, upperPath, upper, faults)
  }
  const targetsMax = limit('targetsMax')
  if (targetsMax !== null && targets.length > targetsMax) {
    faults.push({
      path: 'targets',
      message: `names ${targets.length} targets and limits.targetsMax allows ${targetsMax}; raise the limit or run another process.`
    })
  }
}

/** With Kafka, readers must know where schema ids come from, so having no registry has to be said. */
function checkRegistry(draft: Record<string, unknown>, faults: Fault[]): void {
  const registry = sectionAt(draft, 'registry')
  const brokers = sectionAt(draft, 'kafka')['brokers']
  if (typeof registry['url'] !== 'string' || !Array.isArray(brokers)) return
  checkCredentials(registry, faults)
  const { url } = registry
  if (brokers.length === 0 && url === '') {
    // The embedded log is read by our own tools only, which know the ids; `schemas` asks a registry all the same.
    registry['url'] = 'none'
  } else if (url === '') {
    faults.push({
      path: 'registry.url',
      message:
        'is missing, and Kafka is configured; set SCHEMA_REGISTRY_URL=none to take schema ids from schemas/ids.json.'
    })
  } else if (url !== 'none' && !isHttpUrl(url)) {
    faults.push({
      path: 'registry.url',
      message:
        'is neither "none" nor a URL that begins with http:// or https://, without user and password (those have keys of their own); for example http://localhost:8081.'
    })
  } else if (url.startsWith('http:') && isSet(registry['caFile'])) {
    faults.push({
      path: 'registry.caFile',
      message: 'is of no use with a URL that begins with http://; write https:// or leave it out.'
    })
  }
}

/** One way to log in to the registry, and that one whole. */
function checkCredentials({ username, password, token }: Record<string, unknown>, faults: Fault[]): void {
  if (isSet(token) && (isSet(username) || isSet(password))) {
    faults.push({
      path: 'registry.token',
      message:
        'stands beside a user or password; a registry takes the one or the other, leave one of them out.'
    })
    return
  }
  checkPair('registry', { username, password }, faults)
}

function checkKafka(draft: Record<string, unknown>, faults: Fault[]): void {
  const { tls, caFile, certFile, keyFile } = sectionAt(draft, 'kafka')
  checkPair('kafka', { certFile, keyFile }, faults)
  if (tls !== false) return
  for (const [key, value] of Object.entries({ caFile, certFile, keyFile })) {
    if (!isSet(value)) continue
    faults.push({
      path: `kafka.${key}`,
      message: 'is of no use while kafka.tls is false; set kafka.tls=true or leave it out.'
    })
  }
}

/** Two keys of which one without the other is nothing. */
function checkPair(section: string, pair: Readonly<Record<string, unknown>>, faults: Fault[]): void {
  const missing = Object.keys(pair).find(key => !isSet(pair[key]))
  const given = Object.keys(pair).find(key => isSet(pair[key]))
  if (missing === undefined || given === undefined) return
  faults.push({
    path: `${section}.${missing}`,
    message: `is missing, and ${section}.${given} is set; give both or none.`
  })
}

/** A list of `topic=value`: a topic that is never written would be a setting that nobody ever misses. */
function checkTopicList(draft: Record<string, unknown>, section: string, key: string, faults: Fault[]): void {
  const items = sectionAt(draft, section)[key]
  if (!Array.isArray(items)) return
  const seen = new Set<string>()
  items.forEach((item: unknown, i) => {
    if (typeof item !== 'string' || !item.includes('=')) return
    const topic = item.slice(0, item.indexOf('='))
    const path = `${section}.${key}.${i}`
    if (seen.has(topic)) faults.push({ path, message: `names ${topic} a second time; keep one of them.` })
    else if (!serviceTopics.includes(topic)) {
      const hint = didYouMean(topic, serviceTopics)
      const end = hint === '' ? `; there are ${serviceTopics.join(', ')}.` : hint
      faults.push({ path, message: `names ${topic}, which this service never writes${end}` })
    }
    seen.add(topic)
  })
}

/** Sizes and times of the producer that exclude each other, with what its profile says where nothing is said. */
function checkProducer(draft: Record<string, unknown>, faults: Fault[]): void {
  const { profile } = sectionAt(draft, 'producer')
  if (!isProfile(profile)) return
  const number = (key: string) => numberAt(draft, 'producer', key)
  const bounds = profileBounds[profile]
  const batchBytes = number('batchBytes') ?? bounds.batchBytes
  const lingerMs = number('lingerMs')
  const below = (upper: string): void => {
    checkOrder('producer.batchBytes', batchBytes, `producer.${upper}`, number(upper), faults)
  }
  below('requestBytesMax')
  below('bufferBytes')
  checkOrder('producer.lingerMs', lingerMs, 'producer.deliveryTimeoutMs', number('deliveryTimeoutMs'), faults)
  if (profile === 'latency' && lingerMs !== null && lingerMs > bounds.latencyTargetMs) {
    faults.push({
      path: 'producer.lingerMs',
      message: `${lingerMs} is more than the ${bounds.latencyTargetMs} ms that profile latency aims at for the whole way; lower it, or choose profile throughput.`
    })
  }
}

function isProfile(value: unknown): value is ProducerProfile {
  return (producerProfiles as readonly unknown[]).includes(value)
}

function checkOrder(
  lowerPath: string,
  lower: number | null,
  upperPath: string,
  upper: number | null,
  faults: Fault[]
): void {
  if (lower === null || upper === null || lower <= upper) return
  faults.push({
    path: lowerPath,
    message: `${lower} is more than ${upperPath}, which is ${upper}; lower it or raise the other.`
  })
}

/** User and password have keys of their own, so that no log or status shows them with the URL. */
function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

function checkSocket(draft: Record<string, unknown>, faults: Fault[]): void {
  const { socket } = sectionAt(draft, 'admin')
  if (typeof socket !== 'string' || Buffer.byteLength(socket) <= socketPathBytesMax) return
  faults.push({
    path: 'admin.socket',
    message: `has ${Buffer.byteLength(socket)} bytes, and a Unix socket's path may have ${socketPathBytesMax}; choose a shorter one.`
  })
}

/** Empty where the section is missing or something else than a section. */
function sectionAt(draft: Record<string, unknown>, name: string): Record<string, unknown> {
  const section = draft[name]
  return typeof section === 'object' && section !== null ? (section as Record<string, unknown>) : {}
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined
}

function numberAt(draft: Record<string, unknown>, section: string, key: string): number | null {
  const value = sectionAt(draft, section)[key]
  return typeof value === 'number' ? value : null
}
