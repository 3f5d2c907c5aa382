import { type Instrument } from '../../domain/instrument.ts'
import { type Region } from '../../domain/target.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'

const bases = ['BTC', 'ETH', 'XRP', 'SOL', 'DOGE'] as const
/** In which currency the region's exchanges trade most. */
const quotes: Readonly<Record<Region, readonly string[]>> = {
  korea: ['KRW', 'USDT', 'USD'],
  asia: ['USDT', 'USD', 'KRW'],
  na: ['USD', 'USDT', 'KRW'],
  eu: ['USD', 'USDT', 'KRW']
}
/** Taken from the listing where it has none of those. */
const fallbackSymbols = 3

/**
 * A few liquid symbols of a venue: the usual coins against the first of the usual currencies that lists them, else the
 * first ones of the listing.
 * @param listed null where there is no listing: then the venue's naming rule decides
 */
export function chooseSymbols(
  adapter: ExchangeAdapter,
  listed: readonly Instrument[] | null
): readonly Instrument[] {
  const preferred = quotes[adapter.region]
  if (listed === null || listed.length === 0) {
    return bases.map(base => byRule(adapter, `${base}-${preferred[0]}`))
  }
  const bySymbol = new Map(listed.map(instrument => [instrument.symbol, instrument]))
  const found = bases.flatMap(base => {
    const symbol = preferred.map(quote => `${base}-${quote}`).find(name => bySymbol.has(name))
    return symbol === undefined ? [] : [bySymbol.get(symbol)!]
  })
  return found.length > 0 ? found : listed.slice(0, fallbackSymbols)
}

/** Symbols that somebody named; one that the venue does not list gets the name it would have. */
export function namedSymbols(
  adapter: ExchangeAdapter,
  listed: readonly Instrument[] | null,
  symbols: readonly string[]
): readonly Instrument[] {
  return symbols.map(
    symbol => listed?.find(instrument => instrument.symbol === symbol) ?? byRule(adapter, symbol)
  )
}

function byRule(adapter: ExchangeAdapter, symbol: string): Instrument {
  return { symbol, native: adapter.instruments.nativeOf(symbol) }
}
