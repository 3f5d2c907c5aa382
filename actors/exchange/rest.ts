import { type Clock } from '../../src/core/clock.ts'
import { retryAfterMs } from './socket.ts'

export interface RestRequest {
  readonly url: string
  readonly timeoutMs: number
  readonly bodyBytesMax: number
  readonly clock: Clock
  /** Ends the request when it aborts, with an answer that has failed; null where nothing does. */
  readonly signal: AbortSignal | null
}

export type RestAnswer =
  | {
      readonly type: 'body'
      readonly bytes: Uint8Array
      /** The `Date` header, milliseconds since the epoch in whole seconds; left out where the server sent none. */
      readonly dateMs?: number
    }
  | {
      readonly type: 'failed'
      readonly message: string
      /** Null when no HTTP answer came. */
      readonly status: number | null
      readonly retryAfterMs: number | null
    }

export type Rest = (request: RestRequest) => Promise<RestAnswer>

/** A bounded GET: in time, in size, without redirects. Never rejects; a failure is an ordinary answer. */
export const fetchRest: Rest = async request => {
  let status: number | null = null
  // Not `AbortSignal.any`: of a signal that lives as long as the service it keeps something for every request.
  const aborter = new AbortController()
  const abort = (): void => aborter.abort(new RangeError('it is not wanted any more'))
  const timer = setTimeout(() => aborter.abort(new RangeError('no answer in time')), request.timeoutMs)
  request.signal?.addEventListener('abort', abort)
  if (request.signal?.aborted === true) abort()
  try {
    const response = await fetch(request.url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: aborter.signal
    })
    status = response.status
    if (!response.ok || response.body === null) {
      await response.body?.cancel()
      return {
        type: 'failed',
        message: `HTTP status ${status}`,
        status,
        retryAfterMs: retryAfterMs(response.headers.get('retry-after') ?? undefined, request.clock)
      }
    }
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      length += chunk.length
      if (length > request.bodyBytesMax) {
        return failed(`the body is larger than ${request.bodyBytesMax} bytes`, status)
      }
      chunks.push(chunk)
    }
    const bytes = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    const dateMs = Date.parse(response.headers.get('date') ?? '')
    return Number.isNaN(dateMs) ? { type: 'body', bytes } : { type: 'body', bytes, dateMs }
  } catch (error) {
    return failed(reasonOf(error), status)
  } finally {
    clearTimeout(timer)
    request.signal?.removeEventListener('abort', abort)
  }
}

function failed(message: string, status: number | null): RestAnswer {
  return { type: 'failed', message, status, retryAfterMs: null }
}

/** `fetch` says only "fetch failed"; what failed is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message
}
