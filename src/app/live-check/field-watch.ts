import { type RequestType } from '../../domain/target.ts'
import { type ExchangeAdapter, FrameClass, type Peeked } from '../../exchange-kit/adapter.ts'
import { compileMatcher, type TableCode } from '../../exchange-kit/compile.ts'
import { type RecordTable } from '../../exchange-kit/field-table.ts'
import { parseJson } from '../../exchange-kit/json.ts'
import { type JsonValue } from '../../exchange-kit/json-value.ts'
import { afterToken, TokenKind, tokenInts, tokenize } from '../../exchange-kit/tape.ts'
import { Workspace } from '../../exchange-kit/workspace.ts'
import { KnownFields } from './known-fields.ts'
import { type UnknownField } from './report.ts'
import { escaped } from './sample.ts'

/** Frames looked at in one second of one channel; parsing into objects is slow, and frames of a kind are alike. */
const framesPerSecond = 100
/** Larger frames are left out: a snapshot has the fields of any other book. */
const frameBytesMax = 1024 * 1024
/** Different fields kept; a venue whose keys are data would have no end of them. */
const fieldsMax = 100
const exampleLengthMax = 60
/** How far before its symbol the key of that symbol is looked for. */
const keyBytesMax = 96

interface Kind {
  readonly matches: TableCode
  readonly isSnapshot: boolean
  readonly fields: KnownFields
  isSeen: boolean
}

/**
 * Looks at the data frames of one channel field by field: what the venue sends and no table reads, and what a table would
 * read and the venue never sends. Which table a frame belongs to is told by the codec's own matchers.
 */
export class FieldWatch {
  readonly #adapter: ExchangeAdapter
  readonly #kinds: readonly Kind[]
  readonly #workspace = new Workspace()
  readonly #peeked: Peeked = { frameClass: FrameClass.data, symbolStart: 0, symbolEnd: 0 }
  readonly #unknown = new Map<string, { -readonly [K in keyof UnknownField]: UnknownField[K] }>()
  #second = 0
  #inSecond = 0
  /** Frames that were looked at. */
  examined = 0

  constructor(adapter: ExchangeAdapter, requestType: RequestType) {
    this.#adapter = adapter
    this.#kinds = adapter.frames
      .filter((table): table is RecordTable => table.requestType === requestType)
      .map(table => ({
        matches: compileMatcher(table),
        isSnapshot: table.source === 'snapshot',
        fields: new KnownFields(table),
        isSeen: false
      }))
  }

  get unknown(): readonly UnknownField[] {
    return [...this.#unknown.values()].sort((a, b) => b.count - a.count)
  }

  get neverSeen(): readonly string[] {
    return this.#kinds.filter(({ isSeen }) => isSeen).flatMap(({ fields }) => fields.unseen)
  }

  /** A frame of which the codec has made records. */
  look(frame: Uint8Array, isSnapshot: boolean, receivedMicros: number): void {
    if (frame.length > frameBytesMax || !this.#isTurn(receivedMicros)) return
    this.examined++
    const { bytes, tape } = this.#tokenized(frame)
    const value = parseJson(bytes, 0, frame.length)
    const peekedKey = isSnapshot ? null : this.#peekedKey(frame)
    const seen = new Set<string>()
    if (tape[0] !== TokenKind.array || this.#adapter.listFrames !== true) {
      this.#event(value, 0, isSnapshot, peekedKey, seen)
      return
    }
    let base: number = tokenInts
    for (const event of value as readonly JsonValue[]) {
      this.#event(event, base, isSnapshot, peekedKey, seen)
      base = afterToken(tape, base)
    }
  }

  #event(
    event: JsonValue,
    base: number,
    isSnapshot: boolean,
    peekedKey: string | null,
    seen: Set<string>
  ): void {
    const kind = this.#kinds.find(
      each => each.isSnapshot === isSnapshot && each.matches(this.#workspace, base) === 0
    )
    if (kind === undefined) return
    kind.isSeen = true
    kind.fields.look(event, (path, example) => {
      // The connection itself reads what names the symbol of a frame, which tables need not do.
      if (peekedKey !== null && `.${path}`.endsWith(`.${peekedKey}`)) return
      this.#note(kind.fields.table.name, path, example, seen)
    })
  }

  #note(table: string, path: string, example: JsonValue, seen: Set<string>): void {
    const key = `${table} ${path}`
    if (seen.has(key)) return
    seen.add(key)
    const known = this.#unknown.get(key)
    if (known !== undefined) known.count++
    else if (this.#unknown.size < fieldsMax) {
      this.#unknown.set(key, { path: escaped(path), table, count: 1, example: exampleOf(example) })
    }
  }

  #isTurn(receivedMicros: number): boolean {
    const second = Math.floor(receivedMicros / 1_000_000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
    }
    return ++this.#inSecond <= framesPerSecond
  }

  #tokenized(frame: Uint8Array): Workspace {
    const workspace = this.#workspace
    workspace.fitFrames(frame.length, frame.length)
    workspace.bytes.set(frame)
    tokenize(workspace.bytes, 0, frame.length, frame.length, workspace.tape)
    return workspace
  }

  /** The key whose value told the connection the symbol, null when none did. */
  #peekedKey(frame: Uint8Array): string | null {
    const peeked = this.#peeked
    this.#adapter.peek(frame, 0, frame.length, peeked)
    if (peeked.symbolEnd === 0) return null
    const before = frame.subarray(Math.max(0, peeked.symbolStart - keyBytesMax), peeked.symbolStart)
    return /"([^"\\]+)"\s*:\s*"[^"]*$/.exec(Buffer.from(before).toString('latin1'))?.[1] ?? null
  }
}

function exampleOf(value: JsonValue): string {
  const text = escaped(JSON.stringify(value))
  return text.length <= exampleLengthMax ? text : `${text.slice(0, exampleLengthMax - 1)}…`
}
