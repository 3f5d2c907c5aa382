/**
 * The canonical form of a symbol that is written without a separator (`btcusdt`), by the longest of the known quotes that
 * it ends with; null when it ends with none. A guess: `BUSDTRY` has two readings, so a venue's listing goes first.
 * @param quotes in upper case, in any order
 */
export function splitJoinedSymbol(joined: string, quotes: readonly string[]): string | null {
  const name = joined.toUpperCase()
  let quote = ''
  for (const known of quotes) {
    if (known.length > quote.length && name.length > known.length && name.endsWith(known)) quote = known
  }
  return quote === '' ? null : `${name.slice(0, -quote.length)}-${quote}`
}
