import { constants, type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, crc32, constants as zlib } from 'node:zlib'
import {
  encodeBlockHeader,
  encodeIndex,
  encodeSegmentHeader,
  type IndexedBlock,
  segmentName
} from './segment-format.ts'

const compress = promisify(brotliCompress)
const numbersMax = 1_000_000

/** A block that is closed, with what its header says of it. */
export interface SealedBlock {
  readonly raw: Buffer
  readonly entries: number
  readonly firstMicros: number
  readonly lastMicros: number
  readonly connections: readonly number[]
}

/**
 * Compresses a block on a thread of Node's pool. Quality 1 of brotli packs the repetitive JSON of market
 * data nearly twice as well as the fastest deflate, in less than half the time; docs/capture.md has the figures.
 */
export function compressBlock({ raw }: SealedBlock): Promise<Buffer> {
  return compress(raw, {
    params: {
      [zlib.BROTLI_PARAM_MODE]: zlib.BROTLI_MODE_TEXT,
      [zlib.BROTLI_PARAM_QUALITY]: 1,
      [zlib.BROTLI_PARAM_LGWIN]: 18,
      [zlib.BROTLI_PARAM_SIZE_HINT]: raw.length
    }
  })
}

/** One segment file that is being written. */
export class SegmentFile {
  readonly number: number
  readonly #handle: FileHandle
  readonly #blocks: IndexedBlock[] = []
  #bytes = 0

  private constructor(number: number, handle: FileHandle) {
    this.number = number
    this.#handle = handle
  }

  /** Begins the first segment from `number` on that is not there yet: an earlier life of the thread may have left some. */
  static async create(
    folder: string,
    thread: number,
    number: number,
    createdMicros: number
  ): Promise<SegmentFile> {
    const { O_WRONLY, O_CREAT, O_EXCL } = constants
    for (let free = number; ; free++) {
      let handle: FileHandle
      try {
        const path = join(folder, segmentName(thread, free))
        handle = await open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST' && free - number <= numbersMax) continue
        throw error
      }
      const file = new SegmentFile(free, handle)
      try {
        await file.#write(encodeSegmentHeader({ thread, segment: free, createdMicros }))
      } catch (error) {
        await file.abandon()
        throw error
      }
      return file
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  async append(block: SealedBlock, content: Buffer): Promise<void> {
    const { raw, entries, firstMicros, lastMicros, connections } = block
    const facts = { bytes: content.length, rawBytes: raw.length, entries, firstMicros, lastMicros }
    this.#blocks.push({ ...facts, offset: this.#bytes, connections })
    await this.#write(Buffer.concat([encodeBlockHeader({ ...facts, crc: crc32(content) }), content]))
  }

  /** Writes the index and closes the file; `isLast`: the capture of the thread ends with it. */
  async finish(isLast: boolean): Promise<void> {
    try {
      await this.#write(encodeIndex({ isLast, blocks: this.#blocks }))
    } finally {
      await this.abandon()
    }
  }

  /** Closes the file as it is. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined)
  }

  /** A write may take less than it was given: a disk that is nearly full does so before it refuses. */
  async #write(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, this.#bytes)
      written += bytesWritten
      this.#bytes += bytesWritten
    }
  }
}
