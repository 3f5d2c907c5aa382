import { type StatusSnapshot } from '../app/service.ts'
import { askAdmin } from './admin-client.ts'
import { type VerbSpec } from './args.ts'
import { type ConfigFlag, configFlags, readConfig, socketFlag } from './config-flags.ts'
import { ExitCode } from './io.ts'
import { partitionLines } from './producer-text.ts'
import { statusLines } from './status-text.ts'
import { defineVerb, type Verb } from './verb.ts'

const spec = {
  verb: 'status',
  operands: '',
  operandsMax: 0,
  summary: 'Show what the running service does.',
  description:
    'Asks the service on this machine through its admin socket: the targets with their state, rate, latency and ' +
    'gaps, both ledgers, what went wrong, and what the producer does for each partition of Kafka: rate, linger, how ' +
    'full its batches are, why the last one was sent, and how long acknowledgements take.',
  flags: {
    json: { value: null, help: 'Print the whole answer as one JSON document.' },
    partitions: { value: null, help: 'Show every partition, however many there are; else topics beyond 24.' },
    socket: socketFlag,
    ...configFlags
  },
  examples: [
    'coin-stream status',
    'coin-stream status --partitions',
    'coin-stream status --json --socket /run/coin-stream/admin.sock'
  ]
} as const satisfies VerbSpec

export const status: Verb = defineVerb<ConfigFlag | 'json' | 'partitions' | 'socket'>(
  spec,
  async (args, io) => {
    const own = [{ flag: '--socket', path: 'admin.socket', text: args.text('socket') }]
    const { config } = readConfig(spec, args, io, own)
    const answer = (await askAdmin(config.admin.socket, '/v1/status')) as StatusSnapshot
    if (args.has('json')) {
      await io.out(`${JSON.stringify(answer)}\n`)
    } else {
      const width = Math.max(80, io.terminal()?.columns ?? 100)
      const lines = statusLines(answer, Date.now(), { width, rows: null })
      const all = args.has('partitions')
      const partitions = partitionLines(answer.producer?.partitions ?? [], { width, all })
      const threads = answer.threads.map(({ name, state, restarts }) =>
        restarts === 0 ? `${name} ${state}` : `${name} ${state} (restarted ${restarts} times)`
      )
      await io.out(`${[...lines, `threads ${threads.join(', ')}`, ...titled(partitions)].join('\n')}\n`)
    }
    return ExitCode.done
  }
)

/** A table stands apart from what is above it. */
function titled(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines]
}
