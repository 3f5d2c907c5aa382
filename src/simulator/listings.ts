import { IngestError } from '../core/errors.ts'
import { type RequestType } from '../domain/target.ts'
import { BinanceBook } from './binance-book.ts'
import { BinanceMarket } from './binance-market.ts'
import { BinanceTicker } from './binance-ticker.ts'
import { BinanceTrade } from './binance-trade.ts'
import { type ChannelFaults } from './channel.ts'
import { ChannelSet, type MarketChannels } from './channel-set.ts'
import { type FaultLog } from './fault-log.ts'
import { type ChannelRef, type FaultPlan, muteAfterMs } from './faults.ts'
import { ChannelLedger, type Ledger, type OrdinalPlace } from './ledger.ts'
import { binanceMarkets, type MarketSpec, upbitMarkets } from './market-spec.ts'
import { Random } from './random.ts'
import { UpbitBook } from './upbit-book.ts'
import { UpbitMarket } from './upbit-market.ts'
import { UpbitTicker } from './upbit-ticker.ts'
import { UpbitTrade } from './upbit-trade.ts'

export const simulatedExchanges = ['upbit', 'binance'] as const
export type SimulatedExchange = (typeof simulatedExchanges)[number]

/** What all markets of a run share. */
export interface World {
  readonly seed: number
  readonly faults: FaultPlan
  readonly faultLog: FaultLog
  readonly ledger: Ledger
}

/** The markets of a venue by native symbol; their channels' ledgers are registered at once, empty. */
export function listings(exchange: SimulatedExchange, world: World): ReadonlyMap<string, ChannelSet> {
  const specs = exchange === 'upbit' ? upbitMarkets : binanceMarkets
  return new Map(
    specs.map(spec => [spec.native, exchange === 'upbit' ? upbit(spec, world) : binance(spec, world)])
  )
}

/** @throws IngestError USAGE when a fault names a channel that is not simulated, or loses what nobody could miss. */
export function checkFaultChannels(faults: FaultPlan, ledger: Ledger): void {
  const { mutes, loses, rejects, floods } = faults
  for (const ref of [...mutes, ...loses, ...rejects, ...floods]) {
    const channel = ledger.get(ref.exchange, ref.requestType, ref.symbol)
    const name = `${ref.exchange}/${ref.requestType}:${ref.symbol}`
    if (channel === undefined) {
      throw new IngestError('USAGE', `A fault names ${name}, which no simulated exchange of this run has.`)
    }
    if (loses.includes(ref) && channel.place !== 'sequence' && channel.place !== 'trade-id') {
      const why = 'the venue does not number its events, so nobody can notice that one is missing'
      throw new IngestError('USAGE', `An event of ${name} cannot be lost on request: ${why}.`)
    }
  }
}

function upbit(spec: MarketSpec, world: World): ChannelSet {
  const ticker = addLedger(spec, world, 'ticker', 'volume')
  const trade = addLedger(spec, world, 'trade', 'size')
  const orderbook = addLedger(spec, world, 'orderbook', 'best-bid')
  return new ChannelSet(spec, rejectedOf(spec, world.faults), (): MarketChannels => {
    const shared = new UpbitMarket(spec, world.seed)
    return {
      market: shared.market,
      channels: {
        ticker: new UpbitTicker(shared, ticker, faultsOf(ticker, world)),
        trade: new UpbitTrade(shared, trade, faultsOf(trade, world)),
        orderbook: new UpbitBook(shared, orderbook, faultsOf(orderbook, world))
      }
    }
  })
}

function binance(spec: MarketSpec, world: World): ChannelSet {
  const ticker = addLedger(spec, world, 'ticker', 'volume')
  const trade = addLedger(spec, world, 'trade', 'trade-id')
  const orderbook = addLedger(spec, world, 'orderbook', 'sequence')
  return new ChannelSet(spec, rejectedOf(spec, world.faults), (): MarketChannels => {
    const shared = new BinanceMarket(spec, world.seed)
    return {
      market: shared.market,
      channels: {
        ticker: new BinanceTicker(shared, ticker, faultsOf(ticker, world)),
        trade: new BinanceTrade(shared, trade, faultsOf(trade, world)),
        orderbook: new BinanceBook(shared, orderbook, faultsOf(orderbook, world))
      }
    }
  })
}

function addLedger(spec: MarketSpec, world: World, type: RequestType, place: OrdinalPlace): ChannelLedger {
  const ledger = new ChannelLedger(spec.exchange, type, spec.symbol, spec.native, place)
  world.ledger.add(ledger)
  return ledger
}

function faultsOf(ledger: ChannelLedger, world: World): ChannelFaults {
  const { faults, faultLog, seed } = world
  const names = (refs: readonly ChannelRef[]): boolean => refs.some(ref => isOf(ref, ledger))
  return {
    muteAfterMs: names(faults.mutes) ? muteAfterMs : null,
    loseAfterMs: names(faults.loses) ? muteAfterMs : null,
    reorderRate: faults.reorderRate,
    random: new Random(seed, `faults ${ledger.exchange}/${ledger.requestType}:${ledger.symbol}`),
    log: faultLog
  }
}

function isOf(ref: ChannelRef, ledger: ChannelLedger): boolean {
  return (
    ref.exchange === ledger.exchange && ref.requestType === ledger.requestType && ref.symbol === ledger.symbol
  )
}

function rejectedOf(spec: MarketSpec, faults: FaultPlan): ReadonlySet<RequestType> {
  const refs = faults.rejects.filter(ref => ref.exchange === spec.exchange && ref.symbol === spec.symbol)
  return new Set(refs.map(ref => ref.requestType))
}
