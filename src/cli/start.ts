import { defaultTargets } from '../app/default-targets.ts'
import { type ServiceOptions, type SimulationOptions } from '../app/service.ts'
import { type LoadedConfig } from '../config/load.ts'
import { type Config } from '../config/schema.ts'
import { mergePlans } from '../config/targets.ts'
import { parseTargetArgument, type TargetPlan, targetName } from '../domain/target.ts'
import { type Flag, type Parsed, type VerbSpec } from './args.ts'
import { configFlags, type OwnSettings, readConfig, socketFlag } from './config-flags.ts'
import { digestsFlag, readDigests } from './digests-flag.ts'
import { type ExitCode, type Io } from './io.ts'
import { LiveTable } from './live-table.ts'
import { runSession } from './run-session.ts'
import { answerFaultsHelp, readSimulation, simulationFlags } from './simulation-flags.ts'
import { formatDuration, readDuration } from './values.ts'
import { defineVerb, type Verb } from './verb.ts'

/** Flags of `start`, `demo` and `capture` alike. */
export const runFlags = {
  for: { value: 'DURATION', help: 'Stop by itself after this time (10s, 5m), drain and print the summary.' },
  json: { value: null, help: 'Print the summary as one JSON document; progress goes to stderr.' },
  ...simulationFlags,
  verify: {
    value: null,
    help: 'Read the records back and compare each with what the simulated exchanges sent; exit 1 on any difference.'
  },
  digests: digestsFlag,
  ...configFlags,
  socket: socketFlag,
  'log-level': { value: 'LEVEL', help: 'debug, info, warn, error or silent (log.level).' }
} as const satisfies Record<string, Flag>
type RunFlag = keyof typeof runFlags

export const captureFlag = {
  value: 'DIR',
  help: 'Write the raw frames into this folder as well, new or empty; coin-stream replay feeds them again.'
} as const satisfies Flag

export const simulateFlag = {
  value: 'PATH',
  optional: 'after-equals',
  help: 'Use simulated exchanges instead of the real ones; with =PATH those of a running `coin-stream simulate`.'
} as const satisfies Flag

const spec = {
  verb: 'start',
  operands: '[TARGET…]',
  operandsMax: 4096,
  summary: 'Run the service until it is stopped.',
  description:
    'Collects the targets named, else those of the configuration, else a small default set, and publishes them to ' +
    'Kafka when KAFKA_BROKERS (or kafka.brokers) names brokers, else to a log inside the process. A target is ' +
    'exchange/request_type:SYMBOL,SYMBOL, where the request type is ticker, trade or orderbook.\n\n' +
    'SIGTERM or Ctrl-C stops it: sockets are closed, and everything accepted is drained and acknowledged. A second ' +
    'signal hurries.',
  flags: {
    simulate: simulateFlag,
    capture: captureFlag,
    ...runFlags
  },
  examples: [
    'coin-stream start',
    'coin-stream start upbit/trade:BTC-KRW,ETH-KRW binance/orderbook:BTC-USDT',
    'KAFKA_BROKERS=localhost:9092 SCHEMA_REGISTRY_URL=none coin-stream start',
    'coin-stream start --simulate --rate 5000 --for 20s --verify --json'
  ]
} as const satisfies VerbSpec

export const start: Verb = defineVerb<RunFlag | 'simulate' | 'capture'>(spec, (args, io) =>
  runStart(spec, args, io, {
    simulation: simulationOf(args),
    own: [],
    ignoresConfiguredTargets: false,
    capture: args.text('capture')
  })
)

export function simulationOf(args: Parsed<'simulate'>): StartMode['simulation'] {
  return args.has('simulate') ? { attach: args.text('simulate') || null } : null
}

export interface StartMode {
  /** Null for the real exchanges; `attach` names the socket of a simulation that runs already. */
  readonly simulation: { readonly attach: string | null } | null
  readonly own: OwnSettings
  readonly ignoresConfiguredTargets: boolean
  /** Folder for the raw frames. */
  readonly capture: string | null
}

