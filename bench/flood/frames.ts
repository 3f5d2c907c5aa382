/**
 * Frames of one channel, rendered once as WebSocket wire bytes. What must not repeat (ids, update ids, event times) is
 * written over in place before each pass, so that a flood costs the server next to nothing.
 */
export interface FrameBlock {
  readonly bytes: Uint8Array
  readonly ends: readonly number[]
  /** Gives every frame of the block new ids and times. */
  renew(): void
}

/** A run of digits inside a block and the counter that fills it. */
interface Patch {
  readonly at: number
  readonly width: number
  next(): number
}

export const framesPerBlock = 192

/** One symbol's counters, shared by the blocks of a connection so that its ids go on from block to block. */
export interface Counters {
  tradeId: number
  updateId: number
  millis: number
}

export function newCounters(): Counters {
  return { tradeId: 4_000_000_000, updateId: 7_000_000_000, millis: 1_790_000_000_000 }
}

export const channels = [
  'binance/trade',
  'binance/orderbook',
  'binance/ticker',
  'upbit/trade',
  'upbit/orderbook',
  'upbit/ticker'
] as const
export type Channel = (typeof channels)[number]

/** What the flood offers and every contender takes, unless a suite says otherwise. */
export const floodSymbols = {
  binance: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'XRPUSDT', 'BNBUSDT'],
  upbit: ['KRW-BTC', 'KRW-ETH', 'KRW-XRP', 'KRW-SOL', 'KRW-DOGE']
} as const

export interface FloodSymbols {
  readonly binance: readonly string[]
  readonly upbit: readonly string[]
}

/** Marks in a template: #t trade id, #U and #u update ids, #m event time in milliseconds. */
const widths: Readonly<Record<string, number>> = { '#t': 10, '#U': 10, '#u': 10, '#m': 13 }

function template(channel: Channel, native: string, i: number): string {
  const price = (60_000 + (i % 97)).toString()
  const size = `0.${String(10_000_000 + i * 37).slice(0, 8)}`
  switch (channel) {
    case 'binance/trade':
      return `{"stream":"${native.toLowerCase()}@trade","data":{"e":"trade","E":#m,"s":"${native}","t":#t,"p":"${price}.10000000","q":"${size}","T":#m,"m":${i % 2 === 0},"M":true}}`
    case 'binance/orderbook': {
      const levels = (n: number): string =>
        Array.from({ length: n }, (_, k) => `["${60_000 + k}.${(i + k) % 10}0000000","${size}"]`).join(',')
      return `{"stream":"${native.toLowerCase()}@depth@100ms","data":{"e":"depthUpdate","E":#m,"s":"${native}","U":#U,"u":#u,"b":[${levels(3)}],"a":[${levels(2)}]}}`
    }
    case 'binance/ticker':
      return `{"stream":"${native.toLowerCase()}@ticker","data":{"e":"24hrTicker","E":#m,"s":"${native}","p":"0.00970000","P":"0.345","w":"2.85732575","x":"2.81550000","c":"${price}.2","Q":"398.90000000","b":"2.82500000","B":"8662.90000000","a":"2.82510000","A":"40171.90000000","o":"2.81540000","h":"2.89640000","l":"2.79910000","v":"97641316.90000000","q":"278993049.05423000","O":1758595659274,"C":1758682059274,"F":1354044647,"L":#t,"n":1139279}}`
    case 'upbit/trade':
      return `{"type":"trade","code":"${native}","timestamp":#m,"trade_date":"2026-09-02","trade_time":"07:46:20","trade_timestamp":#m,"trade_price":${price}000.00000000,"trade_volume":${size},"ask_bid":"${i % 2 === 0 ? 'ASK' : 'BID'}","prev_closing_price":107005000.00000000,"change":"FALL","change_price":314000.00000000,"sequential_id":1788335#t,"best_ask_price":106705000,"best_ask_size":0.00906333,"best_bid_price":106691000,"best_bid_size":0.00702247,"stream_type":"REALTIME"}`
    case 'upbit/orderbook': {
      const unit = (k: number): string =>
        `{"ask_price":1.16${539 + k}E8,"bid_price":1.16${538 - k}E8,"ask_size":0.0${2_054_761 + i * 13 + k},"bid_size":0.0${8_120_946 + i * 7 + k}}`
      const units = Array.from({ length: 15 }, (_, k) => unit(k)).join(',')
      return `{"type":"orderbook","code":"${native}","timestamp":#m,"total_ask_size":2.51469375,"total_bid_size":1.63815297,"orderbook_units":[${units}],"stream_type":"REALTIME","level":0}`
    }
    case 'upbit/ticker':
      return `{"type":"ticker","code":"${native}","opening_price":158219000.00000000,"high_price":159278000.00000000,"low_price":157588000.00000000,"trade_price":${price}000.00000000,"prev_closing_price":158200000.00000000,"acc_trade_price":95078733694.3792000000000000,"change":"RISE","change_price":1000.00000000,"signed_change_price":1000.00000000,"change_rate":0.0000063211,"signed_change_rate":0.0000063211,"ask_bid":"BID","trade_volume":0.00006321,"acc_trade_volume":600.02894052,"trade_date":"20250926","trade_time":"082645","trade_timestamp":#m,"acc_ask_volume":341.67985038,"acc_bid_volume":258.34909014,"highest_52_week_price":169900000.00000000,"highest_52_week_date":"2025-08-14","lowest_52_week_price":80635000.00000000,"lowest_52_week_date":"2024-10-10","market_state":"ACTIVE","is_trading_suspended":false,"delisting_date":null,"market_warning":"NONE","timestamp":#m,"acc_trade_price_24h":331187169240.21526,"acc_trade_volume_24h":2083.8${2485091 + i},"stream_type":"REALTIME"}`
  }
}

