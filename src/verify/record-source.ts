import { type KafkaAccess } from '../bus/kafka-client.ts'
import { type RegistryAccess } from '../bus/registry-http.ts'

/** Where the check reads the records from. */
export type CheckSource =
  | { readonly kind: 'embedded'; readonly socket: string }
  | {
      readonly kind: 'kafka'
      /** With its secrets: a source travels over a socket that is its owner's, and is never logged. */
      readonly access: KafkaAccess
      readonly topics: readonly string[]
      /** Who knows the schemas behind the ids in the records; null: `schemas/ids.json`. */
      readonly registry: RegistryAccess | null
    }

/** Takes one record; the bytes are only valid during the call. */
export type RecordTaker = (topic: string, key: string, bytes: Buffer, start: number, end: number) => void

/** Called before a value is taken: a promise to wait for first, or null. */
export type ValuePreparer = (value: Uint8Array) => Promise<void> | null

/** Reads what is written to a sink, from the moment it is attached, without loss. */
export interface RecordReader {
  /** Resolves when nothing that is written from now on can be missed. */
  attach(): Promise<void>
  /** Reads to the source's end. @throws IngestError SINK_UNAVAILABLE when the end does not come within the deadline */
  finish(deadlineMs: number): Promise<void>
  close(): Promise<void>
}
