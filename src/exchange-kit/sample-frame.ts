import { type Guard, type RecordTable } from './field-table.ts'
import { type EnumRule, type LevelsRule, type SymbolRule } from './rules.ts'

type Sample = string | number | boolean | null | Sample[] | { [key: string]: Sample }
type Container = Sample[] | { [key: string]: Sample }

const sampleMillis = 1_790_000_000_000

/**
 * A made-up frame of a table's kind, as JSON text: what the table itself says of the frame is enough to build one. Workers
 * are warmed up with such frames, and tests see that every table reads what it claims to read.
 */
export function sampleFrame(table: RecordTable, native: string): string {
  const frame: { root: Container } = { root: {} }
  const event = table.envelope === undefined ? '' : `${table.envelope}.`
  const element = table.each === undefined ? event : `${event}${table.each}.0.`
  const putEvent = (path: string, value: Sample) => put(frame, placed(path, event), value)
  const putField = (path: string, value: Sample) => put(frame, placed(path, element), value)

  // Fields come after the guards: what a rule reads replaces what only had to be there.
  for (const guard of table.match) putGuard(guard, putEvent)
  putSymbol(table.fields.symbol, native, putField)
  for (const [name, rule] of Object.entries(table.fields)) {
    if (name !== 'symbol') putRule(rule as FieldRule, putField)
  }
  if (table.requestType === 'ticker' && table.evidence !== undefined) putField(table.evidence.path, 7)
  return JSON.stringify(frame.root)
}

type FieldRule =
  | EnumRule<string>
  | LevelsRule
  | {
      readonly rule: 'text' | 'decimal' | 'instant' | 'rfc3339' | 'seconds' | 'integer'
      readonly path: string
    }

function putRule(rule: FieldRule, putField: (path: string, value: Sample) => void): void {
  switch (rule.rule) {
    case 'constant':
      return
    case 'words':
      return putField(rule.path, Object.keys(rule.words)[0] ?? '')
    case 'flag':
      return putField(rule.path, true)
    case 'sign':
      return putField(rule.path, 2)
    case 'text':
    case 'integer':
      return putField(rule.path, 7)
    case 'decimal':
      return putField(rule.path, '12.50')
    case 'instant':
      return putField(rule.path, sampleMillis)
    case 'seconds':
      return putField(rule.path, sampleMillis / 1000)
    case 'rfc3339':
      return putField(rule.path, new Date(sampleMillis).toISOString())
    case 'levels': {
      const level = rule.single === true ? rule.path : `${rule.path}.0`
      putField(`${level}.${rule.price}`, '12.50')
      putField(`${level}.${rule.size}`, rule.sign === 'negative' ? '-3' : '3')
      if (rule.only !== undefined) putField(`${level}.${rule.only.path}`, rule.only.word)
      if (rule.zeroWhen !== undefined) putField(`${level}.${rule.zeroWhen}`, 1)
    }
  }
}

function putSymbol(rule: SymbolRule, native: string, putField: (path: string, value: Sample) => void): void {
  switch (rule.rule) {
    case 'native':
      return putField(rule.path, native)
    case 'nativePart':
      return putField(rule.path, [...Array<string>(rule.index).fill('x'), native].join(rule.separator))
    case 'nativePair': {
      const cut = rule.separator === '' ? 3 : native.indexOf(rule.separator)
      putField(rule.first, native.slice(0, cut))
      return putField(rule.second, native.slice(cut + rule.separator.length))
    }
    case 'channel':
      return putField(rule.path, 1)
    case 'subscribed':
      return
  }
}

function putGuard(guard: Guard, putEvent: (path: string, value: Sample) => void): void {
  if (guard.guard === 'is') putEvent(guard.path, guard.word)
  if (guard.guard === 'present') putEvent(guard.path, 1)
  if (guard.guard === 'list') putEvent(guard.path, [])
}

function placed(path: string, prefix: string): string {
  return path.startsWith('/') ? path.slice(1) : prefix + path
}

function put(frame: { root: Container }, path: string, value: Sample): void {
  const segments = path.split('.').map(segment => segment.split('|')[0] ?? segment)
  if (isPosition(segments[0]) && !Array.isArray(frame.root)) frame.root = []
  let container = frame.root
  segments.forEach((segment, depth) => {
    const isLast = depth === segments.length - 1
    const known = memberOf(container, segment)
    const isContainer = typeof known === 'object' && known !== null
    const next: Sample = isLast ? value : isContainer ? known : isPosition(segments[depth + 1]) ? [] : {}
    setMember(container, segment, next)
    if (!isLast) container = next as Container
  })
}

function memberOf(container: Container, segment: string): Sample | undefined {
  return Array.isArray(container) ? container[Number(segment)] : container[segment]
}

function setMember(container: Container, segment: string, value: Sample): void {
  if (!Array.isArray(container)) {
    container[segment] = value
    return
  }
  const position = Number(segment)
  while (container.length < position) container.push(null)
  container[position] = value
}

function isPosition(segment: string | undefined): boolean {
  return segment !== undefined && /^\d+$/.test(segment)
}
