import { inspect } from 'node:util'

/** What the supervisor does about an error: the code table is the supervision policy. */
export type Disposition = 'drop' | 'reconnect' | 'restart' | 'quarantine' | 'exit'

/** Every error of the service. Each code is explained in `docs/errors.md`. */
export const errorTable = {
  USAGE: { disposition: 'exit', summary: 'The command line is wrong.' },
  CONFIG_INVALID: { disposition: 'exit', summary: 'The configuration does not match its schema.' },
  FILE_UNREADABLE: { disposition: 'exit', summary: 'A file named by the user cannot be read.' },
  TARGET_INVALID: { disposition: 'exit', summary: 'A target cannot be understood.' },
  ADDRESS_IN_USE: { disposition: 'exit', summary: 'A port or socket path is taken or cannot be used.' },
  SCHEMA_INVALID: {
    disposition: 'exit',
    summary: 'A schema does not match the code, or may not follow the one before it.'
  },
  REGISTRY_UNAVAILABLE: {
    disposition: 'exit',
    summary: 'The schema registry does not answer, or not as one.'
  },
  SERVICE_UNREACHABLE: { disposition: 'drop', summary: 'No running service answers on the admin socket.' },
  FRAME_MALFORMED: { disposition: 'drop', summary: 'A frame is not valid JSON in valid UTF-8.' },
  FRAME_UNEXPECTED: {
    disposition: 'drop',
    summary: "A frame does not match its exchange's documented shape."
  },
  FRAME_OVERSIZED: { disposition: 'reconnect', summary: 'A frame is larger than limits.frameBytesMax.' },
  FRAME_UNKNOWN: { disposition: 'drop', summary: 'A well-formed frame is of no kind the adapter knows.' },
  SYMBOL_UNKNOWN: { disposition: 'drop', summary: 'The exchange does not list a symbol.' },
  SYMBOL_REJECTED: { disposition: 'drop', summary: 'The exchange refused a subscription.' },
  SYMBOL_UNCONFIRMED: {
    disposition: 'drop',
    summary: 'The exchange did not confirm a subscription in time.'
  },
  SOCKET_FAILED: {
    disposition: 'reconnect',
    summary: 'A connection to an exchange could not be made or broke.'
  },
  SOCKET_STALE: { disposition: 'reconnect', summary: 'A connection went silent beyond its watchdog.' },
  HANDSHAKE_REFUSED: { disposition: 'reconnect', summary: 'The exchange refused the WebSocket handshake.' },
  VENUE_ERROR: { disposition: 'drop', summary: 'An exchange sent an error that names no request of ours.' },
  LISTING_FAILED: {
    disposition: 'drop',
    summary: "The list of an exchange's instruments could not be fetched."
  },
  LISTING_STALE: {
    disposition: 'drop',
    summary: "The list of an exchange's instruments could not be fetched; an old one from the disk is used."
  },
  LISTING_CACHE: {
    disposition: 'drop',
    summary: "The list of an exchange's instruments could not be kept on disk, or what is kept is broken."
  },
  BREAKER_OPEN: {
    disposition: 'reconnect',
    summary: 'The circuit of an exchange is open after repeated failures.'
  },
  SNAPSHOT_FAILED: { disposition: 'drop', summary: 'A book snapshot could not be fetched.' },
  FRAMES_LOST: {
    disposition: 'reconnect',
    summary: 'Frames of a connection are missing by the numbers its exchange gives them.'
  },
  BOOK_BROKEN: { disposition: 'drop', summary: 'A book lost an update and is being rebuilt.' },
  LIMIT_HIT: { disposition: 'drop', summary: 'A named limit was reached.' },
  SINK_UNAVAILABLE: {
    disposition: 'drop',
    summary: 'The sink does not take records; they wait in the buffer.'
  },
  TOPIC_UNFIT: { disposition: 'drop', summary: 'A Kafka topic is missing or is not as planned.' },
  RECORD_UNDELIVERED: { disposition: 'drop', summary: 'A record could not be delivered.' },
  CAPTURE_STOPPED: {
    disposition: 'drop',
    summary: 'A capture could not be written any more; the data goes on.'
  },
  THREAD_EXITED: { disposition: 'restart', summary: 'A worker thread ended without being asked to.' },
  RESTARTS_EXHAUSTED: { disposition: 'exit', summary: 'A child used up its restart window.' },
  SIMULATOR_FAILED: {
    disposition: 'exit',
    summary: 'The simulated exchanges could not be started or ended early.'
  },
  INTERNAL: { disposition: 'restart', summary: 'Something happened that the code does not expect.' }
} as const satisfies Record<string, { disposition: Disposition; summary: string }>

export type ErrorCode = keyof typeof errorTable

/** An operating error. The message says what, where and what to do. */
export class IngestError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'IngestError'
    this.code = code
  }

  get disposition(): Disposition {
    return errorTable[this.code].disposition
  }
}

/** An error as plain data: `structuredClone` would drop the code and the class. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly stack: string | null
}

/** Total: anything thrown becomes an IngestError; what is not one is INTERNAL with its cause. */
export function asIngestError(error: unknown): IngestError {
  if (error instanceof IngestError) return error
  // `inspect`, since `String` itself throws on an object without a prototype.
  const message = error instanceof Error ? error.message : typeof error === 'string' ? error : inspect(error)
  return new IngestError('INTERNAL', message, { cause: error })
}

export function toWire(error: unknown): WireError {
  const known = asIngestError(error)
  const stack = known.cause instanceof Error ? (known.cause.stack ?? null) : (known.stack ?? null)
  return { code: known.code, message: known.message, stack }
}

export function fromWire(wire: WireError): IngestError {
  const error = new IngestError(wire.code, wire.message)
  if (wire.stack !== null) error.stack = wire.stack
  return error
}
