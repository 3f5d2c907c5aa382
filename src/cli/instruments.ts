import { fetchRest } from '../../actors/exchange/rest.ts'
import { nearestFew, orList } from '../config/nearest.ts'
import { type Instrument } from '../domain/instrument.ts'
import { type VerbSpec } from './args.ts'
import { type ConfigFlag, configFlags, readConfig } from './config-flags.ts'
import { readExchange } from './exchange-operand.ts'
import { ExitCode } from './io.ts'
import { type FoundListing, findListing } from './listing.ts'
import { type Column, tableLines } from './table.ts'
import { formatCount, formatDuration } from './values.ts'
import { defineVerb, type Verb } from './verb.ts'

const namesHinted = 3

const spec = {
  verb: 'instruments',
  operands: 'EXCHANGE',
  operandsMax: 1,
  summary: 'List what an exchange trades, and what it calls each.',
  description:
    'Prints the canonical symbol of every instrument that the exchange lists, as targets name it, and the native one, ' +
    "as the exchange writes it. The listing comes from the exchange's REST API and is kept for an hour in " +
    'run/instruments (instruments.cacheDir, instruments.maxAgeMs), from where `start` takes it too. When the exchange ' +
    'does not answer, an older one is printed and the fault told.',
  flags: {
    filter: { value: 'TEXT', help: 'Only instruments with this text in one of their names, in any case.' },
    json: { value: null, help: 'Print one JSON document instead of a table.' },
    refresh: { value: null, help: 'Ask the exchange even when a fresh listing is at hand.' },
    simulate: {
      value: 'PATH',
      help: 'Ask the simulated exchange of a running `coin-stream simulate --socket PATH`; nothing is kept.'
    },
    ...configFlags
  },
  examples: [
    'coin-stream instruments upbit --filter krw-',
    'coin-stream instruments binance --json | jq -r .instruments[].symbol',
    'coin-stream instruments upbit --simulate=run/simulation.sock'
  ]
} as const satisfies VerbSpec

export const instruments: Verb = defineVerb<ConfigFlag | 'filter' | 'json' | 'refresh' | 'simulate'>(
  spec,
  async (args, io) => {
    const adapter = readExchange(spec, args.operands[0])
    const { config } = readConfig(spec, args, io)
    const found = await findListing({
      adapter,
      settings: config.instruments,
      simulation: args.text('simulate'),
      isRefreshed: args.has('refresh'),
      rest: fetchRest
    })
    const filter = args.text('filter')
    const all = [...found.instruments].sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
    const shown = filter === null ? all : all.filter(instrument => matches(instrument, filter.toUpperCase()))
    for (const remark of found.remarks) io.err(`coin-stream: ${remark}\n`)
    if (args.has('json')) {
      const { url, source, fetchedMs } = found
      const document = { exchange: adapter.name, url, source, fetched_ts: fetchedMs, instruments: shown }
      await io.out(`${JSON.stringify(document)}\n`)
      return ExitCode.done
    }
    if (shown.length > 0) await io.out(`${listingLines(shown).join('\n')}\n`)
    const hint = shown.length === 0 && filter !== null ? spelling(filter, all) : ''
    io.err(`${origin(adapter.name, found, shown.length)}${hint}\n`)
    return ExitCode.done
  }
)

function matches({ symbol, native }: Instrument, upper: string): boolean {
  return symbol.toUpperCase().includes(upper) || native.toUpperCase().includes(upper)
}

function listingLines(list: readonly Instrument[]): string[] {
  const rows = list.map(({ symbol, native }) => [printable(symbol), printable(native)])
  const columns = ['SYMBOL', 'NATIVE'].map(
    (title, i): Column => ({
      title,
      width: rows.reduce((width, row) => Math.max(width, row[i]!.length), title.length),
      align: 'left'
    })
  )
  return tableLines(columns, rows)
}

/** A venue's text must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?')
}

/** How many, of what, from where and of when, in a sentence. */
function origin(
  exchange: string,
  { instruments: all, url, source, fetchedMs }: FoundListing,
  shown: number
): string {
  const total = formatCount(all.length)
  const count = shown === all.length ? total : `${formatCount(shown)} of ${total}`
  const age = formatDuration(Math.max(0, Date.now() - fetchedMs))
  const when = source === 'cache' ? `fetched ${age} ago` : 'fetched now'
  return `${count} instruments of ${exchange}, ${when} from ${url}.`
}

/** ` Did you mean A, B or C?` for a filter that is nearly a symbol. */
function spelling(filter: string, all: readonly Instrument[]): string {
  const names = nearestFew(
    filter,
    all.map(({ symbol }) => symbol),
    namesHinted
  )
  return names.length === 0 ? '' : ` Did you mean ${orList(names)}?`
}
