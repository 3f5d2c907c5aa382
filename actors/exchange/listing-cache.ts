import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'
import { IngestError } from '../../src/core/errors.ts'
import { makeFolder } from '../../src/core/make-folder.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type ExchangeName } from '../../src/domain/target.ts'

/** Of the shape below; a file of another format is broken, and so written anew. */
const format = 1
/** The longest listings have a few thousand pairs of some 50 bytes. */
const fileBytesMax = 8 * 1024 * 1024
const instrumentsMax = 100_000
const nameLengthMax = 64
/** A file of the future is a clock that was wrong; believing it would keep it fresh for ever. */
const clockSkewMs = 60_000

/** Whose listing it is. The origin is part of it: what a simulator lists says nothing about the venue. */
export interface ListingKey {
  readonly exchange: ExchangeName
  /** Origin of the REST API, without a path. */
  readonly origin: string
  readonly path: string
}

export interface CachedListing {
  readonly instruments: readonly Instrument[]
  /** Milliseconds since the epoch. */
  readonly fetchedMs: number
  readonly isFresh: boolean
}

/** Answers of `read`: `absent` when there is no file, or one of another origin; `broken` says what is wrong. */
export type CacheAnswer =
  | { readonly type: 'listing'; readonly listing: CachedListing }
  | { readonly type: 'absent' }
  | { readonly type: 'broken'; readonly reason: string }

export interface ListingCacheSettings {
  readonly folder: string
  /** A listing of up to this age is used without asking the venue. */
  readonly maxAgeMs: number
}

/**
 * Listings of venues on disk, one JSON file each, so that a start neither waits for REST nor depends on it:
 * `{format, exchange, origin, path, fetched_ts, instruments: [{symbol, native}]}`. The folder is for its owner alone.
 */
export class ListingCache {
  readonly #folder: string
  readonly #maxAgeMs: number
  #drafts = 0

  constructor({ folder, maxAgeMs }: ListingCacheSettings) {
    this.#folder = folder
    this.#maxAgeMs = maxAgeMs
  }

  /** Where the listing of an exchange lies. */
  fileOf(exchange: ExchangeName): string {
    return join(this.#folder, `${exchange}.json`)
  }

  /** Never rejects: a file that cannot be used is an answer. */
  async read(key: ListingKey, nowMs: number): Promise<CacheAnswer> {
    const path = this.fileOf(key.exchange)
    try {
      const text = await readBounded(path)
      if (text === null) return { type: 'absent' }
      const content: unknown = JSON.parse(text)
      if (!isContent(content, nowMs)) return { type: 'broken', reason: `${path} does not hold a listing` }
      const { exchange, origin, fetched_ts, instruments } = content
      if (exchange !== key.exchange || origin !== key.origin || content.path !== key.path)
        return { type: 'absent' }
      const isFresh = nowMs - fetched_ts <= this.#maxAgeMs
      return { type: 'listing', listing: { instruments, fetchedMs: fetched_ts, isFresh } }
    } catch (error) {
      const why = error instanceof SyntaxError ? 'is not JSON' : `cannot be read: ${(error as Error).message}`
      return { type: 'broken', reason: `${path} ${why}` }
    }
  }

  /**
   * Replaces the file in one step: a reader finds the old listing or the new one.
   * @throws IngestError LISTING_CACHE
   */
  async write(key: ListingKey, instruments: readonly Instrument[], fetchedMs: number): Promise<void> {
    const path = this.fileOf(key.exchange)
    // Other processes and threads may write as well; a name that a killed one left behind is taken over.
    const draft = join(this.#folder, `.${key.exchange}.${process.pid}-${threadId}-${++this.#drafts}.draft`)
    // A name that no reader would take must not spoil the others.
    const kept = instruments.filter(({ symbol, native }) => isName(symbol) && isName(native))
    const content = { format, ...key, fetched_ts: Math.floor(fetchedMs), instruments: kept }
    try {
      const text = `${JSON.stringify(content)}\n`
      if (Buffer.byteLength(text) > fileBytesMax || kept.length > instrumentsMax)
        throw new RangeError(`${kept.length} instruments are too many to keep`)
      makeFolder(this.#folder, 0o700)
      await rm(draft, { force: true })
      const file = await open(draft, 'wx', 0o600)
      try {
        await file.writeFile(text)
      } finally {
        await file.close()
      }
      await rename(draft, path)
    } catch (cause) {
      await rm(draft, { force: true }).catch(() => undefined)
      const message = `The listing of ${key.exchange} could not be kept in ${path}: ${(cause as Error).message}.`
      throw new IngestError('LISTING_CACHE', message, { cause })
    }
  }
}

/** The text of a file of ours, null when there is none. */
async function readBounded(path: string): Promise<string | null> {
  let file: FileHandle
  try {
    // Without blocking: nobody may ever write into a pipe that stands in the file's place.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new RangeError('it is no ordinary file')
    if (found.size > fileBytesMax) throw new RangeError(`it has more than ${fileBytesMax} bytes`)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

interface Content {
  readonly format: number
  readonly exchange: string
  readonly origin: string
  readonly path: string
  readonly fetched_ts: number
  readonly instruments: readonly Instrument[]
}

const contentKeys = ['format', 'exchange', 'origin', 'path', 'fetched_ts', 'instruments']
const instrumentKeys = ['symbol', 'native']

function isContent(value: unknown, nowMs: number): value is Content {
  if (!hasExactly(value, contentKeys)) return false
  const { exchange, origin, path, fetched_ts, instruments } = value
  return (
    value['format'] === format &&
    [exchange, origin, path].every(each => typeof each === 'string') &&
    Number.isSafeInteger(fetched_ts) &&
    (fetched_ts as number) <= nowMs + clockSkewMs &&
    Array.isArray(instruments) &&
    instruments.length > 0 &&
    instruments.length <= instrumentsMax &&
    instruments.every(isInstrument)
  )
}

function isInstrument(value: unknown): value is Instrument {
  return hasExactly(value, instrumentKeys) && isName(value['symbol']) && isName(value['native'])
}

function hasExactly(value: unknown, keys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.keys(value).length === keys.length && keys.every(key => Object.hasOwn(value, key))
}

function isName(value: unknown): value is string {
  return (
    typeof value === 'string' && value.length > 0 && value.length <= nameLengthMax && !/\p{Cc}/u.test(value)
  )
}
