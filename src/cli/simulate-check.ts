import { SimulationClient } from '../app/simulation-client.ts'
import { usage, type VerbSpec, wrap } from './args.ts'
import { ExitCode } from './io.ts'
import { truthText } from './summary-text.ts'
import { defineVerb, type Verb } from './verb.ts'
import { truthVerdict } from './verdict.ts'

const spec = {
  verb: 'simulate check',
  operands: '',
  operandsMax: 0,
  summary: 'Print what the check of a standing simulation found.',
  description:
    'Asks a running `coin-stream simulate` what its check found in the records of the services that were started with ' +
    '--simulate=PATH --verify. It freezes the markets, reads the records to their end, prints the truth and exits 1 ' +
    'unless it is clean. Afterwards that simulation is over.',
  flags: {
    socket: { value: 'PATH', help: 'Socket of the simulation, as given to `coin-stream simulate`.' },
    json: { value: null, help: 'Print the truth as one JSON document.' },
    'so-far': { value: null, help: 'Only show what was found up to now; nothing is frozen or judged.' }
  },
  examples: [
    'coin-stream simulate check --socket run/simulation.sock --json',
    'coin-stream simulate check --socket run/simulation.sock --so-far'
  ]
} as const satisfies VerbSpec

export const simulateCheck: Verb = defineVerb<'socket' | 'json' | 'so-far'>(spec, async (args, io) => {
  const socket = args.text('socket')
  if (socket === null) throw usage(spec, '--socket PATH is needed to find the simulation')
  const client = new SimulationClient(socket)
  const isInterim = args.has('so-far')
  if (!isInterim) await client.freeze()
  const truth = isInterim ? await client.truth() : await client.finish()
  await io.out(args.has('json') ? `${JSON.stringify(truth)}\n` : `${wrap(truthText(truth), 80).join('\n')}\n`)
  if (isInterim) return ExitCode.done
  // Which targets the services had is not known here, so that books were compared is theirs to judge.
  const reasons = truthVerdict(truth, false)
  for (const reason of reasons) io.err(`coin-stream: ${reason}\n`)
  return reasons.length === 0 ? ExitCode.done : ExitCode.failed
})
