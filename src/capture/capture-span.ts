import { SegmentReader } from './segment-reader.ts'

export interface CaptureSpan {
  /** Times of the first and the last entry in microseconds since the epoch. */
  readonly firstMicros: number
  readonly lastMicros: number
}

/**
 * From when to when a capture goes; null when there is no entry in it.
 * @param threads paths of the segments of each thread, the oldest first
 * @throws IngestError FILE_UNREADABLE
 */
export async function spanOf(threads: readonly (readonly string[])[]): Promise<CaptureSpan | null> {
  let [firstMicros, lastMicros] = [Infinity, 0]
  for (const paths of threads) {
    const first = await firstWithBlocks(paths)
    const last = await firstWithBlocks([...paths].reverse())
    if (first === null || last === null) continue
    firstMicros = Math.min(firstMicros, first.firstMicros)
    lastMicros = Math.max(lastMicros, last.lastMicros)
  }
  return lastMicros === 0 ? null : { firstMicros, lastMicros }
}

/** A segment may have been torn off before its first block. */
async function firstWithBlocks(paths: readonly string[]): Promise<CaptureSpan | null> {
  for (const path of paths) {
    const segment = await SegmentReader.open(path)
    const { firstMicros, lastMicros, blocks } = segment
    await segment.close()
    if (blocks.length > 0) return { firstMicros, lastMicros }
  }
  return null
}
