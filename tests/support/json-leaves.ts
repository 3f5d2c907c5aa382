/** A scalar of a JSON text: where it stands, quotes left out. */
export interface Leaf {
  /** Keys and positions from the root. */
  readonly path: readonly string[]
  readonly kind: 'string' | 'number' | 'word'
  readonly start: number
  readonly end: number
}

const token = /\s*(?:("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([[\]{},:]))/y

/** All scalars of a JSON text in their order, by a reader of its own that knows nothing of the codec's. */
export function leavesOf(text: string): Leaf[] {
  const leaves: Leaf[] = []
  token.lastIndex = 0
  const next = () => {
    const match = token.exec(text)
    if (match === null) throw new TypeError(`no JSON at ${token.lastIndex}: ${text}`)
    return match
  }
  const value = (match: RegExpExecArray, path: readonly string[]): void => {
    const [, quoted, number, word, sign] = match
    const end = token.lastIndex
    if (quoted !== undefined) {
      leaves.push({ path, kind: 'string', start: end - quoted.length + 1, end: end - 1 })
    } else if (number !== undefined) {
      leaves.push({ path, kind: 'number', start: end - number.length, end })
    } else if (word !== undefined) {
      leaves.push({ path, kind: 'word', start: end - word.length, end })
    } else {
      const isList = sign === '['
      for (let position = 0; ; position++) {
        let item = next()
        if (item[4] === ']' || item[4] === '}') return
        if (item[4] === ',') item = next()
        let key = String(position)
        if (!isList) {
          key = JSON.parse(item[1] ?? '') as string
          next()
          item = next()
        }
        value(item, [...path, key])
      }
    }
  }
  value(next(), [])
  return leaves
}

/** The text with some of its scalars written anew. */
export function replaced(text: string, changes: ReadonlyMap<Leaf, string>): string {
  let result = text
  for (const [leaf, fresh] of [...changes].sort(([a], [b]) => b.start - a.start)) {
    result = result.slice(0, leaf.start) + fresh + result.slice(leaf.end)
  }
  return result
}
