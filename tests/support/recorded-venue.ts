import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type WebSocket } from 'ws'
import { VenueServer } from './venue-server.ts'

/**
 * Frames recorded from the real venues. They are not part of the project; their folder lies beside the project's, which
 * is the working directory of the tests. What the service must make of them is read
 * from their text by regular expressions and arithmetic on big integers, which share nothing with the codec.
 */
export const framesFolder = resolve(process.env['COIN_STREAM_FRAMES'] ?? '../shared/frames')

export type RecordedExchange = 'upbit' | 'binance'

/** The values of one record, in the texts that it must have. */
export interface ExpectedRecord {
  readonly requestType: 'trade' | 'orderbook'
  readonly native: string
  readonly values: Readonly<Record<string, unknown>>
}

export interface Recording {
  readonly exchange: RecordedExchange
  readonly frames: readonly string[]
  /** In the order of the frames; frames of other kinds have none. */
  readonly records: readonly ExpectedRecord[]
  /** Native names in the order of their first frame, each with its canonical symbol. */
  readonly symbols: ReadonlyMap<string, string>
}

/** Null when the recordings are not on this machine. */
export function readRecording(exchange: RecordedExchange): Recording | null {
  const path = join(framesFolder, `${exchange}.ndjson`)
  if (!existsSync(path)) return null
  const frames = readFileSync(path, 'utf8').trimEnd().split('\n')
  const read = exchange === 'upbit' ? upbitRecord : binanceRecord
  const records = frames.map(read).filter(record => record !== null)
  const natives = frames.map(frame => textOf(frame, exchange === 'upbit' ? 'cd' : 's'))
  const canonical = exchange === 'upbit' ? upbitSymbol : binanceSymbol
  const symbols = new Map(natives.map(native => [native, canonical(native)]))
  return { exchange, frames, records, symbols }
}

/** A venue that answers every subscription with its whole recording, and lists exactly the recorded symbols. */
export function startRecordedVenue(recording: Recording): Promise<VenueServer> {
  const accepted = (socket: WebSocket): void => {
    socket.once('message', data => {
      if (recording.exchange === 'binance') {
        const { id } = JSON.parse((data as Buffer).toString('utf8')) as { readonly id: number }
        socket.send(JSON.stringify({ result: null, id }))
      }
      for (const frame of recording.frames) socket.send(frame)
    })
  }
  return VenueServer.start({ accepted, rest: path => ({ status: 200, body: restBody(recording, path) }) })
}

/** The update id on which the first recorded update of a Binance book follows. */
export function snapshotId(recording: Recording, native: string): string {
  const first = recording.records.find(
    record => record.requestType === 'orderbook' && record.native === native
  )
  return String(BigInt(String(first?.values['sequence_first'])) - 1n)
}

function restBody(recording: Recording, path: string): string {
  const { pathname, searchParams } = new URL(path, 'http://venue')
  switch (pathname) {
    case '/v1/market/all':
      return JSON.stringify([...recording.symbols.keys()].map(market => ({ market })))
    case '/api/v3/exchangeInfo': {
      const symbols = [...recording.symbols].map(([symbol, canonical]) => {
        const [baseAsset, quoteAsset] = canonical.split('-')
        return { symbol, status: 'TRADING', baseAsset, quoteAsset }
      })
      return JSON.stringify({ symbols })
    }
    case '/api/v3/depth':
      return `{"lastUpdateId":${snapshotId(recording, searchParams.get('symbol') ?? '')},"bids":[],"asks":[]}`
    default:
      return assert.fail(`the service asks for ${path}`)
  }
}

function upbitSymbol(native: string): string {
  return native.split('-').toReversed().join('-')
}

function binanceSymbol(native: string): string {
  const match = /^(.+)(USDT|BUSD|TRY|ETH|BTC|BNB|RUB)$/.exec(native)
  assert.ok(match, `the recording has a symbol that this test cannot split: ${native}`)
  return `${match[1]}-${match[2]}`
}

