import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { FrameDecoder, type FrameExplanation } from '../../src/codec/decode.ts'
import { type ExchangeName } from '../../src/domain/target.ts'

/**
 * Frames recorded from the real venues. They are not part of the project (COIN_STREAM_FRAMES names their folder). What a
 * record must contain is read from the frame's text by regular expressions, which share nothing with the codec.
 */
const folder =
  process.env['COIN_STREAM_FRAMES'] ?? fileURLToPath(new URL('../../../../shared/frames/', import.meta.url))

interface Decoded {
  readonly frame: string
  readonly events: readonly Record<string, unknown>[]
  readonly explanation: FrameExplanation
}

function linesOf(file: string): string[] | null {
  const path = join(folder, file)
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : null
}

function decodeFrame(decoder: FrameDecoder, frame: string): Decoded {
  const lines = decoder.decode(new TextEncoder().encode(frame)).map(line => JSON.parse(line) as unknown)
  return {
    frame,
    events: lines.slice(0, -1) as Record<string, unknown>[],
    explanation: lines.at(-1) as FrameExplanation
  }
}

function decodeFile(exchange: ExchangeName, file = `${exchange}.ndjson`): Decoded[] | null {
  const decoder = new FrameDecoder(exchange, { explain: true })
  return linesOf(file)?.map(frame => decodeFrame(decoder, frame)) ?? null
}

const skipReason = (file: string) => `${file} is not in ${folder}; set COIN_STREAM_FRAMES to read it`

/** The digits of a JSON number with its exponent, if any, expanded. */
function expanded(number: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number)
  assert.ok(match, `${number} is no number`)
  const [, sign = '', whole = '', fraction = '', exponent] = match
  if (exponent === undefined) return number
  const shift = Number(exponent)
  const all = whole + fraction
  const point = whole.length + shift
  const padded = point <= 0 ? '0'.repeat(1 - point) + all : all.padEnd(point, '0')
  const cut = point <= 0 ? 1 : point
  const integer = padded.slice(0, cut).replace(/^0+(?=\d)/, '')
  const rest = padded.slice(cut)
  return sign + (rest === '' ? integer : `${integer}.${rest}`)
}

function field(frame: string, name: string): string {
  const match = new RegExp(`"${name}":("?)([^",}\\]]+)\\1`).exec(frame)
  assert.ok(match?.[2] !== undefined, `${name} is not in ${frame}`)
  return match[2]
}

const isNonZero = (text: string) => /[1-9]/.test(text)

test('every recorded Upbit frame gives one record with the digits of the frame', t => {
  const frames = decodeFile('upbit')
  if (frames === null) return t.skip(skipReason('upbit.ndjson'))
  assert.equal(frames.length, 449)
  const seen = { trade: 0, orderbook: 0 }
  for (const { frame, events, explanation } of frames) {
    assert.equal(explanation.kind, 'data', frame)
    assert.equal(events.length, 1)
    const event = events[0]
    assert.equal(event?.['native_symbol'], field(frame, 'cd'))
    assert.equal(event?.['stream_type'], field(frame, 'st'))
    if (field(frame, 'ty') === 'trade') {
      seen.trade++
      assert.equal(event?.['price'], expanded(field(frame, 'tp')))
      assert.equal(event?.['size'], expanded(field(frame, 'tv')))
      assert.equal(event?.['trade_id'], field(frame, 'sid'))
      assert.equal(event?.['side'], field(frame, 'ab') === 'BID' ? 'BUY' : 'SELL')
      assert.equal(event?.['exchange_ts'], Number(`${field(frame, 'ttms')}000`))
    } else {
      seen.orderbook++
      const units = [...frame.matchAll(/\{"ap":([^,]+),"bp":([^,]+),"as":([^,]+),"bs":([^}]+)\}/g)]
      assert.equal(units.length, 15)
      const side = (price: number, size: number) =>
        units
          .map(unit => ({ price: expanded(unit[price] ?? ''), size: expanded(unit[size] ?? '') }))
          .filter(level => isNonZero(level.price) && isNonZero(level.size))
      assert.deepEqual(event?.['asks'], side(1, 3))
      assert.deepEqual(event?.['bids'], side(2, 4))
      assert.equal(event?.['exchange_ts'], Number(`${field(frame, 'tms')}000`))
    }
  }
  assert.deepEqual(seen, { trade: 304, orderbook: 145 })
})

test('every recorded Binance frame is data or a kind we leave out, with the digits of the frame', t => {
  const frames = decodeFile('binance')
  if (frames === null) return t.skip(skipReason('binance.ndjson'))
  assert.equal(frames.length, 1228)
  const seen = { depth: 0, trade: 0, ignored: 0 }
  for (const { frame, events, explanation } of frames) {
    if (/"stream":"[^"]*@(bookTicker|kline)/.test(frame)) {
      seen.ignored++
      assert.deepEqual([explanation.kind, explanation.reason, events.length], ['ignored', 'kind', 0])
      continue
    }
    assert.equal(explanation.kind, 'data', frame)
    assert.equal(events.length, 1)
    const event = events[0]
    const symbol = String(event?.['symbol'])
    assert.equal(event?.['native_symbol'], field(frame, 's'))
    assert.match(symbol, /^[A-Z0-9]+-[A-Z0-9]+$/)
    assert.equal(symbol.replace('-', ''), field(frame, 's'))
    if (field(frame, 'e') === 'aggTrade') {
      seen.trade++
      assert.equal(event?.['price'], field(frame, 'p'))
      assert.equal(event?.['size'], field(frame, 'q'))
      assert.equal(event?.['trade_id'], field(frame, 'a'))
      assert.equal(event?.['side'], field(frame, 'm') === 'true' ? 'SELL' : 'BUY')
      assert.equal(event?.['exchange_ts'], Number(`${field(frame, 'T')}000`))
    } else {
      seen.depth++
      const side = (name: string) => {
        const list = new RegExp(`"${name}":\\[((?:\\[[^\\]]*\\],?)*)\\]`).exec(frame)?.[1] ?? 'none'
        return [...list.matchAll(/\["([^"]*)","([^"]*)"\]/g)].map(level => ({
          price: level[1],
          size: level[2]
        }))
      }
      assert.deepEqual(event?.['bids'], side('b'))
      assert.deepEqual(event?.['asks'], side('a'))
      assert.equal(event?.['sequence_first'], field(frame, 'U'))
      assert.equal(event?.['sequence_last'], field(frame, 'u'))
      assert.equal(event?.['exchange_ts'], Number(`${field(frame, 'E')}000`))
    }
  }
  assert.deepEqual(seen, { depth: 614, trade: 24, ignored: 590 })
})

