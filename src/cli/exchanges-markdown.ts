import { requestTypes } from '../domain/target.ts'
import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { type ExchangeFacts, factsOf } from './exchange-facts.ts'
import {
  ageText,
  bookText,
  confirmedText,
  heartbeatText,
  messagesText,
  ratesText,
  tradeIdsText
} from './exchanges-text.ts'

const preamble = `<!-- Made from the adapters in src/exchanges by \`coin-stream exchanges --markdown\`; a test keeps it so. -->

# Exchanges

What each exchange offers, what it asks of its clients, and what a reader of its records must know. The limits are those the
exchange publishes, or gentler ones; the service stays at or below 80 % of each rate.

Confirmed by: the exchange acknowledges each subscription, or its first data does. Book: whole in every frame, or updates
behind a snapshot that comes in the stream, by REST or on request. Trade ids: a hole in contiguous ones is a lost trade; unique
ones only tell repeats.
`

/** docs/exchanges.md, made from the adapters; a test compares the two. */
export function exchangesMarkdown(adapters: readonly ExchangeAdapter[]): string {
  const all = adapters.map(factsOf)
  return `${[preamble, overview(all), limits(all), ...all.map(section)].join('\n').trimEnd()}\n`
}

function overview(all: readonly ExchangeFacts[]): string {
  const rows = all.map(facts => [
    `[${facts.exchange}](#${facts.exchange})`,
    facts.region,
    code(facts.example.symbol),
    code(facts.example.native),
    confirmedText(facts),
    bookText(facts),
    tradeIdsText(facts),
    facts.compression
  ])
  const titles = [
    'exchange',
    'region',
    'symbol',
    'native',
    'confirmed by',
    'book',
    'trade ids',
    'compression'
  ]
  return table(titles, rows)
}

function limits(all: readonly ExchangeFacts[]): string {
  const rows = all.map(({ exchange, limits, ...facts }) => [
    exchange,
    ratesText([limits.connects]),
    limits.connections === null ? '–' : String(limits.connections),
    String(limits.symbols_per_connection),
    String(limits.symbols_per_request),
    messagesText(limits.messages),
    ratesText([limits.rest_weight]),
    ageText(limits.connection_age_max_ms),
    heartbeatText({ heartbeat: facts.heartbeat })
  ])
  const titles = [
    'exchange',
    'connects',
    'connections',
    'symbols a connection',
    'symbols a request',
    'messages',
    'REST weight',
    'age of a connection',
    'heartbeat'
  ]
  return `## Limits\n\n${table(titles, rows)}`
}

function section(facts: ExchangeFacts): string {
  const channels = requestTypes.map(type => `${type} ${code(facts.channels[type])}`).join(', ')
  const lines = [
    `- Channels: ${channels}. [Documentation](${facts.documentation})`,
    `- Instruments: ${facts.listing === null ? 'no listing; symbols go by rule' : code(facts.listing)}`,
    `- Book: ${facts.book.procedure}`,
    ...(facts.numbers_frames
      ? [
          '- Every frame of a connection is numbered: a hole is a lost frame, and the connection is dialled anew.'
        ]
      : []),
    ...facts.quirks.map(quirk => `- ${quirk}`)
  ]
  return `## ${facts.exchange}\n\n${lines.join('\n')}\n`
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return `${[line(titles), `|${'---|'.repeat(titles.length)}`, ...rows.map(line)].join('\n')}\n`
}

function code(text: string): string {
  return `\`${text}\``
}
