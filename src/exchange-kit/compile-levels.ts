import { type BookFields } from './field-table.ts'
import { FrameFault } from './frame-fault.ts'
import { type LevelsRule } from './rules.ts'
import { after, PlaceTree, textEquals } from './source-code.ts'
import { TokenKind } from './tape.ts'

const { missing, invalid } = FrameFault

/**
 * Code that collects the levels of both sides as pairs of tape indices, before anything is written, so that their number
 * is known. Sides that stand in the same list are collected in one pass.
 */
export function levelsCode(
  fields: BookFields,
  need: (path: string) => string,
  variable: (path: string) => string
): string {
  const sides = [
    { side: 'bids', rule: fields.bids },
    { side: 'asks', rule: fields.asks }
  ]
  const lines = ['const bids = workspace.bids, asks = workspace.asks;', 'let bidsCount = 0, asksCount = 0;']
  const paths = new Set(sides.map(({ rule }) => rule.path))
  for (const path of paths) {
    const group = sides.filter(({ rule }) => rule.path === path)
    const isOptional = group.every(({ rule }) => rule.optional === true)
    const list = isOptional ? variable(path) : need(path)
    const walk = walkCode(list, group)
    lines.push(
      isOptional ? `if (${list} !== 0 && tape[${list}] !== ${TokenKind.null}) { ${walk} }` : `{ ${walk} }`
    )
  }
  return lines.join('\n')
}

interface Side {
  readonly side: string
  readonly rule: LevelsRule
}

function walkCode(list: string, group: readonly Side[]): string {
  const places = new PlaceTree('l')
  const takes = group.map(({ side, rule }) => takeCode(side, rule, path => places.variable(path)))
  const isSingle = group.some(({ rule }) => rule.single === true)
  const isPositional = /^\d+$/.test(group[0]?.rule.price ?? '')
  const kind = isPositional ? TokenKind.array : TokenKind.object
  return [
    `if (tape[${list}] > ${TokenKind.array}) return ${invalid};`,
    `let level = ${list} + 3, levelsEnd = tape[${list} + 2];`,
    isSingle
      ? `if (level < levelsEnd && tape[level] > ${TokenKind.array}) { level = ${list}; levelsEnd = ${list} + 1; }`
      : `if (tape[${list}] !== ${TokenKind.array}) return ${invalid};`,
    places.declaration,
    `for (; level < levelsEnd; level = ${after('level')}) {`,
    `if (tape[level] !== ${kind}) return ${invalid};`,
    places.reset,
    places.scan('level'),
    takesCode(takes),
    '}'
  ].join('\n')
}

interface Take {
  /** What the level needs so that one can tell whose it is. */
  readonly checks: readonly string[]
  /** Whether it is of this side; null where the list has no others. */
  readonly isOwn: string | null
  readonly take: string
}

/** A level that is of neither side is a broken one: it must not be left out in silence. */
function takesCode(takes: readonly Take[]): string {
  const checks = [...new Set(takes.flatMap(({ checks }) => checks))]
  const isShared = takes.length > 1 && takes.every(({ isOwn }) => isOwn !== null)
  const arms = takes.map(({ isOwn, take }) => (isOwn === null ? take : `if (${isOwn}) { ${take} }`))
  return [...checks, isShared ? `${arms.join(' else ')} else return ${invalid};` : arms.join('\n')].join('\n')
}

/** Code that takes the level at hand into a side. */
function takeCode(side: string, rule: LevelsRule, place: (path: string) => string): Take {
  const [price, size] = [place(rule.price), place(rule.size)]
  const belongs: string[] = []
  const checks = [`if (${price} === 0 || ${size} === 0) return ${missing};`]
  if (rule.only !== undefined) {
    const word = place(rule.only.path)
    checks.push(`if (${word} === 0) return ${missing};`)
    belongs.push(textEquals(word, rule.only.word))
  }
  if (rule.sign !== undefined) {
    const minus = '-'.charCodeAt(0)
    belongs.push(`bytes[tape[${size} + 1]] ${rule.sign === 'negative' ? '===' : '!=='} ${minus}`)
  }
  let written = size
  if (rule.zeroWhen !== undefined) {
    const zero = place(rule.zeroWhen)
    checks.push(`if (${zero} === 0) return ${missing};`)
    written = `isZeroToken(workspace, ${zero}) ? 0 : ${size}`
  }
  const take = `${side}[${side}Count * 2] = ${price}; ${side}[${side}Count * 2 + 1] = ${written}; ${side}Count++;`
  const isKept = `!isZeroToken(workspace, ${price}) && !isZeroToken(workspace, ${size})`
  return {
    checks,
    isOwn: belongs.length === 0 ? null : belongs.join(' && '),
    take: rule.dropZero === true ? `if (${isKept}) { ${take} }` : take
  }
}
