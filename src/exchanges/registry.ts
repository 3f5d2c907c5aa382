import { IngestError } from '../core/errors.ts'
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
} as const satisfies Partial<Record<ExchangeName, ExchangeAdapter>>

/** @throws IngestError TARGET_INVALID for an exchange that is planned but not supported yet */
export function adapterOf(exchange: ExchangeName): ExchangeAdapter {
  const adapter = (adapters as Partial<Record<ExchangeName, ExchangeAdapter>>)[exchange]
  if (adapter !== undefined) return adapter
  const known = Object.keys(adapters).join(', ')
  throw new IngestError(
    'TARGET_INVALID',
    `Exchange "${exchange}" is not supported yet; supported are ${known}.`
  )
}