function upbitRecord(frame: string): ExpectedRecord {
  const native = textOf(frame, 'cd')
  const common = { native_symbol: native, stream_type: textOf(frame, 'st') }
  if (textOf(frame, 'ty') === 'trade') {
    const values = {
      ...common,
      exchange_ts: micros(frame, 'ttms'),
      trade_id: textOf(frame, 'sid'),
      price: expanded(textOf(frame, 'tp')),
      size: expanded(textOf(frame, 'tv')),
      side: textOf(frame, 'ab') === 'BID' ? 'BUY' : 'SELL',
      sequence: null
    }
    return { requestType: 'trade', native, values }
  }
  const units = [...frame.matchAll(/\{"ap":([^,]+),"bp":([^,]+),"as":([^,]+),"bs":([^}]+)\}/g)]
  const side = (price: number, size: number) =>
    units
      .map(unit => ({ price: expanded(unit[price]!), size: expanded(unit[size]!) }))
      // Shallow books are padded with zeros, which are no levels.
      .filter(level => /[1-9]/.test(level.price) && /[1-9]/.test(level.size))
  const values = {
    ...common,
    exchange_ts: micros(frame, 'tms'),
    kind: 'SNAPSHOT',
    asks: side(1, 3),
    bids: side(2, 4),
    sequence_first: null,
    sequence_last: null
  }
  return { requestType: 'orderbook', native, values }
}

function binanceRecord(frame: string): ExpectedRecord | null {
  const event = /"e":"(\w+)"/.exec(frame)?.[1]
  if (event !== 'aggTrade' && event !== 'depthUpdate') return null
  const native = textOf(frame, 's')
  const common = { native_symbol: native, stream_type: 'REALTIME' }
  if (event === 'aggTrade') {
    const values = {
      ...common,
      exchange_ts: micros(frame, 'T'),
      trade_id: textOf(frame, 'a'),
      price: expanded(textOf(frame, 'p')),
      size: expanded(textOf(frame, 'q')),
      side: textOf(frame, 'm') === 'true' ? 'SELL' : 'BUY'
    }
    return { requestType: 'trade', native, values }
  }
  const side = (name: string) => {
    const list = new RegExp(`"${name}":\\[((?:\\[[^\\]]*\\],?)*)\\]`).exec(frame)?.[1]
    assert.ok(list !== undefined, `${name} is not in ${frame}`)
    const levels = [...list.matchAll(/\["([^"]*)","([^"]*)"\]/g)]
    return levels.map(level => ({ price: expanded(level[1]!), size: expanded(level[2]!) }))
  }
  const values = {
    ...common,
    exchange_ts: micros(frame, 'E'),
    kind: 'DELTA',
    bids: side('b'),
    asks: side('a'),
    sequence_first: textOf(frame, 'U'),
    sequence_last: textOf(frame, 'u')
  }
  return { requestType: 'orderbook', native, values }
}

/** The first value of that name, as it is written. */
function textOf(frame: string, name: string): string {
  const match = new RegExp(`"${name}":("?)([^",}\\]]+)\\1`).exec(frame)
  assert.ok(match?.[2] !== undefined, `${name} is not in ${frame}`)
  return match[2]
}

function micros(frame: string, name: string): number {
  return Number(BigInt(textOf(frame, name)) * 1000n)
}

/** A number without exponent is kept to the letter; with one it is the same value, written out. */
function expanded(number: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(number)
  if (match === null) return number
  const [, sign, whole = '', fraction = '', exponent] = match
  const digits = BigInt(whole + fraction)
  const places = fraction.length - Number(exponent)
  if (places <= 0) return `${sign}${digits * 10n ** BigInt(-places)}`
  const unit = 10n ** BigInt(places)
  return `${sign}${digits / unit}.${String(digits % unit).padStart(places, '0')}`
}
