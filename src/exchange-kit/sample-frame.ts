import { type ChecksumTable, type Guard, type RecordTable } from './field-table.ts'
import { type EnumRule, type LevelsRule, type SymbolRule } from './rules.ts'

type Sample = string | number | boolean | null | Sample[] | { [key: string]: Sample }
type Container = Sample[] | { [key: string]: Sample }

const sampleMillis = 1_790_000_000_000

/**
 * A made-up frame of a table's kind, as JSON text: what the table itself says of the frame is enough to build one. Workers
 * are warmed up with such frames, and tests see that every table reads what it claims to read.
 *
 * @param native the symbol that it names, in a table that reads names
 * @param channelId the channel that it names, in a table that reads those
 */
export function sampleFrame(table: RecordTable | ChecksumTable, native: string, channelId = 1): string {
  const frame: { root: Container } = { root: {} }
  const event = table.envelope === undefined ? '' : `${table.envelope}.`
  const each = 'each' in table ? table.each : undefined
  const element = each === undefined ? event : `${event}${each}.0.`
  const putEvent = (path: string, value: Sample) => put(frame, placed(path, event), value)
  const putField = (path: string, value: Sample) => put(frame, placed(path, element), value)

  // Fields come after the guards: what a rule reads replaces what only had to be there.
  for (const guard of table.match) putGuard(guard, putEvent)
  const { symbol, ...rules } =
    'fields' in table ? table.fields : { symbol: table.symbol, sum: table.checksum }
  const isSamePlace = (guardPath: string, fieldPath: string) =>
    placed(guardPath, event) === placed(fieldPath, element)
  putSymbol(symbol, native, channelId, table.match, isSamePlace, putField)
  for (const rule of Object.values(rules)) putRule(rule as FieldRule, putField)
  if (table.requestType === 'ticker' && table.evidence !== undefined) putField(table.evidence.path, 7)
  return JSON.stringify(frame.root)
}

type FieldRule =
  | EnumRule<string>
  | LevelsRule
  | {
      readonly rule: 'text' | 'decimal' | 'instant' | 'rfc3339' | 'seconds' | 'integer' | 'fingerprint'
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
    case 'fingerprint':
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

function putSymbol(
  rule: SymbolRule,
  native: string,
  channelId: number,
  match: readonly Guard[],
  isSamePlace: (guardPath: string, fieldPath: string) => boolean,
  putField: (path: string, value: Sample) => void
): void {
  switch (rule.rule) {
    case 'native':
      return putField(rule.path, native)
    case 'nativePart': {
      const wordOf = (kind: Guard['guard']) => {
        const found = match.find(guard => guard.guard === kind && isSamePlace(guard.path, rule.path))
        return found !== undefined && 'word' in found ? found.word : ''
      }
      const begun = wordOf('begins').split(rule.separator)
      const before = Array.from({ length: rule.index }, (_, part) => begun[part] ?? 'x')
      return putField(rule.path, [...before, native].join(rule.separator) + wordOf('ends'))
    }
    case 'nativePair': {
      const cut = rule.separator === '' ? 3 : native.indexOf(rule.separator)
      putField(rule.first, native.slice(0, cut))
      return putField(rule.second, native.slice(cut + rule.separator.length))
    }
    case 'channel':
      return putField(rule.path, channelId)
    case 'subscribed':
      return
  }
}

function putGuard(guard: Guard, putEvent: (path: string, value: Sample) => void): void {
  if ('word' in guard) putEvent(guard.path, guard.word)
  if (guard.guard === 'present') putEvent(guard.path, 1)
  if (guard.guard === 'list' || guard.guard === 'lists') putEvent(guard.path, [])
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
    // What only has to be there (a guard's list) leaves what stands in it already.
    const fresh: Sample = isLast ? value : isPosition(segments[depth + 1]) ? [] : {}
    const next = isContainer ? known : fresh
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
