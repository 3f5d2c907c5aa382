import { requestTypes } from '../domain/target.ts'
import { wrap } from './args.ts'
import { type ExchangeFacts, type MessageRateFacts, type RateFacts } from './exchange-facts.ts'
import { type Column, tableLines } from './table.ts'

const titles = ['EXCHANGE', 'REGION', 'SYMBOL', 'BOOK', 'TRADE IDS', 'A SOCKET']

/** One line a venue. */
export function exchangesTable(all: readonly ExchangeFacts[]): string[] {
  const rows = all.map(facts => [
    facts.exchange,
    facts.region,
    facts.example.symbol,
    bookText(facts),
    tradeIdsText(facts),
    String(facts.limits.symbols_per_connection)
  ])
  const columns = titles.map((title, i): Column => {
    const width = Math.max(title.length, ...rows.map(row => row[i]!.length))
    return { title, width, align: title === 'A SOCKET' ? 'right' : 'left' }
  })
  return tableLines(columns, rows)
}

/** Everything about one venue, in lines of at most `width` characters. */
export function exchangeText(facts: ExchangeFacts, width: number): string {
  const { limits } = facts
  const rows: (readonly [name: string, text: string])[] = [
    ['region', facts.region],
    ['documentation', facts.documentation],
    ['channels', requestTypes.map(type => `${type} ${facts.channels[type]}`).join(', ')],
    ['symbols', `${facts.example.symbol} is ${facts.example.native}`],
    ['instruments', facts.listing ?? 'no listing; symbols go by rule'],
    ['confirmed by', confirmedText(facts)],
    ['heartbeat', heartbeatText(facts)],
    ['connects', ratesText([limits.connects])],
    ['connections', limits.connections === null ? 'no number published' : `at most ${limits.connections}`],
    ['symbols', `${limits.symbols_per_connection} a connection, ${limits.symbols_per_request} a request`],
    ['messages', messagesText(limits.messages)],
    ['REST weight', ratesText([limits.rest_weight])],
    ['age', ageText(limits.connection_age_max_ms)],
    ['compression', facts.compression],
    ['trade ids', tradeIdsText(facts)],
    ['frames', facts.numbers_frames ? 'numbered: a hole is a lost frame' : 'not numbered'],
    ['book', facts.book.procedure],
    ...facts.quirks.map(quirk => ['note', quirk] as const)
  ]
  const nameWidth = Math.max(...rows.map(([name]) => name.length))
  const lines = rows.flatMap(([name, text]) =>
    wrap(text, width - nameWidth - 4).map(
      (line, i) => `  ${(i === 0 ? name : '').padEnd(nameWidth)}  ${line}`
    )
  )
  return [facts.exchange, ...lines].join('\n')
}

export function confirmedText({ confirmed_by }: ExchangeFacts): string {
  return confirmed_by === 'ack' ? 'ack' : 'first data'
}

/** The way of a book in a few words: where its snapshot is from, what its numbers tell, what else proves it. */
export function bookText({ book }: ExchangeFacts): string {
  if (book.mode === 'whole') return 'whole'
  const words = [book.snapshot === 'rest' ? 'REST' : book.snapshot, sequenceNames[book.sequence ?? 'none']]
  if (book.check !== 'none') words.push(book.check)
  return words.filter(word => word !== null).join(', ')
}

const sequenceNames = {
  'first-follows-last': 'contiguous',
  'previous-equals-last': 'linked',
  increasing: 'increasing',
  none: null
}

export function tradeIdsText({ trade_ids }: ExchangeFacts): string {
  return trade_ids
}

export function heartbeatText({ heartbeat }: Pick<ExchangeFacts, 'heartbeat'>): string {
  const { ping, watchdog_ms } = heartbeat
  const sent =
    ping === null
      ? 'the venue pings'
      : `${ping.text === null ? 'a WebSocket ping' : `the text ${ping.text}`} every ${timeText(ping.every_ms)}`
  return `${sent}; silent for ${timeText(watchdog_ms)}: probed`
}

export function ageText(ms: number | null): string {
  return ms === null ? '–' : `at most ${timeText(ms)}`
}

/** `5 in 1 s, 100 in 1 min` */
export function ratesText(rates: readonly RateFacts[]): string {
  if (rates.length === 0) return '–'
  return rates.map(({ count, window_ms }) => `${count} in ${timeText(window_ms)}`).join(', ')
}

/** `480 requests in 1 h` where only those count. */
export function messagesText(rates: readonly MessageRateFacts[]): string {
  if (rates.length === 0) return '–'
  const whatOf = ({ count, counts }: MessageRateFacts): string =>
    counts === 'messages' ? '' : count === 1 ? ' request' : ' requests'
  return rates.map(rate => `${rate.count}${whatOf(rate)} in ${timeText(rate.window_ms)}`).join(', ')
}

const units = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000]
] as const

/** In the largest unit that divides it: `24 h`, `90 s`, `1 min`, `250 ms`. */
function timeText(ms: number): string {
  const unit = units.find(([, size]) => ms % size === 0)
  return unit === undefined ? `${ms} ms` : `${ms / unit[1]} ${unit[0]}`
}
