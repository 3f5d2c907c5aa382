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
    ...takes,
    '}'
  ].join('\n')
}

/** Code that takes the level at hand into a side, if it belongs there. */
function takeCode(side: string, rule: LevelsRule, place: (path: string) => string): string {
  const [price, size] = [place(rule.price), place(rule.size)]
  const conditions: string[] = []
  const checks = [`if (${price} === 0 || ${size} === 0) return ${missing};`]
  if (rule.only !== undefined) {
    const word = place(rule.only.path)
    checks.push(`if (${word} === 0) return ${missing};`)
    conditions.push(textEquals(word, rule.only.word))
  }
  if (rule.sign !== undefined) {
    const minus = '-'.charCodeAt(0)
    conditions.push(`bytes[tape[${size} + 1]] ${rule.sign === 'negative' ? '===' : '!=='} ${minus}`)
  }
  if (rule.dropZero === true) {
    conditions.push(`!isZeroToken(workspace, ${price})`, `!isZeroToken(workspace, ${size})`)
  }
  let written = size
  if (rule.zeroWhen !== undefined) {
    const zero = place(rule.zeroWhen)
    checks.push(`if (${zero} === 0) return ${missing};`)
    written = `isZeroToken(workspace, ${zero}) ? 0 : ${size}`
  }
  const take = `${side}[${side}Count * 2] = ${price}; ${side}[${side}Count * 2 + 1] = ${written}; ${side}Count++;`
  return [...checks, conditions.length === 0 ? take : `if (${conditions.join(' && ')}) { ${take} }`].join(
    '\n'
  )
}
