import { type Clock } from '../core/clock.ts'
import { asIngestError, IngestError } from '../core/errors.ts'
import { EntryKind, EntryWriter, entryHeaderBytes } from './entry.ts'
import { type CaptureLimits, type CapturePlan } from './limits.ts'
import { compressBlock, type SealedBlock, SegmentFile } from './segment-file.ts'

/** Blocks that are compressed at once: the one that is written next, and the one after it. */
const compressedAhead = 2
const nothing = new Uint8Array(0)

interface WaitingBlock extends SealedBlock {
  readonly segment: number
  readonly createdMicros: number
  content: Promise<Buffer> | null
}

/** What a capture of one thread has done so far. */
export interface CaptureStats {
  /** Frames and REST bodies, and their bytes. */
  readonly frames: number
  readonly rawBytes: number
  readonly segments: number
  readonly fileBytes: number
  /** Frames that were left out because writing could not keep up; the capture says where. */
  readonly dropped: number
  /** Why it ended before the service did; null when it did not. */
  readonly stopped: string | null
}

/**
 * Writes the entries of one thread to its segment files. The caller only copies into a block; blocks are compressed and
 * written behind it. It never throws and never makes its caller wait. At most `bufferedBytes` wait for the disk, and
 * `factBytes` of facts on top of them: a frame that finds no room is left out and counted, a fact that finds none ends the
 * capture, as a file does that cannot be written. Beside them two blocks may be there in their compressed form.
 */
export class CaptureWriter {
  readonly #folder: string
  readonly #thread: number
  readonly #clock: Clock
  readonly #limits: CaptureLimits
  readonly #events: { segmentBegun(): void; stopped(error: IngestError): void }
  readonly #block: EntryWriter
  readonly #waiting: WaitingBlock[] = []
  /** Frames left out since the last entry of each connection that was kept. */
  readonly #holes = new Map<number, number>()
  #waitingBytes = 0
  #segment = 0
  #segmentBytes = 0
  #segmentMicros = 0
  #isFresh = true
  #file: SegmentFile | null = null
  /** Of the open file: our number of it, and the one in its name, which is higher after a restart of the thread. */
  #fileSegment = -1
  #lastNumber = -1
  #pumping: Promise<void> | null = null
  #timer: unknown = null
  #isOpen = true
  #frames = 0
  #rawBytes = 0
  #segments = 0
  #closedBytes = 0
  #dropped = 0
  #stopped: string | null = null

  /** @param options `segmentBegun` is called before the first entry of each segment, and may write entries of its own */
  constructor(
    options: CapturePlan & {
      readonly clock: Clock
      readonly events: { segmentBegun(): void; stopped(error: IngestError): void }
    }
  ) {
    this.#folder = options.folder
    this.#thread = options.thread
    this.#clock = options.clock
    this.#limits = options.limits
    this.#events = options.events
    this.#block = new EntryWriter(options.limits.blockBytes)
    this.#awaitSeal()
  }

  get stats(): CaptureStats {
    return {
      frames: this.#frames,
      rawBytes: this.#rawBytes,
      segments: this.#segments,
      fileBytes: this.#closedBytes + (this.#file?.bytes ?? 0),
      dropped: this.#dropped,
      stopped: this.#stopped
    }
  }

