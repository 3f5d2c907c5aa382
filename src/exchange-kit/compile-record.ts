import assert from 'node:assert/strict'
import { orderBookLayout } from '../../schemas/generated/order-book.ts'
import { tickerLayout } from '../../schemas/generated/ticker.ts'
import { tradeLayout } from '../../schemas/generated/trade.ts'
import { RecordFlag } from '../wire/record-batch.ts'
import { avroString } from './avro-bytes.ts'
import { levelsCode } from './compile-levels.ts'
import { type RecordTable } from './field-table.ts'
import { FrameFault } from './frame-fault.ts'
import {
  type EnumRule,
  type IntegerRule,
  type LevelsRule,
  type SymbolRule,
  type TextRule,
  type TimeRule
} from './rules.ts'
import { matchText } from './source-code.ts'
import { TokenKind } from './tape.ts'
import { noTime } from './time.ts'
import { levelsAbsolute, levelsReversed } from './writers.ts'

type Rule = TextRule | TimeRule | EnumRule<string> | IntegerRule | SymbolRule | LevelsRule

const layouts = { ticker: tickerLayout, trade: tradeLayout, orderbook: orderBookLayout } as const

interface LayoutField {
  readonly name: string
  readonly kind: string
  readonly nullable: boolean
  readonly symbols?: readonly string[]
}

/** Fields that come from the connection, not from the table. */
const givenFields: Readonly<Record<string, string>> = {
  exchange: '',
  region: '',
  symbol: 'const prefix = context.prefixes[sub]; out.set(prefix, at); at += prefix.length;',
  native_symbol: '',
  received_ts: 'at = writeLong(workspace.receivedMicros, out, at);',
  connection_id: 'out.set(context.connectionId, at); at += context.connectionId.length;',
  frame_seq: 'at = writeLong(workspace.frameSeq, out, at);',
  frame_index: 'at = writeLong(index, out, at);'
}

const factOf: Readonly<Record<string, string>> = {
  trade_id: 'tradeId',
  sequence_first: 'sequenceFirst',
  sequence_last: 'sequenceLast',
  sequence_previous: 'sequencePrevious'
}

/** Code that writes one record; `continue` leaves out an event of a symbol that is not subscribed. */
export function recordCode(
  table: RecordTable,
  variable: (path: string) => string,
  projection: readonly string[],
  constants: Uint8Array[]
): string {
  const rules = table.fields as unknown as Readonly<Record<string, Rule | undefined>>
  const layout: readonly LayoutField[] = layouts[table.requestType].fields
  const known = new Set(layout.map(field => field.name))
  for (const name of Object.keys(rules)) assert(known.has(name), `${table.name} has a rule for "${name}".`)

  const checks: string[] = []
  const before: string[] = []
  const write: string[] = []
  const facts: string[] = []
  const flags = [`(stream_type === 0 ? ${RecordFlag.snapshotStream} : 0)`]
  const need = (path: string): string => {
    const place = variable(path)
    checks.push(`if (${place} === 0) return ${FrameFault.missing};`)
    return place
  }

  for (const field of layout) {
    const given = givenFields[field.name]
    const rule = rules[field.name]
    if (given !== undefined) {
      write.push(given)
    } else if (field.name === 'extras') {
      write.push(extrasCode(table, projection, variable, constants))
    } else if (rule === undefined) {
      assert(field.nullable, `${table.name} has no rule for the field "${field.name}".`)
      write.push('out[at++] = 0;')
    } else if (field.kind === 'enum') {
      before.push(enumCode(rule as EnumRule<string>, field, need, variable))
      write.push(`out[at++] = ${field.name} << 1;`)
    } else if (field.name === 'exchange_ts') {
      before.push(numberCode('sentMicros', rule as TimeRule, need, variable))
      before.push(`const exchangeMicros = sentMicros === ${noTime} ? NaN : sentMicros;`)
      write.push(
        'if (exchangeMicros !== exchangeMicros) out[at++] = 0; else { out[at++] = 2; at = writeLong(exchangeMicros, out, at); }'
      )
    } else if (field.kind === 'levels') {
      const side = field.name
      write.push(
        `at = writeLevels(workspace, ${side}, ${side}Count, ${levelsFlags(rule as LevelsRule)}, at);`
      )
      write.push(`if (at < 0) return ${FrameFault.invalid};`)
    } else if (field.kind === 'long') {
      before.push(numberCode(field.name, rule as IntegerRule, need, variable))
      write.push(
        `if (${field.name} !== ${field.name}) out[at++] = 0; else { out[at++] = 2; at = writeLong(${field.name}, out, at); }`
      )
      facts.push(`if (${field.name} === ${field.name}) batch.${field.name}(${field.name} | 0);`)
      flags.push(`(${field.name} === ${field.name} ? ${RecordFlag.checksum} : 0)`)
    } else {
      write.push(textCode(field, rule as TextRule, need, variable, facts))
    }
  }
  if (table.requestType === 'orderbook') before.push(levelsCode(table.fields, need, variable))
  if (table.requestType === 'ticker' && table.evidence !== undefined) {
    // A market that never traded has none; a name that is gone must be noticed all the same.
    if (table.evidence.optional !== true) need(table.evidence.path)
    before.push(numberCode('evidence', { ...table.evidence, optional: true }, need, variable))
    facts.push('if (evidence === evidence) batch.evidence(evidence);')
  }
  const symbol = symbolCode(table.fields.symbol, need)
  const time = rules['exchange_ts'] === undefined ? 'NaN' : 'exchangeMicros'
  if (table.requestType === 'orderbook') flags.push(`(kind === 0 ? ${RecordFlag.bookSnapshot} : 0)`)

  return [
    ...new Set(checks),
    symbol,
    ...before,
    'const start = at;',
    ...write,
    `batch.record(${time}, workspace.receivedMicros, workspace.frameSeq, index, sub, ${flags.join(' | ')}, start, at);`,
    ...facts,
    'index++; count++;'
  ].join('\n')
}

