import { type ExchangeName } from '../domain/target.ts'
import { binanceSimulation } from './binance.ts'
import { bitfinexSimulation } from './bitfinex.ts'
import { bithumbSimulation } from './bithumb.ts'
import { bybitSimulation } from './bybit.ts'
import { coinbaseSimulation } from './coinbase.ts'
import { coinoneSimulation } from './coinone.ts'
import { huobiSimulation } from './huobi.ts'
import { korbitSimulation } from './korbit.ts'
import { krakenSimulation } from './kraken.ts'
import { okxSimulation } from './okx.ts'
import { type Simulation } from './simulation.ts'
import { upbitSimulation } from './upbit.ts'

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
