import { gunzipSync } from 'node:zlib'
import { IngestError } from '../core/errors.ts'

/**
 * Inflates a frame that the venue itself compressed with gzip. The bound is on the output, since a few kilobytes can
 * inflate to gigabytes: a larger frame is FRAME_OVERSIZED, and one that is no gzip stream or was cut short is
 * FRAME_MALFORMED. The error is returned, not thrown: a bad frame is an ordinary event here.
 */
export function inflate(frame: Uint8Array, outputBytesMax: number): Uint8Array | IngestError {
  try {
    const inflated = gunzipSync(frame, { maxOutputLength: outputBytesMax })
    // A plain Uint8Array: code that sees both it and Buffer runs slower for both.
    return new Uint8Array(inflated.buffer, inflated.byteOffset, inflated.byteLength)
  } catch (error) {
    if (isErrorWithCode(error) && error.code === 'ERR_BUFFER_TOO_LARGE') {
      const message = `a frame of ${frame.length} bytes inflates to more than ${outputBytesMax} bytes`
      return new IngestError('FRAME_OVERSIZED', message, { cause: error })
    }
    const message = `a frame of ${frame.length} bytes is not a complete gzip stream`
    return new IngestError('FRAME_MALFORMED', message, { cause: error })
  }
}

function isErrorWithCode(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
