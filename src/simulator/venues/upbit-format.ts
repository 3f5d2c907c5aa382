/** Upbit's four ways of writing one frame: long or short field names, alone or wrapped in a list. */
export const upbitFormats = ['DEFAULT', 'SIMPLE', 'JSON_LIST', 'SIMPLE_LIST'] as const
export type UpbitFormat = (typeof upbitFormats)[number]

const shortNames: Readonly<Record<string, string>> = {
  type: 'ty',
  code: 'cd',
  opening_price: 'op',
  high_price: 'hp',
  low_price: 'lp',
  trade_price: 'tp',
  trade_volume: 'tv',
  prev_closing_price: 'pcp',
  change: 'c',
  change_price: 'cp',
  change_rate: 'cr',
  signed_change_price: 'scp',
  signed_change_rate: 'scr',
  acc_trade_volume: 'atv',
  acc_trade_price: 'atp',
  acc_trade_volume_24h: 'atv24h',
  acc_trade_price_24h: 'atp24h',
  ask_bid: 'ab',
  acc_ask_volume: 'aav',
  acc_bid_volume: 'abv',
  trade_time: 'ttm',
  trade_timestamp: 'ttms',
  timestamp: 'tms',
  highest_52_week_price: 'h52wp',
  highest_52_week_date: 'h52wdt',
  lowest_52_week_price: 'l52wp',
  lowest_52_week_date: 'l52wdt',
  market_state: 'ms',
  is_trading_suspended: 'its',
  market_warning: 'mw',
  delisting_date: 'dd',
  stream_type: 'st',
  sequential_id: 'sid',
  best_ask_price: 'bap',
  best_ask_size: 'bas',
  best_bid_price: 'bbp',
  best_bid_size: 'bbs',
  total_ask_size: 'tas',
  total_bid_size: 'tbs',
  orderbook_units: 'obu',
  ask_price: 'ap',
  bid_price: 'bp',
  ask_size: 'as',
  bid_size: 'bs',
  level: 'lv'
}

/** Writes field names in one format. */
export class FieldNames {
  readonly #isShort: boolean
  readonly isList: boolean
  readonly #tradeDate: string

  constructor(format: UpbitFormat, tradeDate: 'td' | 'tdt') {
    this.#isShort = format === 'SIMPLE' || format === 'SIMPLE_LIST'
    this.isList = format === 'JSON_LIST' || format === 'SIMPLE_LIST'
    this.#tradeDate = tradeDate
  }

  /** `"name":`, with a comma before it unless it is the first. */
  key(name: string, isFirst = false): string {
    // The date of a trade is abbreviated differently in the ticker and in the trade frame.
    const short = name === 'trade_date' ? this.#tradeDate : shortNames[name]
    return `${isFirst ? '' : ','}"${this.#isShort ? (short ?? name) : name}":`
  }
}
