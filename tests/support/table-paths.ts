import { type ChecksumTable, type RecordTable } from '../../src/exchange-kit/field-table.ts'
import { type DecimalForm, type LevelsRule } from '../../src/exchange-kit/rules.ts'
import { type Leaf } from './json-leaves.ts'

/** Segments of a path; a segment has alternatives, and `*` stands for any position. */
type Pattern = readonly (readonly string[])[]

type AnyRule =
  | { readonly rule: 'constant' | 'subscribed' }
  | { readonly rule: 'nativePair'; readonly first: string; readonly second: string }
  | LevelsRule
  | {
      readonly rule: string
      readonly path: string
      readonly optional?: boolean
      readonly nullable?: boolean
      readonly form?: DecimalForm
    }

const anywhere: readonly string[] = ['*']

function patternOf(path: string): Pattern {
  return path.split('.').map(segment => segment.split('|'))
}

function placed(path: string, base: Pattern): Pattern {
  return path.startsWith('/') ? patternOf(path.slice(1)) : [...base, ...patternOf(path)]
}

function holds(pattern: Pattern, path: readonly string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((segment, depth) => {
      const key = path[depth] ?? ''
      return segment === anywhere ? /^\d+$/.test(key) : segment.includes(key)
    })
  )
}

interface Bases {
  readonly event: Pattern
  readonly element: Pattern
}

function basesOf(table: RecordTable | ChecksumTable, isWrapped: boolean): Bases {
  const event = table.envelope === undefined || !isWrapped ? [] : patternOf(table.envelope)
  const each = 'each' in table ? table.each : undefined
  return { event, element: each === undefined ? event : [...event, ...patternOf(each), anywhere] }
}

function rulesOf(table: RecordTable | ChecksumTable): (readonly [name: string, rule: AnyRule])[] {
  const rules = 'fields' in table ? table.fields : { symbol: table.symbol, checksum: table.checksum }
  return Object.entries(rules) as [string, AnyRule][]
}

/** Whether a table can make no record of its sample frame when what stands at `path` is gone. */
export function isNeeded(table: RecordTable | ChecksumTable, path: readonly string[]): boolean {
  const { event, element } = basesOf(table, true)
  const isAtOrAbove = (pattern: Pattern) =>
    path.length <= pattern.length && holds(pattern.slice(0, path.length), path)
  const reads = (name: string) => isAtOrAbove(placed(name, element))
  const guards = table.match.filter(guard => guard.guard !== 'absent' && guard.guard !== 'noList')
  if (guards.some(guard => isAtOrAbove(placed(guard.path, event)))) return true
  if ('each' in table && table.each !== undefined && isAtOrAbove(element)) return true
  const evidence = 'evidence' in table && table.evidence !== undefined ? [table.evidence] : []
  return [...rulesOf(table).map(([, rule]) => rule), ...evidence].some(rule => {
    if (rule.rule === 'nativePair' && 'first' in rule) return reads(rule.first) || reads(rule.second)
    if (rule.rule === 'levels' && 'price' in rule) {
      const list = placed(rule.path, element)
      const level = rule.single === true ? list : [...list, anywhere]
      // A list without its only level is an empty side; a level without its price is broken.
      if (path.length === level.length && rule.single !== true) return false
      if (path.length < level.length) return rule.optional !== true && isAtOrAbove(list)
      const members = [rule.price, rule.size, rule.only?.path, rule.zeroWhen]
      return members.some(name => name !== undefined && isAtOrAbove([...level, ...patternOf(name)]))
    }
    // The first element of a list is not taken away but made null.
    const isNull = 'nullable' in rule && rule.nullable === true && path.at(-1) === '0'
    return 'path' in rule && rule.optional !== true && !isNull && reads(rule.path)
  })
}

/** One decimal of a frame, and where its digits must be found again. */
export type DigitSpot = { readonly leaf: Leaf; readonly record: number } & (
  | { readonly field: string; readonly form: DecimalForm }
  | {
      readonly side: 'bids' | 'asks'
      readonly rule: LevelsRule
      readonly level: number
      readonly part: 'price' | 'size'
      readonly isRemoval: boolean
    }
)

/** Every decimal that a table reads in a frame of its kind. */
export function digitSpots(table: RecordTable, text: string, leaves: readonly Leaf[]): DigitSpot[] {
  const wrapper = table.envelope === undefined ? [] : patternOf(table.envelope)
  const isWrapped = leaves.some(({ path }) => holds(wrapper, path.slice(0, wrapper.length)))
  const { element } = basesOf(table, isWrapped)
  const recordOf = (path: readonly string[]) =>
    table.each === undefined ? 0 : Number(path[element.length - 1])
  const find = (pattern: Pattern) => leaves.filter(leaf => leaf.kind !== 'word' && holds(pattern, leaf.path))
  const spots: DigitSpot[] = []
  for (const [field, rule] of rulesOf(table)) {
    if (rule.rule === 'decimal' && 'path' in rule && 'form' in rule && rule.form !== undefined) {
      const { form } = rule
      for (const leaf of find(placed(rule.path, element))) {
        spots.push({ leaf, record: recordOf(leaf.path), field, form })
      }
    }
    if (rule.rule !== 'levels' || !('price' in rule)) continue
    const list = placed(rule.path, element)
    const singles: readonly Pattern[] = rule.single === true ? [list] : []
    for (const level of [...singles, [...list, anywhere]]) {
      for (const part of ['price', 'size'] as const) {
        for (const leaf of find([...level, ...patternOf(rule[part])])) {
          const beside = (name: string) => {
            const other = leaves.find(({ path }) =>
              holds([...leaf.path.slice(0, level.length).map(key => [key]), ...patternOf(name)], path)
            )
            return other === undefined ? '' : text.slice(other.start, other.end)
          }
          if (rule.only !== undefined && beside(rule.only.path) !== rule.only.word) continue
          if (rule.sign !== undefined && beside(rule.size).startsWith('-') !== (rule.sign === 'negative'))
            continue
          spots.push({
            leaf,
            record: recordOf(leaf.path),
            side: field as 'bids' | 'asks',
            rule,
            level: level === list ? 0 : Number(leaf.path[level.length - 1]),
            part,
            isRemoval: rule.zeroWhen !== undefined && !/[1-9]/.test(beside(rule.zeroWhen))
          })
        }
      }
    }
  }
  return spots
}
