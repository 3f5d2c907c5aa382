import { IngestError } from '../core/errors.ts'
import {
  canonicalSymbolPattern,
  type ExchangeName,
  isExchangeName,
  isRequestType,
  type RequestType
} from '../domain/target.ts'

/** One channel of one symbol, as `exchange/request_type:SYMBOL`. */
export interface ChannelRef {
  readonly exchange: ExchangeName
  readonly requestType: RequestType
  readonly symbol: string
}

export interface Flood extends ChannelRef {
  readonly events: number
}

/** What the simulated exchanges do wrong on request. Everything absent is null, zero or empty. */
export interface FaultPlan {
  readonly dropEveryMs: number | null
  readonly corruptRate: number
  readonly reorderRate: number
  readonly stallMs: number | null
  readonly mutes: readonly ChannelRef[]
  readonly loses: readonly ChannelRef[]
  readonly rejects: readonly ChannelRef[]
  readonly floods: readonly Flood[]
  /** Exchanges that accept a connection and close it at once. */
  readonly acceptClose: readonly (ExchangeName | 'all')[]
}

export const noFaults: FaultPlan = {
  dropEveryMs: null,
  corruptRate: 0,
  reorderRate: 0,
  stallMs: null,
  mutes: [],
  loses: [],
  rejects: [],
  floods: [],
  acceptClose: []
}

/** What `--faults` without a list means. */
export const defaultFaults = 'drop:2s,corrupt:0.001,mute:upbit/trade:BTC-KRW'

const floodEventsDefault = 10_000
const floodEventsMax = 1_000_000
export const stallPauseMs = 10_000
export const floodEveryMs = 5_000
/** How long after its confirmation a channel is muted, or loses its one event. */
export const muteAfterMs = 3_000

export const faultsHelp = `Faults of the simulated exchanges, as a list with commas (default: ${defaultFaults})

  drop:2s                        one random connection is cut off every 2 s
  corrupt:0.001                  1 data frame in 1,000 is made invalid JSON
  reorder:0.001                  1 event in 1,000 goes over the wire after its successor
  stall:5s                       one random connection falls silent for 5 s, then sends what it held; again every 10 s
  mute:upbit/trade:BTC-KRW       one channel of one symbol is silent from 3 s after its confirmation until it is subscribed again
  lose:binance/orderbook:BTC-USDT  one event of that channel, 3 s after its confirmation, is never sent (where events are numbered)
  reject:binance/trade:ETH-USDT  a subscription of it is refused (Upbit, which refuses nothing, stays silent)
  flood:binance/trade:BTC-USDT   10,000 events of that channel at once, every 5 s; *N behind it sets another number
  accept-close                   every connection is accepted and closed at once; accept-close:upbit for one exchange
`

type Draft = {
  -readonly [K in keyof FaultPlan]: FaultPlan[K] extends readonly (infer T)[] ? T[] : FaultPlan[K]
}

/**
 * Reads a list as in `drop:2s,corrupt:0.001`. An empty text means no faults.
 * @throws IngestError USAGE that names the part.
 */
export function parseFaults(text: string): FaultPlan {
  const plan: Draft = { ...noFaults, mutes: [], loses: [], rejects: [], floods: [], acceptClose: [] }
  if (text.trim() === '') return plan
  for (const raw of text.split(',')) {
    const part = raw.trim()
    const colon = part.indexOf(':')
    const name = colon < 0 ? part : part.slice(0, colon)
    addFault(plan, part, name, colon < 0 ? null : part.slice(colon + 1))
  }
  return plan
}

function addFault(plan: Draft, part: string, name: string, value: string | null): void {
  switch (name) {
    case 'drop':
      plan.dropEveryMs = readDuration(part, value)
      break
    case 'stall':
      plan.stallMs = readDuration(part, value)
      break
    case 'corrupt':
      plan.corruptRate = readRate(part, value)
      break
    case 'reorder':
      plan.reorderRate = readRate(part, value)
      break
    case 'mute':
      plan.mutes.push(readChannel(part, value))
      break
    case 'lose':
      plan.loses.push(readChannel(part, value))
      break
    case 'reject':
      plan.rejects.push(readChannel(part, value))
      break
    case 'flood':
      plan.floods.push(readFlood(part, value))
      break
    case 'accept-close':
      plan.acceptClose.push(value === null ? 'all' : readExchange(part, value))
      break
    default:
      throw wrong(part, `"${name}" is no fault; known are ${knownFaults.join(', ')}`)
  }
}

const knownFaults = [
  'drop',
  'corrupt',
  'reorder',
  'stall',
  'mute',
  'lose',
  'reject',
  'flood',
  'accept-close'
] as const

function readDuration(part: string, value: string | null): number {
  const match = /^(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)$/.exec(value ?? '')
  const ms =
    match === null ? 0 : Number(match[1]) * { ms: 1, s: 1000, m: 60_000 }[match[2] as 'ms' | 's' | 'm']
  if (ms < 1) throw wrong(part, 'it needs a duration such as 500ms, 2s or 1m')
  return ms
}

function readRate(part: string, value: string | null): number {
  const rate = /^\d*\.?\d+$/.test(value ?? '') ? Number(value) : Number.NaN
  if (!(rate > 0 && rate <= 1)) throw wrong(part, 'it needs a share above 0 and at most 1, such as 0.001')
  return rate
}

function readChannel(part: string, value: string | null): ChannelRef {
  const match = /^([a-z]+)\/([a-z]+):(.+)$/.exec(value ?? '')
  const [exchange, requestType, symbol] = [match?.[1] ?? '', match?.[2] ?? '', match?.[3] ?? '']
  if (!isRequestType(requestType) || !canonicalSymbolPattern.test(symbol)) {
    throw wrong(part, 'it needs a channel such as upbit/trade:BTC-KRW')
  }
  return { exchange: readExchange(part, exchange), requestType, symbol }
}

function readFlood(part: string, value: string | null): Flood {
  const [channel, count] = (value ?? '').split('*', 2)
  const events = count === undefined ? floodEventsDefault : Number(count)
  if (!Number.isInteger(events) || events < 1 || events > floodEventsMax) {
    throw wrong(part, `the number behind * must be from 1 to ${floodEventsMax}`)
  }
  return { ...readChannel(part, channel ?? ''), events }
}

function readExchange(part: string, name: string): ExchangeName {
  if (!isExchangeName(name)) throw wrong(part, `"${name}" is no exchange`)
  return name
}

function wrong(part: string, reason: string): IngestError {
  return new IngestError('USAGE', `Fault "${part}" cannot be read: ${reason}. See --faults help.`)
}