type Place = (path: string) => string

/**
 * Code that finds the subscription of an event.
 * @param unknown what to do with one that is not subscribed
 */
export function symbolCode(rule: SymbolRule, need: Place, unknown = 'continue;'): string {
  const found = `if (sub < 0) ${unknown} workspace.found = sub;`
  const range = (place: string) => `tape[${place} + 1], tape[${place} + 2]`
  const kind = (place: string, wanted: number) =>
    `if (tape[${place}] !== ${wanted}) return ${FrameFault.invalid};`
  switch (rule.rule) {
    case 'native': {
      const place = need(rule.path)
      return `${kind(place, TokenKind.string)} const sub = findSymbol(workspace, ${range(place)}); ${found}`
    }
    case 'nativePart': {
      const place = need(rule.path)
      const separator = rule.separator.charCodeAt(0)
      return `${kind(place, TokenKind.string)} const sub = findSymbolPart(workspace, ${range(place)}, ${separator}, ${rule.index}); ${found}`
    }
    case 'nativePair': {
      const [first, second] = [need(rule.first), need(rule.second)]
      const separator = rule.separator === '' ? -1 : rule.separator.charCodeAt(0)
      return `${kind(first, TokenKind.string)} ${kind(second, TokenKind.string)} const sub = findSymbolPair(workspace, ${range(first)}, ${separator}, ${range(second)}); ${found}`
    }
    case 'channel': {
      const place = need(rule.path)
      return `${kind(place, TokenKind.number)} const sub = findChannel(workspace, ${range(place)}); ${found}`
    }
    case 'subscribed':
      return `const sub = workspace.guess; ${found}`
  }
}

function enumCode(rule: EnumRule<string>, field: LayoutField, need: Place, variable: Place): string {
  const codeOf = (symbol: string) => {
    const code = field.symbols?.indexOf(symbol) ?? -1
    assert(code >= 0, `${field.name} has no symbol "${symbol}".`)
    return code
  }
  const name = field.name
  switch (rule.rule) {
    case 'constant':
      return `const ${name} = ${codeOf(rule.value)};`
    case 'words': {
      const place = need(rule.path)
      const cases = Object.entries(rule.words).map(([word, symbol]) => ({
        text: word,
        then: `${name} = ${codeOf(symbol)};`
      }))
      return [
        `let ${name} = -1;`,
        `if (tape[${place}] === ${TokenKind.string}) { const s = tape[${place} + 1]; ${matchText(cases, 's', `tape[${place} + 2] - s`)} }`,
        `if (${name} < 0) return ${FrameFault.invalid};`
      ].join('\n')
    }
    case 'flag': {
      const place = rule.optional === true ? variable(rule.path) : need(rule.path)
      const absent = rule.optional === true ? `${place} === 0 || ` : ''
      return [
        `const ${name} = ${absent}tape[${place}] === ${TokenKind.false} ? ${codeOf(rule.whenFalse)} : tape[${place}] === ${TokenKind.true} ? ${codeOf(rule.whenTrue)} : -1;`,
        `if (${name} < 0) return ${FrameFault.invalid};`
      ].join('\n')
    }
    case 'sign': {
      const place = need(rule.path)
      const minus = '-'.charCodeAt(0)
      return `const ${name} = bytes[tape[${place} + 1]] === ${minus} ? ${codeOf(rule.negative)} : ${codeOf(rule.positive)};`
    }
  }
}

