import { type TableCode } from '../exchange-kit/compile.ts'
import { FrameFault } from '../exchange-kit/frame-fault.ts'
import { afterToken, TapeError, TokenKind, tokenize } from '../exchange-kit/tape.ts'
import { Workspace } from '../exchange-kit/workspace.ts'
import { FrameBatch, FrameKind } from '../wire/frame-batch.ts'
import { FrameOutcome, type FrameReason, RecordBatch } from '../wire/record-batch.ts'
import { type CodecContext } from './context.ts'
import { isAliveFrame, isControlFrame } from './control-frame.ts'
import { toJsonValues } from './json-values.ts'
import { type Plan, Plans, type ResolveInstrument } from './plan.ts'

/** Values of one frame may not grow beyond this (an exponent is expanded, so a frame can become larger than it was). */
const frameValuesMax = 64 * 1024 * 1024

/** Outcomes of a frame that is well-formed but holds nothing for the target; they continue FrameFault's numbers. */
const ignoredKind = -6
const ignoredProtocol = -7
const valuesLost = -8
const crashed = -9
/** The frame was a checksum, which stands in the workspace. */
const checksumFound = -10

export interface TranscoderOptions {
  /** Instruments of symbols that are not subscribed (`decode` has no subscriptions); the default knows none. */
  readonly resolve?: ResolveInstrument
}

/**
 * From frames to records. The same batch and context always give the same answer; what is kept between calls is memory and
 * compiled code. One transcoder belongs to one thread.
 */
export interface Transcoder {
  /**
   * @param progress cell `[batch number, frame row]` on shared memory, written before each frame: a hang or crash of the
   *   thread names its frame
   * @returns a record batch; every frame of the batch has its outcome in it
   */
  transcode(batch: ArrayBuffer, context: CodecContext, progress?: Int32Array): ArrayBuffer
  /** The same for a reader on this thread, who is done with it before the next call: the batch is not copied out. */
  transcodeInPlace(batch: ArrayBuffer, context: CodecContext): RecordBatch
}

export function createTranscoder(options: TranscoderOptions = {}): Transcoder {
  return new WorkspaceTranscoder(options)
}

class WorkspaceTranscoder implements Transcoder {
  readonly #workspace = new Workspace()
  readonly #plans: Plans

  constructor(options: TranscoderOptions) {
    this.#plans = new Plans(options.resolve ?? null)
  }

  transcode(buffer: ArrayBuffer, context: CodecContext, progress?: Int32Array): ArrayBuffer {
    const frames = new FrameBatch(buffer)
    this.#frames(frames, context, progress)
    const { batch, out, at } = this.#workspace
    const records = batch.finish(frames.connection, frames.batchNumber, out.subarray(0, at))
    return context.encoding.format === 'json'
      ? toJsonValues(records, context.connection.target.request_type)
      : records
  }

  transcodeInPlace(buffer: ArrayBuffer, context: CodecContext): RecordBatch {
    if (context.encoding.format === 'json') return new RecordBatch(this.transcode(buffer, context))
    const frames = new FrameBatch(buffer)
    this.#frames(frames, context)
    const { batch, out } = this.#workspace
    return batch.inPlace(frames.connection, frames.batchNumber, out)
  }

