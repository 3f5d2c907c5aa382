import { usage, type VerbSpec } from './args.ts'
import { captureFlag, runFlags, runStart, simulateFlag, simulationOf } from './start.ts'
import { defineVerb, type Verb } from './verb.ts'

const spec = {
  verb: 'capture',
  operands: '[TARGET…]',
  operandsMax: 4096,
  summary: 'Run the service and keep its raw frames in a folder.',
  description:
    'Does what `coin-stream start --capture DIR` does: it collects and publishes, and beside that it keeps every frame ' +
    'as it came from the socket, with its receive time, connection and direction, and the REST bodies that belong to ' +
    'them. The files are compressed, indexed, open to their owner alone, and closed after 64 MiB of frames or a minute; ' +
    'a kill loses at most the last second. Should the disk fail or be too slow, the capture suffers and the data does ' +
    'not, and the capture says what it lacks.',
  flags: { out: captureFlag, simulate: simulateFlag, ...runFlags },
  examples: [
    'coin-stream capture --out captures/monday upbit/trade:BTC-KRW,ETH-KRW',
    'coin-stream capture --out captures/demo --simulate --for 20s --digests',
    'coin-stream replay captures/demo --digests'
  ]
} as const satisfies VerbSpec

export const capture: Verb = defineVerb<keyof typeof runFlags | 'out' | 'simulate'>(spec, (args, io) => {
  const folder = args.text('out')
  if (folder === null) throw usage(spec, 'It needs a folder to write into: --out DIR')
  return runStart(spec, args, io, {
    simulation: simulationOf(args),
    own: [],
    ignoresConfiguredTargets: false,
    capture: folder
  })
})
