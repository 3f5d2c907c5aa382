import { type LiveCheckOptions } from '../app/live-check/live-check.ts'
import { type SimulationClient, startOrAttach } from '../app/simulation-client.ts'
import { canonicalSymbolPattern, type ExchangeName } from '../domain/target.ts'
import { adapters } from '../exchanges/registry.ts'
import { type Parsed, usage, type VerbSpec } from './args.ts'
import { readExchange } from './exchange-operand.ts'
import { ExitCode, type Io } from './io.ts'
import { liveCheckText } from './live-check-text.ts'
import { answerFaultsHelp, readBehaviour, simulationFlags } from './simulation-flags.ts'
import { formatDuration, readDuration } from './values.ts'
import { defineVerb, type Verb } from './verb.ts'

const defaultFor = '30s'

const spec = {
  verb: 'live-check',
  operands: '[EXCHANGE…]',
  operandsMax: 64,
  summary: 'Connect to the real exchanges and report what works.',
  description:
    'Connects to each exchange named, else to all of them, as the service does: same sockets, subscriptions, ' +
    'heartbeats, limits, decoding and gap detection, on all three channels of a few liquid symbols. Prints one line a ' +
    'channel with what was found below it: what was confirmed or refused, frames that cannot be decoded, fields that ' +
    'nobody reads, holes in sequences, clock offsets. Nothing is published, and nothing in the report names this ' +
    'machine: paste it into a bug report.\n\n' +
    'Exit code 0 when no channel failed (a degraded one works, with something to look at), 1 when one did, 130 when ' +
    'it was interrupted. docs/live-check.md explains the document that --json prints.',
  flags: {
    for: {
      value: 'DURATION',
      help: `How long each channel is watched once its socket is open (default ${defaultFor}).`
    },
    symbols: {
      value: 'A-B,C-D',
      help: 'Canonical symbols to subscribe instead of those chosen from the listing.'
    },
    json: {
      value: null,
      help:
        'Print one JSON document instead of the table: verdict, and exchanges[].channels[] with verdict, connection, ' +
        'symbols, frames, undecodable, unknown_fields, sequence, heartbeat, clock_offset_ms and findings.'
    },
    simulate: {
      value: 'PATH',
      optional: 'after-equals',
      help: 'Check simulated exchanges instead of the real ones; with =PATH those of a running `coin-stream simulate`.'
    },
    ...simulationFlags
  },
  examples: [
    'coin-stream live-check',
    'coin-stream live-check upbit kraken --for 10s --json',
    'coin-stream live-check binance --symbols BTC-USDT,SHIB-USDT',
    'coin-stream live-check --simulate --for 3s'
  ]
} as const satisfies VerbSpec
type LiveCheckFlag = keyof typeof spec.flags

export const liveCheck: Verb = defineVerb<LiveCheckFlag>(spec, async (args, io) => {
  const helped = await answerFaultsHelp(args, io)
  if (helped !== null) return helped
  const named = [...new Set(args.operands.map(name => readExchange(spec, name).name))]
  const symbols = readSymbols(args.text('symbols'))
  const forMs = readDuration(args.text('for') ?? defaultFor, '--for')
  const simulation = await openSimulation(args)
  try {
    const exchanges = chooseExchanges(named, simulation)
    const abort = new AbortController()
    const release = io.onSignal(() => {
      // A second signal ends the process as signals do.
      release()
      io.err('Stopping: what was seen so far is reported; signal again to end at once.\n')
      abort.abort()
    })
    try {
      return await check(args, io, {
        exchanges,
        symbols,
        forMs,
        isSimulated: simulation !== null,
        endpointsOf: exchange => simulation?.venues.find(venue => venue.exchange === exchange) ?? null,
        signal: abort.signal,
        progress: line => io.err(`${line}\n`)
      })
    } finally {
      release()
    }
  } finally {
    await simulation?.close()
  }
})

async function check(args: Parsed<LiveCheckFlag>, io: Io, options: LiveCheckOptions): Promise<ExitCode> {
  const { exchanges, forMs, isSimulated } = options
  const kind = isSimulated ? 'simulated exchange' : 'exchange'
  const count = exchanges.length === 1 ? `1 ${kind}` : `${exchanges.length} ${kind}s`
  io.err(`Checking ${count} for ${formatDuration(forMs)} each: ${exchanges.join(', ')}.\n`)
  const { runLiveCheck } = await import('../app/live-check/live-check.ts')
  const report = await runLiveCheck(options)
  await io.out(args.has('json') ? `${JSON.stringify(report)}\n` : liveCheckText(report))
  if (report.interrupted) return ExitCode.interrupted
  return report.verdict === 'failed' ? ExitCode.failed : ExitCode.done
}

async function openSimulation(args: Parsed<LiveCheckFlag>): Promise<SimulationClient | null> {
  const given = (['rate', 'seed', 'faults'] as const).find(flag => args.has(flag))
  if (!args.has('simulate')) {
    if (given !== undefined) throw usage(spec, `--${given} needs --simulate`)
    return null
  }
  const attach = args.text('simulate') || null
  if (attach !== null && given !== undefined) {
    throw usage(spec, `--${given} belongs to the running simulation; give it to coin-stream simulate`)
  }
  return startOrAttach({ attach, ...(await readBehaviour(args)) })
}

function chooseExchanges(
  named: readonly ExchangeName[],
  simulation: SimulationClient | null
): readonly ExchangeName[] {
  const supported = Object.keys(adapters) as ExchangeName[]
  const wanted = named.length > 0 ? named : supported
  if (simulation === null) return wanted
  const simulated = new Set(simulation.venues.map(({ exchange }) => exchange))
  const missing = named.filter(exchange => !simulated.has(exchange))
  if (missing.length > 0) {
    throw usage(
      spec,
      `${missing.join(', ')} cannot be simulated; there are simulations of ${[...simulated].join(', ')}`
    )
  }
  return wanted.filter(exchange => simulated.has(exchange))
}

function readSymbols(text: string | null): readonly string[] | null {
  if (text === null) return null
  const symbols = [...new Set(text.split(','))]
  const bad = symbols.find(symbol => !canonicalSymbolPattern.test(symbol))
  if (bad !== undefined) {
    throw usage(spec, `--symbols takes BASE-QUOTE in upper case, such as BTC-KRW, and "${bad}" is none`)
  }
  return symbols
}
