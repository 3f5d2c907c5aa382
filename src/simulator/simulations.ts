import { type ExchangeName } from '../domain/target.ts'
import { type Simulation } from './simulation.ts'
import { binanceSimulation } from './venues/binance.ts'
import { bitfinexSimulation } from './venues/bitfinex.ts'
import { bithumbSimulation } from './venues/bithumb.ts'
import { bybitSimulation } from './venues/bybit.ts'
import { coinbaseSimulation } from './venues/coinbase.ts'
import { coinoneSimulation } from './venues/coinone.ts'
import { huobiSimulation } from './venues/huobi.ts'
import { korbitSimulation } from './venues/korbit.ts'
import { krakenSimulation } from './venues/kraken.ts'
import { okxSimulation } from './venues/okx.ts'
import { upbitSimulation } from './venues/upbit.ts'

/** Every simulated exchange, one line each. */
export const simulations = {
  upbit: upbitSimulation,
  bithumb: bithumbSimulation,
  coinone: coinoneSimulation,
  korbit: korbitSimulation,
  binance: binanceSimulation,
  bybit: bybitSimulation,
  okx: okxSimulation,
  huobi: huobiSimulation,
  coinbase: coinbaseSimulation,
  kraken: krakenSimulation,
  bitfinex: bitfinexSimulation
} as const satisfies Record<ExchangeName, Simulation>

export type SimulatedExchange = keyof typeof simulations
export const simulatedExchanges = Object.keys(simulations) as readonly SimulatedExchange[]
