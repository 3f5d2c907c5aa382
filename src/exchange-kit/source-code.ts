import { TokenKind } from './tape.ts'

/**
 * Pieces of the code that `compile.ts` generates. Only integers ever enter the generated text: keys and words become
 * comparisons of lengths and bytes, so that nothing from outside can become code.
 */
const encoder = new TextEncoder()

export interface ByteCase {
  readonly text: string
  readonly then: string
}

/**
 * Runs `then` of the case whose text equals the bytes at `start` (an expression) of the given length; nothing when there
 * is none. Cases are told apart by length, then by the byte in which they differ most, then compared in full.
 */
export function matchText(cases: readonly ByteCase[], start: string, length: string): string {
  const byLength = groupBy(cases, item => encoder.encode(item.text).length)
  const arms = [...byLength].map(([size, group]) => `case ${size}: ${matchBytes(group, start, size)} break;`)
  return `switch (${length}) { ${arms.join(' ')} }`
}

function matchBytes(cases: readonly ByteCase[], start: string, size: number): string {
  const known = cases.map(item => ({ bytes: encoder.encode(item.text), then: item.then }))
  const distinct = (at: number) => new Set(known.map(item => item.bytes[at])).size
  let best = 0
  for (let at = 1; at < size; at++) if (distinct(at) > distinct(best)) best = at
  const test = (bytes: Uint8Array, skip: number): string => {
    const terms: string[] = []
    for (let at = 0; at < size; at++) {
      if (at !== skip) terms.push(`bytes[${start}${at === 0 ? '' : ` + ${at}`}] === ${bytes[at]}`)
    }
    return terms.length === 0 ? 'true' : terms.join(' && ')
  }
  const only = known[0]
  if (size === 0) return only?.then ?? ''
  if (known.length === 1 && only !== undefined) return `if (${test(only.bytes, -1)}) { ${only.then} }`
  const arms = [...groupBy(known, item => item.bytes[best])].map(([byte, group]) => {
    const tests = group.map(item => `if (${test(item.bytes, best)}) { ${item.then} }`)
    return `case ${byte}: ${tests.join(' else ')} break;`
  })
  return `switch (bytes[${start}${best === 0 ? '' : ` + ${best}`}]) { ${arms.join(' ')} }`
}

/** Condition that the token in variable `token` is a string equal to the text. */
export function textEquals(token: string, text: string): string {
  return textHolds(token, text, '===', 0)
}

/** Condition that the token in variable `token` is a string that begins with the text. */
export function textBegins(token: string, text: string): string {
  return textHolds(token, text, '>=', 0)
}

/** Condition that the token in variable `token` is a string that ends with the text. */
export function textEnds(token: string, text: string): string {
  return textHolds(token, text, '>=', encoder.encode(text).length)
}

/** @param back how far before the end of the string the text stands; 0: it stands at the string's start */
function textHolds(token: string, text: string, length: '===' | '>=', back: number): string {
  const bytes = encoder.encode(text)
  const terms = [
    `tape[${token}] === ${TokenKind.string}`,
    `tape[${token} + 2] - tape[${token} + 1] ${length} ${bytes.length}`
  ]
  const start = back === 0 ? `tape[${token} + 1]` : `tape[${token} + 2] - ${back}`
  bytes.forEach((byte, at) => {
    terms.push(`bytes[${start}${at === 0 ? '' : ` + ${at}`}] === ${byte}`)
  })
  return terms.join(' && ')
}

/** Expression: the tape index behind the value at `token`. */
export function after(token: string): string {
  return `(tape[${token}] <= ${TokenKind.array} ? tape[${token} + 2] : ${token} + 3)`
}

/**
 * The places of a frame that a table reads, as a tree of keys and positions. Every place gets a variable that holds the
 * tape index of its value, 0 when it is absent (only the root stands at 0).
 */
export class PlaceTree {
  readonly #prefix: string
  readonly #root: Place = { variable: '', children: new Map() }
  #count = 0

  /** @param prefix letter of this tree's variables */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  get isEmpty(): boolean {
    return this.#root.children.size === 0
  }

  /** Declarations of all variables; run it before each scan. */
  get reset(): string {
    const names = Array.from({ length: this.#count }, (_, index) => `${this.#prefix}${index} = 0`)
    return names.length === 0 ? '' : `${names.join(', ')};`
  }

  get declaration(): string {
    return this.#count === 0 ? '' : `let ${this.reset}`
  }

  /** The variable of a path such as `data.b` or `2.1`. */
  variable(path: string): string {
    let place = this.#root
    for (const segment of path.split('.')) {
      let child = place.children.get(segment)
      if (child === undefined) {
        child = { variable: `${this.#prefix}${this.#count++}`, children: new Map() }
        place.children.set(segment, child)
      }
      place = child
    }
    return place.variable
  }

  /** Code that fills the variables from the value at `base`. */
  scan(base: string): string {
    return scanPlace(this.#root, base)
  }
}

interface Place {
  readonly variable: string
  /** By key (with alternatives: `code|cd`) or position. */
  readonly children: Map<string, Place>
}

function scanPlace(place: Place, base: string): string {
  if (place.children.size === 0) return ''
  const positions = [...place.children.keys()].filter(segment => /^\d+$/.test(segment))
  const own = positions.length > 0 ? scanList(place, base) : scanObject(place, base)
  const deeper = [...place.children.values()]
    .filter(child => child.children.size > 0)
    .map(child => `if (${child.variable} !== 0) { ${scanPlace(child, child.variable)} }`)
  return [own, ...deeper].join('\n')
}

function scanObject(place: Place, base: string): string {
  // Two places may accept the same key: `ts` by itself, and as the second choice of `cts|ts`.
  const choices = [...place.children].flatMap(([segment, child]) =>
    segment.split('|').map((key, rank, [first = '']) => ({
      key,
      then:
        rank === 0
          ? `${child.variable} = v;`
          : `if (${child.variable} === 0 || !(${keyEquals(child.variable, first)})) ${child.variable} = v;`
    }))
  )
  const cases = [...groupBy(choices, choice => choice.key)].map(([text, group]) => ({
    text,
    then: group.map(choice => choice.then).join(' ')
  }))
  return `if (tape[${base}] === ${TokenKind.object}) {
    for (let i = ${base} + 3, stop = tape[${base} + 2]; i < stop;) {
      const s = tape[i + 1], v = i + 3;
      ${matchText(cases, 's', 'tape[i + 2] - s')}
      i = ${after('v')};
    }
  }`
}

/** Condition that the key of the value at `value` is this text; the first of several names wins wherever it stands. */
function keyEquals(value: string, text: string): string {
  const bytes = encoder.encode(text)
  const terms = [`tape[${value} - 1] - tape[${value} - 2] === ${bytes.length}`]
  bytes.forEach((byte, at) => {
    terms.push(`bytes[tape[${value} - 2]${at === 0 ? '' : ` + ${at}`}] === ${byte}`)
  })
  return terms.join(' && ')
}

function scanList(place: Place, base: string): string {
  const last = Math.max(...[...place.children.keys()].map(Number))
  const steps: string[] = []
  for (let position = 0; position <= last; position++) {
    const child = place.children.get(String(position))
    if (child !== undefined) steps.push(`if (i < stop) ${child.variable} = i;`)
    if (position < last) steps.push(`if (i < stop) i = ${after('i')};`)
  }
  return `if (tape[${base}] === ${TokenKind.array}) {
    let i = ${base} + 3; const stop = tape[${base} + 2];
    ${steps.join(' ')}
  }`
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
