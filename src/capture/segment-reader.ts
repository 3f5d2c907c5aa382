import { type FileHandle, open, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliDecompress, crc32 } from 'node:zlib'
import { IngestError } from '../core/errors.ts'
import { blockBytesMax } from './limits.ts'
import {
  type BlockHeader,
  blockHeaderBytes,
  type IndexedBlock,
  indexTrailerBytes,
  readBlockHeader,
  readIndexTrailer,
  readSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentVersion
} from './segment-format.ts'
import { isCount, isListOf, isMicros, isShape, jsonOf } from './shape.ts'

const decompress = promisify(brotliDecompress)
const indexBytesMax = 64 * 1024 * 1024

/** Reads one segment file. One that was not closed has no index; its blocks are then found one after the other. */
export class SegmentReader {
  readonly path: string
  readonly header: SegmentHeader | null
  /** The whole blocks of the file, in their order. */
  readonly blocks: readonly Omit<IndexedBlock, 'connections'>[]
  /** Whether the capture of the thread ends with this segment, or goes on in another, which is there. */
  readonly isLast: boolean
  /** Why the file ends before its end, in a sentence; null when it does not. */
  readonly torn: string | null
  readonly #handle: FileHandle

  private constructor(
    path: string,
    handle: FileHandle,
    header: SegmentHeader | null,
    found: Pick<SegmentReader, 'blocks' | 'torn' | 'isLast'>
  ) {
    this.path = path
    this.header = header
    this.blocks = found.blocks
    this.torn = found.torn
    this.isLast = found.isLast
    this.#handle = handle
  }

  /** @throws IngestError FILE_UNREADABLE when the file cannot be read or is not a segment of this version */
  static async open(path: string): Promise<SegmentReader> {
    const handle = await openFile(path)
    try {
      const header = readSegmentHeader(await readAt(handle, 0, segmentHeaderBytes))
      if (header === 'foreign') {
        throw new IngestError('FILE_UNREADABLE', `${path} is not a segment of a capture.`)
      }
      if (header === 'torn') {
        return new SegmentReader(path, handle, null, {
          blocks: [],
          torn: 'its header is torn off',
          isLast: false
        })
      }
      if ('otherVersion' in header) {
        throw new IngestError(
          'FILE_UNREADABLE',
          `${path} is of version ${header.otherVersion} of the capture format; this build reads ${segmentVersion}.`
        )
      }
      const { size } = await handle.stat()
      const indexed = await readIndex(handle, size)
      return new SegmentReader(path, handle, header, indexed ?? (await findBlocks(handle, size)))
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get firstMicros(): number {
    return Math.min(Infinity, ...this.blocks.map(block => block.firstMicros))
  }
  get lastMicros(): number {
    return Math.max(0, ...this.blocks.map(block => block.lastMicros))
  }

  /** The entries of a block; null when its content is not what was written. */
  async read(block: SegmentReader['blocks'][number]): Promise<Buffer | null> {
    const bytes = await readAt(this.#handle, block.offset, blockHeaderBytes + block.bytes)
    const header = readBlockHeader(bytes.subarray(0, blockHeaderBytes))
    const content = bytes.subarray(blockHeaderBytes)
    if (header === null || content.length !== header.bytes || crc32(content) !== header.crc) return null
    try {
      const raw = await decompress(content, { maxOutputLength: blockBytesMax })
      return raw.length === header.rawBytes ? raw : null
    } catch {
      return null
    }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // Whoever opens a pipe waits until somebody writes into it.
    if (!(await stat(path)).isFile()) throw new RangeError('it is no ordinary file')
    return await open(path, 'r')
  } catch (error) {
    throw new IngestError('FILE_UNREADABLE', `${path} cannot be read: ${(error as Error).message}.`)
  }
}

async function readIndex(
  handle: FileHandle,
  size: number
): Promise<{
  readonly blocks: readonly IndexedBlock[]
  readonly torn: null
  readonly isLast: boolean
} | null> {
  if (size < segmentHeaderBytes + indexTrailerBytes) return null
  const trailer = readIndexTrailer(await readAt(handle, size - indexTrailerBytes, indexTrailerBytes))
  if (trailer === null || trailer.bytes > Math.min(indexBytesMax, size - indexTrailerBytes)) return null
  const body = await readAt(handle, size - indexTrailerBytes - trailer.bytes, trailer.bytes)
  if (crc32(body) !== trailer.crc) return null
  const index = jsonOf(body.toString('utf8'))
  const end = size - indexTrailerBytes - trailer.bytes
  // Whoever wrote such an index, the blocks have headers and checksums of their own: they are looked for.
  if (!isShape(index) || !isListOf(index['blocks'], (block): block is IndexedBlock => isBlock(block, end))) {
    return null
  }
  return { blocks: index['blocks'], torn: null, isLast: index['isLast'] === true }
}

function isBlock(value: unknown, end: number): value is IndexedBlock {
  if (!isShape(value)) return false
  const { offset, bytes, rawBytes, entries, firstMicros, lastMicros } = value
  return (
    [offset, bytes, rawBytes, entries].every(isCount) &&
    (offset as number) + blockHeaderBytes + (bytes as number) <= end &&
    isMicros(firstMicros) &&
    isMicros(lastMicros)
  )
}

/** Goes from header to header. The content of the last block is looked at as well, since it is the one that may be torn. */
async function findBlocks(
  handle: FileHandle,
  size: number
): Promise<Pick<SegmentReader, 'blocks' | 'torn' | 'isLast'>> {
  const blocks: (Omit<BlockHeader, 'crc'> & { readonly offset: number })[] = []
  let offset = segmentHeaderBytes
  while (offset < size) {
    const header = readBlockHeader(await readAt(handle, offset, blockHeaderBytes))
    if (header === null || offset + blockHeaderBytes + header.bytes > size) break
    const { crc, ...facts } = header
    const end = offset + blockHeaderBytes + header.bytes
    if (end === size && crc32(await readAt(handle, offset + blockHeaderBytes, header.bytes)) !== crc) break
    blocks.push({ ...facts, offset })
    offset = end
  }
  const left = size - offset
  const torn =
    left === 0
      ? 'it was not closed'
      : `it was not closed, and its last ${left} bytes are no whole block and are left out`
  return { blocks, torn, isLast: false }
}

async function readAt(handle: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes)
  let read = 0
  while (read < bytes) {
    const { bytesRead } = await handle.read(buffer, read, bytes - read, at + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return buffer.subarray(0, read)
}
