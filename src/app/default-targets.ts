import { type ExchangeName, exchangeRegions, requestTypes, type TargetPlan } from '../domain/target.ts'

/** One venue of each region, so that every region's topics have something in them. */
const symbols: Partial<Record<ExchangeName, readonly string[]>> = {
  upbit: ['BTC-KRW', 'ETH-KRW', 'XRP-KRW'],
  binance: ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'],
  coinbase: ['BTC-USD', 'ETH-USD', 'SOL-USD'],
  bitfinex: ['BTC-USD', 'ETH-USD', 'SOL-USD']
}

/** What `start` collects when nothing is named: all channels of a few liquid pairs. */
export function defaultTargets(): TargetPlan[] {
  return plansFor(new Map(Object.entries(symbols) as [ExchangeName, readonly string[]][]))
}

/** All channels of each exchange for the symbols given. */
export function plansFor(offered: ReadonlyMap<ExchangeName, readonly string[]>): TargetPlan[] {
  return [...offered].flatMap(([exchange, list]) =>
    requestTypes.map(request_type => ({
      target: { region: exchangeRegions[exchange], exchange, request_type },
      symbols: list,
      projection: []
    }))
  )
}