/** Renders one block for the symbols of a channel, round-robin; `counters` by symbol, `first` the ordinal of its frames. */
export function renderBlock(
  channel: Channel,
  natives: readonly string[],
  counters: ReadonlyMap<string, Counters>,
  first = 0
): FrameBlock {
  const chunks: Buffer[] = []
  const ends: number[] = []
  const patches: Patch[] = []
  let at = 0
  for (let i = first; i < first + framesPerBlock; i++) {
    const native = natives[i % natives.length]!
    const counter = counters.get(native)!
    const { text, marks } = blanked(template(channel, native, i))
    const payload = Buffer.from(text)
    const header = headerOf(payload.length, channel.startsWith('upbit') ? 0x82 : 0x81)
    for (const mark of marks) {
      patches.push({
        at: at + header.length + mark.at,
        width: widths[mark.name]!,
        next: stepOf(mark, counter)
      })
    }
    chunks.push(header, payload)
    at += header.length + payload.length
    ends.push(at)
  }
  const bytes = Buffer.concat(chunks)
  const renew = (): void => {
    for (const patch of patches) writeDigits(bytes, patch.at, patch.width, patch.next())
  }
  return { bytes, ends, renew }
}

/** The frames of a block without their WebSocket headers. */
export function payloadsOf(block: FrameBlock): Buffer[] {
  return block.ends.map((end, i) => {
    const start = i === 0 ? 0 : block.ends[i - 1]!
    const isLong = (block.bytes[start + 1]! & 0x7f) === 126
    return Buffer.from(block.bytes.subarray(start + (isLong ? 4 : 2), end))
  })
}

/** Which counter fills a mark. Of two event times in one frame only the first moves the clock. */
function stepOf(
  mark: { readonly name: string; readonly isRepeated: boolean },
  counter: Counters
): () => number {
  switch (mark.name) {
    case '#t':
      return () => ++counter.tradeId
    case '#U':
      return () => counter.updateId + 1
    case '#u':
      return () => (counter.updateId += 2)
    default:
      return mark.isRepeated ? () => counter.millis : () => ++counter.millis
  }
}

function blanked(text: string): { text: string; marks: { name: string; at: number; isRepeated: boolean }[] } {
  const marks: { name: string; at: number; isRepeated: boolean }[] = []
  let out = ''
  for (let i = 0; i < text.length; ) {
    const name = text.slice(i, i + 2)
    const width = widths[name]
    if (width === undefined) {
      out += text[i++]
      continue
    }
    marks.push({ name, at: out.length, isRepeated: marks.some(mark => mark.name === name) })
    out += '0'.repeat(width)
    i += 2
  }
  return { text: out, marks }
}

function headerOf(length: number, opcode: number): Buffer {
  if (length < 126) return Buffer.from([opcode, length])
  return Buffer.from([opcode, 126, length >> 8, length & 255])
}

function writeDigits(bytes: Uint8Array, at: number, width: number, value: number): void {
  let rest = value
  for (let i = at + width - 1; i >= at; i--) {
    const next = Math.floor(rest / 10)
    bytes[i] = 48 + (rest - next * 10)
    rest = next
  }
}
