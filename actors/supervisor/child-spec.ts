import { type IngestError } from '../../src/core/errors.ts'

/** permanent: always restarted. transient: restarted after a failure only. temporary: never restarted. */
export type RestartKind = 'permanent' | 'transient' | 'temporary'

/** Why a child is no more; null when it ended because it was asked to. */
export type ExitReason = IngestError | null

/** A child that runs. */
export interface Child {
  /** Resolves once, when the child is gone for whatever reason. */
  readonly exited: Promise<ExitReason>
  /** Asks the child to end, and ends it by force at the deadline. Calling it twice is harmless. */
  stop(deadlineMs: number): Promise<void>
}

/** What a supervisor must know of a child, after OTP's child specification. */
export interface ChildSpec {
  readonly id: string
  readonly restart: RestartKind
  readonly shutdownMs: number
  /** Starts the child (again) and resolves when it is ready. */
  start(): Promise<Child>
}