  #frames(frames: FrameBatch, context: CodecContext, progress?: Int32Array): void {
    const plan = this.#plans.planOf(context)
    const workspace = this.#workspace
    workspace.context = plan.symbols
    workspace.at = 0
    workspace.batch.reset()
    let frameMax = 0
    for (let row = 0; row < frames.frames; row++)
      frameMax = Math.max(frameMax, frames.end(row) - frames.start(row))
    workspace.fitFrames(frames.bytes.length, frameMax)
    workspace.bytes.set(frames.bytes)
    for (let row = 0; row < frames.frames; row++) {
      if (progress !== undefined) {
        progress[0] = frames.batchNumber
        progress[1] = row
      }
      this.#frame(frames, row, plan)
    }
  }

  #frame(frames: FrameBatch, row: number, plan: Plan): void {
    const workspace = this.#workspace
    const start = frames.start(row)
    const end = frames.end(row)
    workspace.receivedMicros = frames.receivedMicros(row)
    workspace.frameSeq = frames.frameSeq(row)
    workspace.guess = frames.subscription(row)
    if (workspace.guess >= plan.symbols.prefixes.length) workspace.guess = -1
    workspace.found = -1
    if (frames.kind(row) === FrameKind.poisoned) {
      this.#close(FrameOutcome.dead, 'codec failed', 0)
      return
    }
    if (frames.kind(row) === FrameKind.garbled) {
      this.#close(FrameOutcome.dead, 'not decompressible', 0)
      return
    }
    const length = tokenize(workspace.bytes, start, end, frames.bytes.length, workspace.tape)
    const isSnapshot = frames.kind(row) === FrameKind.snapshot
    if (length < 0) {
      const isAlive = !isSnapshot && isAliveFrame(plan.adapter, workspace.bytes, start, end)
      return isAlive
        ? this.#close(FrameOutcome.control, 'none', 0)
        : this.#close(FrameOutcome.dead, reasonOfTape(length), 0)
    }
    const records = workspace.batch.records
    const status = this.#records(plan, isSnapshot, end - start)
    if (status > 0) {
      this.#close(FrameOutcome.transcoded, 'none', status)
      return
    }
    workspace.batch.rollback(records)
    switch (status) {
      case checksumFound:
        this.#close(FrameOutcome.control, 'none', 0)
        return workspace.batch.frameChecksum(workspace.checksum)
      case ignoredKind:
        return this.#close(FrameOutcome.ignored, 'kind', 0)
      case ignoredProtocol:
        return this.#close(FrameOutcome.ignored, 'unsupported protocol', 0)
      case FrameFault.empty:
        return this.#close(FrameOutcome.ignored, 'empty', 0)
      case FrameFault.symbol:
        return this.#close(FrameOutcome.ignored, 'symbol', 0)
      case FrameFault.missing:
        return this.#close(FrameOutcome.dead, 'field missing', 0)
      case FrameFault.invalid:
        return this.#close(FrameOutcome.dead, 'field invalid', 0)
      case valuesLost:
        return this.#close(FrameOutcome.dead, 'oversized', 0)
      case crashed:
        return this.#close(FrameOutcome.dead, 'codec failed', 0)
      default: {
        const isControl = !isSnapshot && isControlFrame(plan.adapter, workspace.bytes, start, end)
        return isControl
          ? this.#close(FrameOutcome.control, 'none', 0)
          : this.#close(FrameOutcome.dead, 'unknown', 0)
      }
    }
  }

  /**
   * Runs the tables; when the values did not fit, once more with more room, since writes past the end of a typed array are
   * dropped in silence (and those of a DataView throw a RangeError).
   */
  #records(plan: Plan, isSnapshot: boolean, frameBytes: number): number {
    const workspace = this.#workspace
    const { at } = workspace
    const { records } = workspace.batch
    workspace.fitValues(4 * frameBytes + 4096)
    for (;;) {
      let status: number
      workspace.frameIndex = 0
      try {
        status = runTables(workspace, plan, isSnapshot)
      } catch (error) {
        status = error instanceof RangeError ? valuesLost : crashed
      }
      const isWhole = workspace.at <= workspace.valuesEnd
      if (status !== valuesLost && isWhole) {
        if (status <= 0) workspace.at = at
        return status
      }
      workspace.at = at
      workspace.batch.rollback(records)
      const room = workspace.out.length - at
      if (room > frameValuesMax) return valuesLost
      workspace.fitValues(2 * room)
    }
  }

  #close(outcome: FrameOutcome, reason: FrameReason, records: number): void {
    const { batch, receivedMicros, frameSeq, found, guess } = this.#workspace
    batch.frame(receivedMicros, frameSeq, outcome, reason, records, found >= 0 ? found : guess)
  }
}

function runTables(workspace: Workspace, plan: Plan, isSnapshot: boolean): number {
  const own = isSnapshot ? plan.tables.snapshot : plan.tables.stream
  const { tape } = workspace
  if (tape[0] !== TokenKind.array || plan.adapter.listFrames !== true) return runOn(workspace, own, plan, 0)
  let records = 0
  let nothing: number = FrameFault.empty
  const end = tape[2]!
  for (let base = 3; base < end; base = afterToken(tape, base)) {
    const status = runOn(workspace, own, plan, base)
    if (status > 0) records += status
    else if (isFault(status)) return status
    else nothing = status
  }
  return records > 0 ? records : nothing
}

function runOn(workspace: Workspace, own: readonly TableCode[], plan: Plan, base: number): number {
  for (let i = 0; i < own.length; i++) {
    const status = own[i]!(workspace, base)
    if (status !== FrameFault.noMatch) return status
  }
  const { checksums, others } = plan.tables
  for (let i = 0; i < checksums.length; i++) {
    const status = checksums[i]!(workspace, base)
    if (status !== FrameFault.noMatch) return status === 0 ? checksumFound : status
  }
  for (let i = 0; i < others.length; i++) {
    const other = others[i]!
    if (other.match(workspace, base) === FrameFault.noMatch) continue
    if (other.reason === 'empty') return FrameFault.empty
    return other.reason === 'kind' ? ignoredKind : ignoredProtocol
  }
  return FrameFault.noMatch
}

function isFault(status: number): boolean {
  return status === FrameFault.noMatch || status === FrameFault.missing || status === FrameFault.invalid
}

function reasonOfTape(code: number): FrameReason {
  switch (code) {
    case TapeError.malformed:
      return 'malformed json'
    case TapeError.invalidUtf8:
      return 'invalid utf-8'
    case TapeError.tooDeep:
      return 'nested too deep'
    default:
      return 'codec failed'
  }
}
