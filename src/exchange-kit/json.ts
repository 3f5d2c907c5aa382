import { IngestError } from '../core/errors.ts'
import { type JsonValue } from './json-value.ts'
import { afterToken, describeTapeError, TokenKind, tapeIntsMax, tokenInts, tokenize } from './tape.ts'

/**
 * Parses a control frame or a REST body: the same tape as for data frames, turned into objects. Numbers are the text
 * the venue sent. Objects have no prototype, so that neither a key such as `__proto__` nor a look-up of a key that is
 * not there ever touches one; of equal keys the last wins. Throws FRAME_MALFORMED.
 */
export function parseJson(bytes: Uint8Array, start: number, end: number): JsonValue {
  // Decoded escapes need a tail behind the text, so the text moves to a workspace: it may lie in a shared batch.
  const length = end - start
  const workspace = new Uint8Array(length * 2)
  workspace.set(bytes.subarray(start, end))
  const tape = new Int32Array(tapeIntsMax(length))
  const used = tokenize(workspace, 0, length, length, tape)
  if (used < 0) throw new IngestError('FRAME_MALFORMED', `${length} bytes are ${describeTapeError(used)}`)
  return valueAt(Buffer.from(workspace.buffer), tape, 0)
}

/** Recursive: the tokenizer has already refused what is nested too deep. */
function valueAt(text: Buffer, tape: Int32Array, index: number): JsonValue {
  switch (tape[index] as TokenKind) {
    case TokenKind.object: {
      const object = Object.create(null) as Record<string, JsonValue>
      const end = tape[index + 2]!
      for (let key = index + tokenInts; key < end; ) {
        const value = key + tokenInts
        object[textAt(text, tape, key)] = valueAt(text, tape, value)
        key = afterToken(tape, value)
      }
      return object
    }
    case TokenKind.array: {
      const array: JsonValue[] = []
      const end = tape[index + 2]!
      for (let item = index + tokenInts; item < end; item = afterToken(tape, item)) {
        array.push(valueAt(text, tape, item))
      }
      return array
    }
    case TokenKind.true:
      return true
    case TokenKind.false:
      return false
    case TokenKind.null:
      return null
    case TokenKind.key:
    case TokenKind.string:
    case TokenKind.number:
    case TokenKind.exponent:
      return textAt(text, tape, index)
  }
}

function textAt(text: Buffer, tape: Int32Array, index: number): string {
  return text.toString('utf8', tape[index + 1], tape[index + 2])
}
