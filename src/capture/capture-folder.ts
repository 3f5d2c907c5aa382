import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IngestError } from '../core/errors.ts'
import { makeFolder } from '../core/make-folder.ts'
import { canonicalSymbolPattern, type TargetPlan, targetKey, targetName } from '../domain/target.ts'
import { segmentNumbers, segmentVersion } from './segment-format.ts'
import { isListOf, isMicros, isShape, isTarget, isText, jsonOf } from './shape.ts'

const manifestName = 'capture.json'
const format = 'coin-stream capture'

/** What `capture.json` says of the capture beside it. */
export interface CaptureManifest {
  readonly format: typeof format
  readonly version: number
  readonly pod: string
  /** Microseconds since the epoch. */
  readonly started_ts: number
  /** In the order in which they were collected: their shards are numbered by it. */
  readonly targets: readonly TargetPlan[]
}

export interface CaptureContent {
  readonly manifest: CaptureManifest
  /** Paths of the segments of each thread, the oldest first. */
  readonly threads: readonly (readonly string[])[]
}

/**
 * Makes the folder of a new capture, open to its owner alone. A capture is never extended: runs differ in their targets,
 * and connection numbers are unique within one run only.
 * @throws IngestError USAGE when something is in the folder, FILE_UNREADABLE when it cannot be made
 */
export async function createCaptureFolder(folder: string): Promise<void> {
  let inside: string[]
  try {
    makeFolder(folder, 0o700)
    inside = await readdir(folder)
    if (inside.length === 0) await chmod(folder, 0o700)
  } catch (error) {
    throw new IngestError(
      'FILE_UNREADABLE',
      `The folder ${folder} for the capture cannot be made: ${(error as Error).message}.`
    )
  }
  if (inside.length > 0) {
    const what = inside.includes(manifestName) ? 'holds a capture already' : 'is not empty'
    throw new IngestError(
      'USAGE',
      `The folder ${folder} ${what}; a capture begins in one that is new or empty.`
    )
  }
}

/** @throws IngestError FILE_UNREADABLE when it cannot be written */
export async function writeManifest(
  folder: string,
  facts: Omit<CaptureManifest, 'format' | 'version'>
): Promise<void> {
  const manifest: CaptureManifest = { format, version: segmentVersion, ...facts }
  try {
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    await writeFile(join(folder, manifestName), text, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    throw new IngestError(
      'FILE_UNREADABLE',
      `The capture in ${folder} cannot be begun: ${(error as Error).message}.`
    )
  }
}

/** @throws IngestError FILE_UNREADABLE when this is no folder of a capture, or one of another version */
export async function readCaptureFolder(folder: string): Promise<CaptureContent> {
  const path = join(folder, manifestName)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it has no capture.json' : (error as Error).message
    throw new IngestError('FILE_UNREADABLE', `${folder} is not a folder of a capture: ${why}.`)
  }
  const manifest = manifestOf(text, path)
  const byThread = new Map<number, { segment: number; path: string }[]>()
  for (const name of await readdir(folder)) {
    const numbers = segmentNumbers(name)
    if (numbers === null) continue
    const segments = byThread.get(numbers.thread) ?? []
    segments.push({ segment: numbers.segment, path: join(folder, name) })
    byThread.set(numbers.thread, segments)
  }
  const threads = [...byThread]
    .sort(([a], [b]) => a - b)
    .map(([, segments]) => segments.sort((a, b) => a.segment - b.segment).map(segment => segment.path))
  return { manifest, threads }
}

function manifestOf(text: string, path: string): CaptureManifest {
  const read = jsonOf(text)
  if (!isShape(read) || read['format'] !== format) throw unreadable(`${path} does not describe a capture.`)
  const { version, pod, started_ts, targets } = read
  if (version !== segmentVersion) {
    const found = typeof version === 'number' ? `of version ${version}` : 'of no version'
    throw unreadable(`${path} is ${found} of the capture format; this build reads ${segmentVersion}.`)
  }
  const advice = 'put back the file that the capture was made with'
  if (!isText(pod)) throw unreadable(`${path} has no text as pod; ${advice}.`)
  if (!isMicros(started_ts)) throw unreadable(`${path} has no time in microseconds as started_ts; ${advice}.`)
  if (!Array.isArray(targets)) throw unreadable(`${path} has no list of targets; ${advice}.`)
  const plans: TargetPlan[] = []
  targets.forEach((item: unknown, index) => {
    if (!isPlan(item)) {
      const shape = 'a target with region, exchange and request_type, and lists of symbols and of projection'
      throw unreadable(`${path}: targets.${index} is not ${shape}; ${advice}.`)
    }
    if (plans.some(({ target }) => targetKey(target) === targetKey(item.target))) {
      throw unreadable(`${path}: targets.${index} names ${targetName(item.target)} a second time; ${advice}.`)
    }
    plans.push(item)
  })
  return { format, version, pod, started_ts, targets: plans }
}

function isPlan(value: unknown): value is TargetPlan {
  if (!isShape(value)) return false
  const { target, symbols, projection } = value
  return isTarget(target) && isListOf(symbols, isSymbol) && isListOf(projection, isText)
}

function isSymbol(value: unknown): value is string {
  return isText(value) && canonicalSymbolPattern.test(value)
}

function unreadable(message: string): IngestError {
  return new IngestError('FILE_UNREADABLE', message)
}