  /** A frame or a REST body. While too much waits for the disk it is left out. */
  frame(kind: EntryKind, connection: number, detail: number, micros: number, body: Uint8Array): void {
    if (!this.#isOpen) return
    if (!this.#hasRoomFor(body.length, this.#limits.bufferedBytes)) {
      this.#dropped++
      this.#holes.set(connection, (this.#holes.get(connection) ?? 0) + 1)
      return
    }
    this.#frames++
    this.#rawBytes += body.length
    this.#keep(kind, connection, detail, micros, body)
  }

  /** Something without which the frames could not be replayed. */
  fact(
    kind: EntryKind,
    connection: number,
    detail: number,
    micros: number,
    body: Uint8Array = nothing
  ): void {
    if (!this.#isOpen) return
    const { bufferedBytes, factBytes } = this.#limits
    if (this.#hasRoomFor(body.length, bufferedBytes + factBytes)) {
      this.#keep(kind, connection, detail, micros, body)
      return
    }
    const message = `more than ${bufferedBytes + factBytes} bytes wait for the disk`
    this.#stop(new IngestError('CAPTURE_STOPPED', message))
  }

  /** Ends the capture as it is: what waits is let go. */
  giveUp(reason: string): void {
    this.#stop(new IngestError('CAPTURE_STOPPED', reason))
  }

  /** Writes what is left and closes the last segment. Calling it twice is harmless. */
  async close(): Promise<void> {
    if (this.#isOpen) {
      for (const connection of [...this.#holes.keys()]) this.#fill(connection, this.#clock.nowMicros())
      this.#seal()
    }
    this.#isOpen = false
    this.#clock.clearTimeout(this.#timer)
    await this.#pumping
    const file = this.#file
    this.#file = null
    if (file === null) return
    try {
      await file.finish(true)
    } catch (error) {
      this.#stop(error)
    }
    this.#closedBytes += file.bytes
  }

  #hasRoomFor(bodyBytes: number, bytesMax: number): boolean {
    return this.#waitingBytes + this.#block.bytes + entryHeaderBytes + bodyBytes <= bytesMax
  }

  #keep(kind: EntryKind, connection: number, detail: number, micros: number, body: Uint8Array): void {
    if (!this.#block.hasRoomFor(body.length)) this.#seal()
    if (this.#isFresh) this.#begin()
    if (this.#holes.size > 0) this.#fill(connection, micros)
    // What was written on the way may have found no room.
    if (this.#isOpen) this.#block.append(kind, connection, detail, micros, body)
  }

  #begin(): void {
    this.#isFresh = false
    this.#segmentBytes = 0
    this.#segmentMicros = this.#clock.nowMicros()
    this.#events.segmentBegun()
  }

  /** Says that frames of this connection are missing, in the place where they are. */
  #fill(connection: number, micros: number): void {
    const frames = this.#holes.get(connection)
    if (frames === undefined) return
    this.#holes.delete(connection)
    this.fact(EntryKind.hole, connection, frames, micros)
  }

  #awaitSeal(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#seal()
      this.#awaitSeal()
    }, this.#limits.blockMs)
  }

  #seal(): void {
    const block = this.#block
    if (block.entries === 0) return
    const raw = Buffer.from(block.content)
    const { entries, firstMicros, lastMicros, connections } = block
    block.clear()
    this.#waiting.push({
      raw,
      entries,
      firstMicros,
      lastMicros,
      connections,
      segment: this.#segment,
      createdMicros: this.#segmentMicros,
      content: null
    })
    this.#waitingBytes += raw.length
    this.#segmentBytes += raw.length
    const ageMicros = this.#clock.nowMicros() - this.#segmentMicros
    if (this.#segmentBytes >= this.#limits.segmentBytes || ageMicros >= this.#limits.segmentMs * 1000) {
      this.#segment++
      this.#isFresh = true
    }
    this.#pumping ??= this.#pump()
  }

  async #pump(): Promise<void> {
    try {
      for (let block = this.#waiting[0]; block !== undefined; block = this.#waiting[0]) {
        for (const ahead of this.#waiting.slice(0, compressedAhead)) ahead.content ??= compressBlock(ahead)
        await this.#write(block)
        if (this.#stopped !== null) return
        this.#waiting.shift()
        this.#waitingBytes -= block.raw.length
      }
    } catch (error) {
      this.#stop(error)
    } finally {
      this.#pumping = null
    }
  }

  async #write(block: WaitingBlock): Promise<void> {
    const content = await block.content!
    if (this.#stopped !== null) return
    const before = this.#file
    if (before !== null && block.segment !== this.#fileSegment) {
      await before.finish(false)
      if (this.#stopped !== null) return
      this.#closedBytes += before.bytes
      this.#file = null
    }
    if (this.#file === null) {
      const number = Math.max(block.segment, this.#lastNumber + 1)
      const file = await SegmentFile.create(this.#folder, this.#thread, number, block.createdMicros)
      this.#segments++
      if (this.#stopped !== null) {
        this.#closedBytes += file.bytes
        await file.abandon()
        return
      }
      this.#file = file
      this.#lastNumber = file.number
      this.#fileSegment = block.segment
    }
    await this.#file.append(block, content)
  }

  /** The service goes on without: what waits is let go. */
  #stop(cause: unknown): void {
    if (this.#stopped !== null) return
    this.#isOpen = false
    this.#clock.clearTimeout(this.#timer)
    const message = `the capture into ${this.#folder} has stopped: ${asIngestError(cause).message}; the data goes on`
    this.#stopped = message
    for (const { content } of this.#waiting) content?.catch(() => undefined)
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#holes.clear()
    this.#block.clear()
    this.#closedBytes += this.#file?.bytes ?? 0
    void this.#file?.abandon()
    this.#file = null
    this.#events.stopped(new IngestError('CAPTURE_STOPPED', message, { cause }))
  }
}
