/** Bounds of a capture, for each connection thread. */
export interface CaptureLimits {
  /** Entries are compressed in blocks of about this size, before compression. */
  readonly blockBytes: number
  /** A block is closed after this time even when it is not full: what a kill may lose. */
  readonly blockMs: number
  /** A segment file is closed, and the next one begun, after this much raw data or this time. */
  readonly segmentBytes: number
  readonly segmentMs: number
  /** Raw bytes that may wait for compression and for the disk; beyond that frames are left out of the capture. */
  readonly bufferedBytes: number
  /** What facts may take on top of it. Without facts frames cannot be replayed: beyond this the capture ends. */
  readonly factBytes: number
}

export const captureLimits: CaptureLimits = {
  blockBytes: 256 * 1024,
  blockMs: 1_000,
  segmentBytes: 64 * 1024 * 1024,
  segmentMs: 60_000,
  bufferedBytes: 32 * 1024 * 1024,
  factBytes: 16 * 1024 * 1024
}

/** A block of a file is never larger than this: one entry is at most a frame or a REST body of 64 MiB. */
export const blockBytesMax = 128 * 1024 * 1024

/** The capture of one connection thread. */
export interface CapturePlan {
  readonly folder: string
  /** The number of the thread in the names of its files. */
  readonly thread: number
  readonly limits: CaptureLimits
}
