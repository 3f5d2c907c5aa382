import { type ExchangeName } from '../domain/target.ts'
import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { binance } from './binance.ts'
import { bitfinex } from './bitfinex.ts'
import { bithumb } from './bithumb.ts'
import { bybit } from './bybit.ts'
import { coinbase } from './coinbase.ts'
import { coinone } from './coinone.ts'
import { huobi } from './huobi.ts'
import { korbit } from './korbit.ts'
import { kraken } from './kraken.ts'
import { okx } from './okx.ts'
import { upbit } from './upbit.ts'

/** Every exchange the service can connect to, one line each. */
export const adapters = {
  upbit,
  bithumb,
  coinone,
  korbit,
  binance,
  bybit,
  okx,
  huobi,
  coinbase,
  kraken,
  bitfinex
} as const satisfies Record<ExchangeName, ExchangeAdapter>

export function adapterOf(exchange: ExchangeName): ExchangeAdapter {
  return adapters[exchange]
}
