/** Where the check reads the records from. */
export type CheckSource =
  | { readonly kind: 'embedded'; readonly socket: string }
  | { readonly kind: 'kafka'; readonly brokers: readonly string[]; readonly topics: readonly string[] }

/** Takes one record; the bytes are only valid during the call. */
export type RecordTaker = (topic: string, key: string, bytes: Buffer, start: number, end: number) => void

/** Reads what is written to a sink, from the moment it is attached, without loss. */
export interface RecordReader {
  /** Resolves when nothing that is written from now on can be missed. */
  attach(): Promise<void>
  /** Reads to the source's end. @throws IngestError SINK_UNAVAILABLE when the end does not come within the deadline */
  finish(deadlineMs: number): Promise<void>
  close(): Promise<void>
}
