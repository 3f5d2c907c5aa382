import { type RequestType } from '../domain/target.ts'
import { numberCode, recordCode, symbolCode } from './compile-record.ts'
import { type ChecksumTable, type FrameTable, type Guard, type RecordTable } from './field-table.ts'
import { FrameFault } from './frame-fault.ts'
import { after, PlaceTree, textBegins, textEnds, textEquals } from './source-code.ts'
import { TokenKind } from './tape.ts'
import { type Workspace } from './workspace.ts'
import * as writers from './writers.ts'

/** Writes the records of the event at tape index `base` into the workspace. */
export type TableCode = (workspace: Workspace, base: number) => number

/**
 * Makes code of a table that tells only whether a frame is of its kind: 0 or FrameFault.noMatch. For kinds that hold
 * nothing for the target.
 */
export function compileMatcher(table: FrameTable): TableCode {
  const frame = new PlaceTree('f')
  const event = table.envelope === undefined ? frame : new PlaceTree('e')
  const guards = table.match.map(guard => guardCode(guard, frame, event))
  return build(`${table.name}:match`, [...scanEvent(table, frame, event), ...guards, 'return 0;'], [])
}

/**
 * Makes code of a table. Only integers enter the generated text (see `source-code.ts`); functions and byte arrays go in by
 * reference.
 * @param projection names of the table's `raw` fields that travel in `extras`; those it does not have are left out
 */
export function compileTable(table: RecordTable, projection: readonly string[]): TableCode {
  const frame = new PlaceTree('f')
  const event = table.envelope === undefined ? frame : new PlaceTree('e')
  const element = table.each === undefined ? event : new PlaceTree('x')
  const guards = table.match.map(guard => guardCode(guard, frame, event))
  const list = table.each === undefined ? null : event.variable(table.each)
  const variable = (path: string) => variableIn(path, frame, element)
  const constants: Uint8Array[] = []
  const record = recordCode(table, variable, projection, constants)
  const body =
    list === null
      ? ['let index = workspace.frameIndex, count = 0;', 'do {', record, '} while (false);']
      : [
          element.declaration,
          'let index = workspace.frameIndex, count = 0;',
          `if (${list} === 0) return ${FrameFault.missing};`,
          `if (tape[${list}] !== ${TokenKind.array}) return ${FrameFault.invalid};`,
          `if (tape[${list} + 2] === ${list} + 3) return ${FrameFault.empty};`,
          ...(table.newestFirst === true ? fromLast(list) : fromFirst(list)),
          element.reset,
          element.scan('item'),
          record,
          '}'
        ]
  return build(
    table.name,
    [
      'const bytes = workspace.bytes, out = workspace.out, context = workspace.context, batch = workspace.batch;',
      'let at = workspace.at;',
      ...scanEvent(table, frame, event),
      ...guards,
      ...body,
      `if (count === 0) return ${FrameFault.symbol};`,
      'workspace.at = at; workspace.frameIndex = index;',
      'return count;'
    ],
    constants
  )
}

/** Heads of the loop over a list's elements: `item` is the tape index of the one at hand. */
function fromFirst(list: string): string[] {
  return [`for (let item = ${list} + 3, last = tape[${list} + 2]; item < last; item = ${after('item')}) {`]
}

function fromLast(list: string): string[] {
  return [
    'const items = workspace.items; let left = 0;',
    `for (let item = ${list} + 3, last = tape[${list} + 2]; item < last; item = ${after('item')}) items[left++] = item;`,
    'while (left > 0) { const item = items[--left];'
  ]
}

/**
 * Makes code of a kind that carries only a checksum: 0 when it now stands in the workspace, with the subscription as
 * `found`; else a FrameFault.
 */
export function compileChecksum(table: ChecksumTable): TableCode {
  const frame = new PlaceTree('f')
  const event = table.envelope === undefined ? frame : new PlaceTree('e')
  const guards = table.match.map(guard => guardCode(guard, frame, event))
  const checks: string[] = []
  const variable = (path: string) => variableIn(path, frame, event)
  const need = (path: string) => {
    const place = variable(path)
    checks.push(`if (${place} === 0) return ${FrameFault.missing};`)
    return place
  }
  const symbol = symbolCode(table.symbol, need, `return ${FrameFault.symbol};`)
  const checksum = numberCode('checksum', table.checksum, need, variable)
  return build(
    table.name,
    [
      'const bytes = workspace.bytes, context = workspace.context;',
      ...scanEvent(table, frame, event),
      ...guards,
      ...new Set(checks),
      symbol,
      checksum,
      'workspace.checksum = checksum | 0;',
      'return 0;'
    ],
    []
  )
}