/** What `start`, `demo` and `capture` have in common. */
export async function runStart(
  spec: VerbSpec,
  args: Parsed<RunFlag>,
  io: Io,
  mode: StartMode
): Promise<ExitCode> {
  const helped = await answerFaultsHelp(args, io)
  if (helped !== null) return helped
  const simulation = await readSimulation(spec, args, mode.simulation)
  const forText = args.text('for')
  const forMs = forText === null ? null : readDuration(forText, '--for')
  const loaded = readConfig(spec, args, io, [
    { flag: '--socket', path: 'admin.socket', text: args.text('socket') },
    { flag: '--log-level', path: 'log.level', text: args.text('log-level') },
    ...mode.own
  ])
  const plans = choosePlans(args.operands, loaded, simulation, mode)
  const isJson = args.has('json')
  const table = new LiveTable(io, isJson)
  const { config } = loaded
  const digests = readDigests(spec, args, config)
  // Log lines would tear the table, so below errors they are shown only to who asks for them.
  const logLevel = table.isInPlace && !loaded.given.has('log.level') ? 'error' : config.log.level
  const service: ServiceOptions = {
    config,
    plans,
    simulation,
    endpoints: null,
    sinkKind: 'kafka',
    capture: mode.capture,
    replay: null,
    digests,
    forMs,
    logLevel
  }
  io.err(announcement(service, isDefault(args.operands, loaded, simulation)))
  const { runService } = await import('../app/wire.ts')
  return runSession(runService, io, { service, isJson, table })
}

function choosePlans(
  operands: readonly string[],
  { config }: LoadedConfig,
  simulation: SimulationOptions | null,
  { ignoresConfiguredTargets }: StartMode
): readonly TargetPlan[] {
  const named = mergePlans(operands.map(parseTargetArgument))
  const configured = ignoresConfiguredTargets ? [] : config.targets
  const plans = named.length > 0 ? named : configured
  // The simulation knows best what it offers, so an empty list leaves the choice to it.
  return plans.length > 0 || simulation !== null ? plans : defaultTargets()
}

function isDefault(
  operands: readonly string[],
  { config }: LoadedConfig,
  simulation: SimulationOptions | null
): boolean {
  return operands.length === 0 && config.targets.length === 0 && simulation === null
}

/** What is about to happen, in sentences. */
function announcement(
  { config, plans, simulation, capture, forMs }: ServiceOptions,
  isDefaultSet: boolean
): string {
  const sentences: string[] = []
  if (plans.length === 0) sentences.push('Collecting every channel that the simulated exchanges offer.')
  else {
    const list = plans.map(({ target, symbols }) => `  ${targetName(target)}:${symbols.join(',')}`)
    const why = isDefaultSet ? ' (the default set; name others as arguments or in the configuration)' : ''
    sentences.push(`Collecting${why}:\n${list.join('\n')}`)
  }
  sentences.push(sinkSentence(config))
  if (simulation !== null) sentences.push(simulationSentence(simulation))
  if (capture !== null) sentences.push(`The raw frames are written into ${capture} as well.`)
  if (forMs !== null) sentences.push(`It stops by itself after ${formatDuration(forMs)}.`)
  return `${sentences.join('\n')}\n`
}

export function sinkSentence({ kafka: { brokers }, serialization, registry }: Config): string {
  return brokers.length === 0
    ? 'Records go into the log inside this process; set KAFKA_BROKERS to send them to Kafka.'
    : `Records go to Kafka at ${brokers.join(', ')} as ${serialization.data}; registry: ${registry.url}.`
}

function simulationSentence({ attach, rate, seed, faults, verify }: SimulationOptions): string {
  const check = verify ? ' Every record is read back and compared with what was sent.' : ''
  if (attach !== null) return `The exchanges are simulated by the process behind ${attach}.${check}`
  const pace = rate === 'max' ? 'the highest steady rate' : `${rate} events a second`
  const trouble = faults === '' ? '' : `, with the faults ${faults}`
  return `The exchanges are simulated at ${pace}, seed ${seed}${trouble}.${check}`
}
