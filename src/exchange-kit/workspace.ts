import { RecordBatchWriter } from '../wire/record-batch-writer.ts'
import { SymbolTable } from './symbol-table.ts'
import { tapeIntsMax } from './tape.ts'

/** Digits are copied as 32-bit words, which may touch up to three bytes behind a text. */
const slack = 8
const noBytes = new Uint8Array(0)

/** What the compiled tables need to know of the symbols of one connection. */
export interface SymbolContext {
  readonly symbols: SymbolTable
  /** Venue channel numbers (as text) to subscription indices. */
  readonly channels: SymbolTable
  /** By subscription index: Confluent header, exchange, region, symbol and native symbol, ready to copy. */
  readonly prefixes: readonly Uint8Array[]
  /** `connection_id` with its length, ready to copy. */
  readonly connectionId: Uint8Array
  /** Called for a name that is in no table; -1 when it stays unknown. */
  unknownSymbol(bytes: Uint8Array, start: number, end: number): number
}

/**
 * The memory in which frames become records; one per thread, reused for every batch. Compiled tables and writers reach
 * everything through it. Fields are public and plain because they are read for every field of every record.
 */
export class Workspace {
  /** Raw frames, with room behind them into which escapes are decoded. */
  bytes = new Uint8Array(1024)
  source = new DataView(this.bytes.buffer)
  tape = new Int32Array(tapeIntsMax(1024))
  /** Encoded values of the batch; `at` is the end of what is finished. */
  out = new Uint8Array(64 * 1024)
  target = new DataView(this.out.buffer)
  at = 0
  /** Pairs of tape indices: price and size of each level. */
  bids = new Int32Array(1024)
  asks = new Int32Array(1024)
  /** Tape indices of a list's elements, for lists that are read from their end. */
  items = new Int32Array(1024)
  readonly batch = new RecordBatchWriter()
  context: SymbolContext = noContext

  /** Facts of the frame at hand. */
  receivedMicros = 0
  frameSeq = 0
  /** Position of the next event in its frame. */
  frameIndex = 0
  /** The subscription that the connection saw when it peeked at the frame, or -1. */
  guess = -1
  /** The subscription of the last event found, or -1. */
  found = -1
  /** What the last frame that was a checksum said, as a signed 32-bit integer. */
  checksum = 0

  /** Makes room for so many bytes of frames, the longest of which has `frameMax` bytes. */
  fitFrames(length: number, frameMax: number): void {
    const needed = length + frameMax + slack
    if (needed > this.bytes.length) {
      this.bytes = new Uint8Array(Math.max(needed, this.bytes.length * 2))
      this.source = new DataView(this.bytes.buffer)
    }
    const ints = tapeIntsMax(frameMax)
    if (ints > this.tape.length) {
      // Untouched pages of a large array cost address space, not memory.
      this.tape = new Int32Array(Math.max(ints, this.tape.length * 2))
      this.bids = new Int32Array(this.tape.length >> 1)
      this.asks = new Int32Array(this.tape.length >> 1)
      this.items = new Int32Array(this.tape.length >> 1)
    }
  }

  /** Makes room for so many bytes of values behind `at`. */
  fitValues(length: number): void {
    const needed = this.at + length + slack
    if (needed <= this.out.length) return
    const grown = new Uint8Array(Math.max(needed, this.out.length * 2))
    grown.set(this.out.subarray(0, this.at))
    this.out = grown
    this.target = new DataView(grown.buffer)
  }

  /** Where values must end so that no write was lost: writes past the end of a typed array are dropped in silence. */
  get valuesEnd(): number {
    return this.out.length - slack
  }
}

const noContext: SymbolContext = {
  symbols: new SymbolTable(),
  channels: new SymbolTable(),
  prefixes: [],
  connectionId: noBytes,
  unknownSymbol: () => -1
}