/** A number in a constant, NaN when it is optional and absent. */
export function numberCode(name: string, rule: TimeRule | IntegerRule, need: Place, variable: Place): string {
  const read = `${rule.rule}Of`
  if (rule.optional !== true) {
    const place = need(rule.path)
    return `const ${name} = ${read}(workspace, ${place}); if (${name} !== ${name}) return ${FrameFault.invalid};`
  }
  const place = variable(rule.path)
  return [
    `let ${name} = NaN;`,
    `if (${isThere(place)}) { ${name} = ${read}(workspace, ${place}); if (${name} !== ${name}) return ${FrameFault.invalid}; }`
  ].join(' ')
}

function textCode(field: LayoutField, rule: TextRule, need: Place, variable: Place, facts: string[]): string {
  const place = rule.optional === true ? variable(rule.path) : need(rule.path)
  const mayBeNull = rule.optional === true || rule.nullable === true
  assert(field.nullable || !mayBeNull, `${field.name} is never null.`)
  const writer = rule.rule === 'text' ? 'writeText' : `${rule.form}Decimal`
  const lines = [
    ...(field.nullable ? ['out[at++] = 2;'] : []),
    `at = ${writer}(workspace, ${place}, at); if (at < 0) return ${FrameFault.invalid};`
  ]
  const fact = factOf[field.name]
  const [from, to] = [`${field.name}Start`, `${field.name}End`]
  const declared = fact === undefined ? '' : `let ${from} = 0, ${to} = 0;`
  if (fact !== undefined) {
    assert(rule.rule === 'text', `${field.name} must be copied as it is.`)
    lines.push(`${to} = at; ${from} = at - (tape[${place} + 2] - tape[${place} + 1]);`)
    facts.push(`if (${to} !== 0) batch.${fact}(${from}, ${to});`)
  }
  const body = lines.join(' ')
  return `${declared} ${mayBeNull ? `if (${isThere(place)}) { ${body} } else out[at++] = 0;` : body}`
}

/** Extras are null without a projection; fields that are absent, null or no scalars are left out of the map. */
function extrasCode(
  table: RecordTable,
  projection: readonly string[],
  variable: Place,
  constants: Uint8Array[]
): string {
  if (projection.length === 0) return 'out[at++] = 0;'
  const fields = projection.flatMap(name => {
    const path = table.raw?.[name]
    return path === undefined ? [] : [{ place: variable(path), key: avroString(name) }]
  })
  const lines = ['out[at++] = 2;']
  if (fields.length > 0) {
    const there = fields.map(field => `(isScalar(tape, ${field.place}) ? 1 : 0)`).join(' + ')
    lines.push(`const extras = ${there};`, 'if (extras > 0) { at = writeLong(extras, out, at);')
    for (const { place, key } of fields) {
      const constant = `constants[${constants.push(key) - 1}]`
      lines.push(
        `if (isScalar(tape, ${place})) { out.set(${constant}, at); at += ${constant}.length; at = writeRaw(workspace, ${place}, at); }`
      )
    }
    lines.push('}')
  }
  lines.push('out[at++] = 0;')
  return lines.join('\n')
}

function levelsFlags(rule: LevelsRule): number {
  return (rule.reverse === true ? levelsReversed : 0) | (rule.sign === undefined ? 0 : levelsAbsolute)
}

/** Null and an empty text (OKX: a side without orders) say that there is no value. */
function isThere(place: string): string {
  const isEmptyText = `tape[${place}] === ${TokenKind.string} && tape[${place} + 1] === tape[${place} + 2]`
  return `${place} !== 0 && tape[${place}] !== ${TokenKind.null} && !(${isEmptyText})`
}
