import { type Disposition, type ErrorCode } from '../core/errors.ts'
import { type Target } from './target.ts'

/** One error as it is published on `ws.error`; `ts` is milliseconds since the epoch. */
export interface ErrorEvent {
  readonly code: ErrorCode
  readonly disposition: Disposition
  readonly message: string
  /** The thread that met it. */
  readonly actor: string
  readonly target: Target | null
  readonly connection_id: string | null
  /** Errors of this code that were counted but not published since the last one. */
  readonly suppressed: number
  readonly ts: number
}
