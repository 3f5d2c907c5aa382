import { IngestError } from '../core/errors.ts'

export const regions = ['korea', 'asia', 'na', 'eu'] as const
export type Region = (typeof regions)[number]

export const requestTypes = ['ticker', 'trade', 'orderbook'] as const
export type RequestType = (typeof requestTypes)[number]

/** The closed list of exchanges, each in exactly one region. */
export const exchangeRegions = {
  upbit: 'korea',
  bithumb: 'korea',
  coinone: 'korea',
  korbit: 'korea',
  binance: 'asia',
  bybit: 'asia',
  okx: 'asia',
  huobi: 'asia',
  coinbase: 'na',
  kraken: 'na',
  bitfinex: 'eu'
} as const satisfies Record<string, Region>
export type ExchangeName = keyof typeof exchangeRegions

export interface Target {
  readonly region: Region
  readonly exchange: ExchangeName
  readonly request_type: RequestType
}

/** What a target should deliver: canonical symbols (`BTC-KRW`) and raw field names that travel in `extras`. */
export interface TargetPlan {
  readonly target: Target
  readonly symbols: readonly string[]
  readonly projection: readonly string[]
}

/** `region|exchange|request_type`, the key of everything that concerns a target. */
export function targetKey(target: Target): string {
  return `${target.region}|${target.exchange}|${target.request_type}`
}

/** `exchange/request_type`, the form people type and read. */
export function targetName(target: Target): string {
  return `${target.exchange}/${target.request_type}`
}

export function isExchangeName(text: string): text is ExchangeName {
  return Object.hasOwn(exchangeRegions, text)
}

export function isRequestType(text: string): text is RequestType {
  return (requestTypes as readonly string[]).includes(text)
}

/** `BASE-QUOTE`. Some coins have Chinese names, without an upper case. */
export const canonicalSymbolPattern = /^[A-Z0-9.\u4e00-\u9fff]{1,20}-[A-Z0-9.\u4e00-\u9fff]{1,20}$/

/**
 * Reads `exchange/request_type:SYMBOL,SYMBOL`.
 * @throws IngestError TARGET_INVALID that names the offending part.
 */
export function parseTargetArgument(text: string): TargetPlan {
  const match = /^([a-z]+)\/([a-z]+):(.+)$/.exec(text)
  const [exchange, requestType, symbolList] = [match?.[1], match?.[2], match?.[3]]
  if (exchange === undefined || requestType === undefined || symbolList === undefined) {
    throw new IngestError(
      'TARGET_INVALID',
      `Target "${text}" is not of the form exchange/request_type:SYMBOL,SYMBOL, for example upbit/trade:BTC-KRW.`
    )
  }
  if (!isExchangeName(exchange)) {
    throw new IngestError(
      'TARGET_INVALID',
      `Target "${text}" names the unknown exchange "${exchange}"; known are ${Object.keys(exchangeRegions).join(', ')}.`
    )
  }
  if (!isRequestType(requestType)) {
    throw new IngestError(
      'TARGET_INVALID',
      `Target "${text}" names the unknown request type "${requestType}"; known are ${requestTypes.join(', ')}.`
    )
  }
  const symbols = [...new Set(symbolList.split(','))]
  const bad = symbols.find(symbol => !canonicalSymbolPattern.test(symbol))
  if (bad !== undefined) {
    throw new IngestError(
      'TARGET_INVALID',
      `Target "${text}" has the symbol "${bad}"; write symbols as BASE-QUOTE in upper case, for example BTC-KRW.`
    )
  }
  const region = exchangeRegions[exchange]
  return { target: { region, exchange, request_type: requestType }, symbols, projection: [] }
}
