import { type ChannelSet } from '../channel-set.ts'
import { type RestAnswer } from '../venue-server.ts'
import { BinanceBook } from './binance-book.ts'

const weightMax = 6000
const windowMs = 60_000
const listingWeight = 20
const limitDefault = 100
const limitMax = 5000

/** Binance's REST API with its request weights, counted per minute of the clock as the venue does. */
export class BinanceRest {
  readonly #markets: ReadonlyMap<string, ChannelSet>
  #minute = 0
  #used = 0

  constructor(markets: ReadonlyMap<string, ChannelSet>) {
    this.#markets = markets
  }

  answer(path: string, query: URLSearchParams, now: number): RestAnswer | null {
    if (path === '/api/v3/ping') return this.#weigh(1, now, () => ({ status: 200, body: '{}' }))
    if (path === '/api/v3/exchangeInfo') return this.#weigh(listingWeight, now, () => this.#listing())
    if (path !== '/api/v3/depth') return null
    const limit = Number(query.get('limit') ?? limitDefault)
    if (!Number.isInteger(limit) || limit < 1) return this.#weigh(1, now, () => illegal('limit'))
    return this.#weigh(depthWeight(limit), now, () =>
      this.#depth(query.get('symbol'), Math.min(limit, limitMax))
    )
  }

  #weigh(weight: number, now: number, answer: () => RestAnswer): RestAnswer {
    const minute = Math.floor(now / windowMs)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#used = 0
    }
    this.#used += weight
    const used = { 'x-mbx-used-weight-1m': String(this.#used) }
    if (this.#used > weightMax) {
      const seconds = Math.ceil(((minute + 1) * windowMs - now) / 1000)
      const body = '{"code":-1003,"msg":"Too many requests: the request weight of this minute is used up."}'
      return { status: 429, headers: { ...used, 'retry-after': String(seconds) }, body }
    }
    const made = answer()
    return { ...made, headers: used }
  }

  #listing(): RestAnswer {
    const symbols = [...this.#markets.values()].map(({ spec }) => ({
      symbol: spec.native,
      status: 'TRADING',
      baseAsset: spec.base,
      quoteAsset: spec.quote,
      isSpotTradingAllowed: true
    }))
    return { status: 200, body: JSON.stringify({ timezone: 'UTC', symbols }) }
  }

  #depth(symbol: string | null, limit: number): RestAnswer {
    if (symbol === null) {
      return { status: 400, body: '{"code":-1102,"msg":"Mandatory parameter \'symbol\' was not sent."}' }
    }
    const book = this.#markets.get(symbol)?.channels.orderbook
    if (!(book instanceof BinanceBook)) return { status: 400, body: '{"code":-1121,"msg":"Invalid symbol."}' }
    return { status: 200, body: book.restBody(limit) }
  }
}

/** @see https://developers.binance.com/docs/binance-spot-api-docs/rest-api */
function depthWeight(limit: number): number {
  if (limit <= 100) return 5
  if (limit <= 500) return 25
  return limit <= 1000 ? 50 : 250
}

function illegal(name: string): RestAnswer {
  return { status: 400, body: `{"code":-1100,"msg":"Illegal characters found in parameter '${name}'."}` }
}
