import { type LogRoute } from './log-chunk.ts'

/** A producer's sink → embedded log, over a port of its own. Order on the port is the order in the log. */
export type ToLog =
  /** Routes that chunks after this may name. Their numbers are the producer's own. */
  | { readonly type: 'routes'; readonly routes: readonly LogRoute[] }
  | { readonly type: 'chunk'; readonly id: number; readonly buffer: ArrayBuffer }

/** Embedded log → producer's sink: the chunk is kept, and every attached checker is able to take it. */
export type FromLog = { readonly type: 'ack'; readonly id: number }

/** A record as `tail` sees it; the value is still encoded. */
export interface TailRecord {
  readonly partition: number
  readonly offset: number
  readonly timestampMicros: number
  readonly key: string
  readonly value: Uint8Array
}

/** Embedded log → reader of a tail. `skipped` records of the topic had left the log before the reader came to them. */
export type FromTail = {
  readonly type: 'records'
  readonly skipped: number
  readonly records: readonly TailRecord[]
}

/** Reader of a tail → embedded log: the last records were taken, more may come. */
export type ToTail = { readonly type: 'taken' }

/**
 * What the embedded log says over its verify socket: `u32le length of the body | u8 type | body`. `attached` comes first:
 * nothing that is written to the log from then on is missed. A route comes before the first chunk that names it.
 */
export const VerifyMessage = { attached: 0, route: 1, chunk: 2, end: 3 } as const
export const verifyHeaderBytes = 5
