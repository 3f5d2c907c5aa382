import { type ExchangeName } from '../domain/target.ts'
import { binanceSimulation } from './binance.ts'
import { type Simulation } from './simulation.ts'
import { upbitSimulation } from './upbit.ts'

/** Every simulated exchange, one line each. */
export const simulations = {
  upbit: upbitSimulation,
  binance: binanceSimulation
} as const satisfies Partial<Record<ExchangeName, Simulation>>

export type SimulatedExchange = keyof typeof simulations
export const simulatedExchanges = Object.keys(simulations) as readonly SimulatedExchange[]