function build(name: string, lines: readonly string[], constants: readonly Uint8Array[]): TableCode {
  const source = [
    '"use strict";',
    `const { ${Object.keys(writers).join(', ')} } = writers;`,
    'return function transcodeFrame(workspace, base) {',
    'const tape = workspace.tape;',
    ...(lines.some(line => line.startsWith('const bytes')) ? [] : ['const bytes = workspace.bytes;']),
    ...lines,
    '};',
    `//# sourceURL=frame-table/${name.replaceAll(/[^A-Za-z0-9:-]/g, '-')}`
  ].join('\n')
  // The text holds integers and names of ours only; see source-code.ts.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('writers', 'constants', source) as (
    given: typeof writers,
    constants: readonly Uint8Array[]
  ) => TableCode
  return make(writers, constants)
}

/** Fills the variables of the frame and of the event in it. */
function scanEvent(table: FrameTable, frame: PlaceTree, event: PlaceTree): string[] {
  if (frame === event) return [frame.declaration, frame.scan('base')]
  const wrapped = frame.variable(table.envelope ?? '')
  return [
    frame.declaration,
    frame.scan('base'),
    `const inner = ${wrapped} === 0 ? base : ${wrapped};`,
    event.declaration,
    event.scan('inner')
  ]
}

function variableIn(path: string, frame: PlaceTree, inner: PlaceTree): string {
  return path.startsWith('/') ? frame.variable(path.slice(1)) : inner.variable(path)
}

function guardCode(guard: Guard, frame: PlaceTree, event: PlaceTree): string {
  const place = variableIn(guard.path, frame, event)
  const fails = (condition: string) => `if (${condition}) return ${FrameFault.noMatch};`
  switch (guard.guard) {
    case 'is':
      return fails(`${place} === 0 || !(${textEquals(place, guard.word)})`)
    case 'begins':
      return fails(`${place} === 0 || !(${textBegins(place, guard.word)})`)
    case 'ends':
      return fails(`${place} === 0 || !(${textEnds(place, guard.word)})`)
    case 'absent':
      return fails(`${place} !== 0`)
    case 'present':
      return fails(`${place} === 0`)
    case 'list':
      return fails(`${place} === 0 || tape[${place}] !== ${TokenKind.array}`)
    case 'lists': {
      const first = `${place} + 3`
      const isOther = `tape[${place} + 2] !== ${first} && tape[${first}] !== ${TokenKind.array}`
      return fails(`${place} === 0 || tape[${place}] !== ${TokenKind.array} || (${isOther})`)
    }
    case 'noList':
      return fails(`${place} !== 0 && tape[${place}] === ${TokenKind.array}`)
  }
}

/** The compiled tables of one venue for one request type and projection. */
export interface CompiledTables {
  readonly stream: readonly TableCode[]
  readonly snapshot: readonly TableCode[]
  /** Kinds that carry only the checksum of a book; they mean something to books alone. */
  readonly checksums: readonly TableCode[]
  /** Kinds that hold nothing for the target, tried last, with the reason to give. */
  readonly others: readonly {
    readonly match: TableCode
    readonly reason: 'kind' | 'empty' | 'unsupported protocol'
  }[]
}

export function compileTables(
  tables: readonly FrameTable[],
  requestType: RequestType,
  projection: readonly string[]
): CompiledTables {
  const own = tables.filter((table): table is RecordTable => table.requestType === requestType)
  const compile = (table: RecordTable) => compileTable(table, projection)
  return {
    stream: own.filter(table => table.source !== 'snapshot').map(compile),
    snapshot: own.filter(table => table.source === 'snapshot').map(compile),
    checksums: requestType === 'orderbook' ? tables.filter(isChecksum).map(compileChecksum) : [],
    others: tables
      .filter(table => table.requestType !== requestType && table.source !== 'snapshot')
      .filter(table => requestType !== 'orderbook' || !isChecksum(table))
      .map(table => ({
        match: compileMatcher(table),
        reason: 'ignore' in table ? table.ignore : ('kind' as const)
      }))
  }
}

function isChecksum(table: FrameTable): table is ChecksumTable {
  return 'checksum' in table
}
