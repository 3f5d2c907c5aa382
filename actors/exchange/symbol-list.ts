const namesShown = 10

/** Symbols for a message, the first ones by name. */
export function symbolList(symbols: readonly string[]): string {
  const rest = symbols.length - namesShown
  return symbols.slice(0, namesShown).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}
