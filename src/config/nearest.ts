/**
 * The candidate that `word` was most likely meant to be: at most two edits away, fewer for short words, since
 * every three-letter word is close to every other. Null when nothing is near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null
  let bestDistance = farFrom(word)
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Up to `count` candidates that `nearest` would take, the nearest first; of equals those that begin alike. */
export function nearestFew(word: string, candidates: Iterable<string>, count: number): string[] {
  const far = farFrom(word)
  const near: { readonly name: string; readonly distance: number; readonly alike: number }[] = []
  for (const name of candidates) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase(), far)
    if (distance < far) near.push({ name, distance, alike: charactersAlike(word, name) })
  }
  return near
    .sort((a, b) => a.distance - b.distance || b.alike - a.alike || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name)
}

/** `A`, `A or B`, `A, B or C` */
export function orList(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`
}

/** As many edits make another word of it. */
function farFrom(word: string): number {
  return Math.min(2, Math.floor(word.length / 4) + 1) + 1
}

/** How many characters two words have in common from their beginning. */
function charactersAlike(a: string, b: string): number {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return length
}

/** `; did you mean "x"?` or nothing, to be put before the end of a sentence. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates)
  return found === null ? '' : `; did you mean ${found}?`
}

/** Insertions, deletions, substitutions and swaps of neighbours; gives up (and answers `limit`) at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, beforeLast[j - 2]! + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return Math.min(last[b.length]!, limit)
}