/** What became of the frames: how many of each kind, with the reason. */
function tallyOf(frames: readonly Decoded[]): Record<string, number> {
  const tally: Record<string, number> = {}
  for (const { explanation } of frames) {
    const kind = explanation.reason === null ? explanation.kind : `${explanation.kind}: ${explanation.reason}`
    tally[kind] = (tally[kind] ?? 0) + 1
  }
  return tally
}

const decimalFields = [
  ...['price', 'size', 'last', 'open', 'high', 'low', 'prev_close', 'bid', 'bid_size', 'ask', 'ask_size'],
  ...['base_volume', 'quote_volume', 'change']
]

/** Every decimal of the events, as text. */
function decimalsOf(events: readonly Record<string, unknown>[]): string[] {
  const texts: string[] = []
  const take = (value: unknown) => {
    if (typeof value === 'string') texts.push(value)
  }
  for (const event of events) {
    for (const name of decimalFields) take(event[name])
    for (const level of [event['bids'], event['asks']].flat() as (
      | { price: string; size: string }
      | undefined
    )[]) {
      take(level?.price)
      take(level?.size)
    }
  }
  return texts
}

/** The digits of every number in a text, quoted or not, without signs. */
function numbersIn(frame: string): Set<string> {
  const numbers = frame.match(/(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/g) ?? []
  return new Set(numbers.map(expanded))
}

const recordings: readonly {
  readonly file: string
  readonly exchange: ExchangeName
  readonly tally: Readonly<Record<string, number>>
}[] = [
  // Its paper market has no canonical symbol.
  {
    file: 'bitfinex.ndjson',
    exchange: 'bitfinex',
    tally: { control: 65, data: 1544, 'ignored: symbol': 84 }
  },
  { file: 'coinbase-exchange.ndjson', exchange: 'coinbase', tally: { control: 3, data: 1497 } },
  { file: 'huobi.ndjson', exchange: 'huobi', tally: { control: 21, data: 99 } },
  {
    file: 'kraken-v1.ndjson',
    exchange: 'kraken',
    tally: { control: 83, 'ignored: unsupported protocol': 26 }
  },
  { file: 'okx.ndjson', exchange: 'okx', tally: { control: 18, data: 908 } }
]

for (const { file, exchange, tally } of recordings) {
  test(`every frame of ${file} is known, and its events have the digits of the frame`, t => {
    const frames = decodeFile(exchange, file)
    if (frames === null) return t.skip(skipReason(file))
    assert.deepEqual(tallyOf(frames), tally)
    for (const { frame, events } of frames) {
      const numbers = numbersIn(frame)
      for (const decimal of decimalsOf(events)) {
        // Zero is what stands for a removed level where the venue counts orders.
        assert.ok(decimal === '0' || numbers.has(decimal.replace('-', '')), `${decimal} in ${frame}`)
      }
    }
  })
}

interface Sample {
  readonly exchange: string
  readonly kind: string
  readonly frame: unknown
}

const venueOf: Readonly<Record<string, ExchangeName>> = {
  cbx: 'coinbase',
  cba: 'coinbase',
  kraken1: 'kraken',
  bfx: 'bitfinex'
}

/** Whether a sample is what a client sends, or the answer to an HTTP request. */
function isNoFrame({ exchange, kind }: Sample): boolean {
  if (exchange === 'huobi' && kind === 'pong') return true
  // Of all venues only this one sends the ping.
  if (kind === 'ping') return exchange !== 'huobi'
  return /^(?:sub|unsub$|conf$|req_mbp$|rest)/.test(kind)
}

test('no sample frame of any venue is unknown', t => {
  const file = 'modern-samples.ndjson'
  const lines = linesOf(file)
  if (lines === null) return t.skip(skipReason(file))
  const decoders = new Map<string, FrameDecoder>()
  const venues = new Set<ExchangeName>()
  let frames = 0
  for (const line of lines) {
    const sample = JSON.parse(line) as Sample
    if (isNoFrame(sample)) continue
    // The text as it stands in the line: parsing and writing it anew would change its digits.
    const written = /"frame":(.*)\}$/.exec(line)?.[1] ?? ''
    const frame = typeof sample.frame === 'string' ? sample.frame : written
    const exchange = venueOf[sample.exchange] ?? (sample.exchange as ExchangeName)
    const decoder = decoders.get(sample.exchange) ?? new FrameDecoder(exchange, { explain: true })
    decoders.set(sample.exchange, decoder)
    venues.add(exchange)
    frames++
    const { explanation } = decodeFrame(decoder, frame)
    assert.match(
      explanation.kind,
      /^(?:data|control|ignored)$/,
      `${sample.exchange} ${sample.kind}: ${frame}`
    )
  }
  assert.equal(venues.size, 11)
  assert.ok(frames > 90, `${frames} frames`)
})
