import { type ServiceOptions } from '../app/service.ts'
import { readCaptureFolder } from '../capture/capture-folder.ts'
import { spanOf } from '../capture/capture-span.ts'
import { IngestError } from '../core/errors.ts'
import { targetName } from '../domain/target.ts'
import { type Parsed, usage, type VerbSpec } from './args.ts'
import { configFlags, readConfig, socketFlag } from './config-flags.ts'
import { digestsFlag, readDigests } from './digests-flag.ts'
import { LiveTable } from './live-table.ts'
import { runSession } from './run-session.ts'
import { sinkSentence } from './start.ts'
import { readSpan } from './values.ts'
import { defineVerb, type Verb } from './verb.ts'

const flags = {
  speed: {
    value: 'original|max',
    help: 'Keep the times between the frames, or feed them as fast as the sink takes the records (default max).'
  },
  from: {
    value: 'TIME',
    help: 'Begin at this time: 2026-11-21T15:04:05Z, or 30s after the beginning of the capture.'
  },
  to: { value: 'TIME', help: 'End at this time, given as for --from.' },
  json: { value: null, help: 'Print the summary as one JSON document; progress goes to stderr.' },
  digests: digestsFlag,
  ...configFlags,
  socket: socketFlag,
  'log-level': { value: 'LEVEL', help: 'debug, info, warn, error or silent (log.level).' }
} as const
type ReplayFlag = keyof typeof flags

const spec = {
  verb: 'replay',
  operands: 'DIR',
  operandsMax: 1,
  summary: 'Feed a capture through the same code again, into any sink.',
  description:
    'Sends the frames of a capture through the very code that a running service uses, without any network, into Kafka ' +
    'when KAFKA_BROKERS (or kafka.brokers) names brokers, else into a log inside the process. Receive times, connection ' +
    'ids and frame numbers are those of the capture, so that two replays give the same bytes in the same order for every ' +
    'key of the data topics; gap events, metrics and errors have ids and times of their own.\n\n' +
    'A replay that begins in the middle (--from) has no updates of a book before that book’s next snapshot. A Kafka ' +
    'broker that restarts forgets producers whose newest records carry old times, so that a batch that was on its way ' +
    'then may be written twice.',
  flags,
  examples: [
    'coin-stream replay captures/monday',
    'coin-stream replay captures/monday --digests --json',
    'coin-stream replay captures/monday --from 5m --to 6m --speed original',
    'KAFKA_BROKERS=localhost:9092 coin-stream replay captures/monday'
  ]
} as const satisfies VerbSpec

export const replay: Verb = defineVerb<ReplayFlag>(spec, async (args, io) => {
  const folder = args.operands[0]
  if (folder === undefined) throw usage(spec, 'It needs the folder of a capture')
  const speed = readSpeed(args)
  const { manifest, threads } = await readCaptureFolder(folder)
  const fromMicros = readTime(args, 'from', manifest.started_ts)
  const toMicros = readTime(args, 'to', manifest.started_ts)
  if (fromMicros !== null && toMicros !== null && toMicros < fromMicros) {
    throw usage(spec, '--to lies before --from')
  }
  const span = await spanOf(threads)
  if (span === null) {
    throw new IngestError('FILE_UNREADABLE', `${folder} holds a capture in which nothing was kept.`)
  }
  if ((fromMicros ?? 0) > span.lastMicros || (toMicros ?? Infinity) < span.firstMicros) {
    const [first, last] = [span.firstMicros, span.lastMicros].map(micros =>
      new Date(micros / 1000).toISOString()
    )
    throw usage(spec, `Nothing lies between --from and --to: the capture goes from ${first} to ${last}`)
  }
  const loaded = readConfig(spec, args, io, [
    { flag: '--socket', path: 'admin.socket', text: args.text('socket') },
    { flag: '--log-level', path: 'log.level', text: args.text('log-level') }
  ])
  const { config } = loaded
  const isJson = args.has('json')
  const table = new LiveTable(io, isJson)
  const service: ServiceOptions = {
    config,
    plans: manifest.targets,
    simulation: null,
    endpoints: null,
    sinkKind: 'kafka',
    capture: null,
    replay: { folder, threads, speed, fromMicros, toMicros },
    digests: readDigests(spec, args, config),
    forMs: null,
    logLevel: table.isInPlace && !loaded.given.has('log.level') ? 'error' : config.log.level
  }
  const names = manifest.targets.map(({ target, symbols }) => `  ${targetName(target)}:${symbols.join(',')}`)
  const pace = speed === 'max' ? 'as fast as the sink takes the records' : 'at its original speed'
  const began = new Date(manifest.started_ts / 1000).toISOString()
  io.err(
    `Replaying ${folder}, which was begun at ${began}, ${pace}:\n${names.join('\n')}\n${sinkSentence(config)}\n`
  )
  const { runService } = await import('../app/wire.ts')
  return runSession(runService, io, { service, isJson, table })
})

function readSpeed(args: Parsed<ReplayFlag>): 'original' | 'max' {
  const text = args.text('speed') ?? 'max'
  if (text !== 'original' && text !== 'max')
    throw usage(spec, `--speed is original or max, and not "${text}"`)
  return text
}

/** A time of day in the form of ISO 8601, or a duration from the beginning of the capture. */
function readTime(args: Parsed<ReplayFlag>, flag: 'from' | 'to', startedMicros: number): number | null {
  const text = args.text(flag)
  if (text === null) return null
  if (/^\d+(?:\.\d+)?(?:ms|s|m|h)$/.test(text)) return startedMicros + readSpan(text, `--${flag}`) * 1000
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw usage(spec, `--${flag} takes a time like 2026-11-21T15:04:05Z or 30s, and "${text}" is neither`)
  }
  return ms * 1000
}
