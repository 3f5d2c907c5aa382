import { type TargetPlan } from '../domain/target.ts'
import { type Fault } from './fault.ts'

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
  checkSocket(draft, faults)
  const limit = (name: string) => numberAt(draft, 'limits', name)
  const pairs = [
    ['limits.frameBytesMax', limit('frameBytesMax'), 'limits.inflatedBytesMax', limit('inflatedBytesMax')],
    ['limits.frameBytesMax', limit('frameBytesMax'), 'limits.creditBytes', limit('creditBytes')],
    ['limits.batchBytes', limit('batchBytes'), 'limits.creditBytes', limit('creditBytes')]
  ] as const
  for (const [lowerPath, lower, upperPath, upper] of pairs) {
    if (lower !== null && upper !== null && lower > upper) {
      faults.push({
        path: lowerPath,
        message: `${lower} is more than ${upperPath}, which is ${upper}; lower it or raise the other.`
      })
    }
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
  const registry = draft['registry'] as { url?: unknown } | undefined
  const brokers = (draft['kafka'] as { brokers?: unknown } | undefined)?.brokers
  if (typeof registry?.url !== 'string' || !Array.isArray(brokers)) return
  if (brokers.length === 0) {
    // The embedded log is read by our own tools only, which know the ids.
    registry.url = 'none'
  } else if (registry.url === '') {
    faults.push({
      path: 'registry.url',
      message:
        'is missing, and Kafka is configured; set SCHEMA_REGISTRY_URL=none to take schema ids from schemas/ids.json.'
    })
  } else if (registry.url !== 'none' && !isHttpUrl(registry.url)) {
    faults.push({
      path: 'registry.url',
      message:
        'is neither "none" nor a URL that begins with http:// or https://; for example http://localhost:8081.'
    })
  }
}

/** User and password have keys of their own, so that no log or status shows them with the URL. */
function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

function checkSocket(draft: Record<string, unknown>, faults: Fault[]): void {
  const socket = (draft['admin'] as { socket?: unknown } | undefined)?.socket
  if (typeof socket !== 'string' || Buffer.byteLength(socket) <= socketPathBytesMax) return
  faults.push({
    path: 'admin.socket',
    message: `has ${Buffer.byteLength(socket)} bytes, and a Unix socket's path may have ${socketPathBytesMax}; choose a shorter one.`
  })
}

function numberAt(draft: Record<string, unknown>, section: string, key: string): number | null {
  const value = (draft[section] as Record<string, unknown> | undefined | null)?.[key]
  return typeof value === 'number' ? value : null
}
