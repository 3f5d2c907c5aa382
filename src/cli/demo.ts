import { type VerbSpec } from './args.ts'
import { captureFlag, runFlags, runStart } from './start.ts'
import { defineVerb, type Verb } from './verb.ts'

const spec = {
  verb: 'demo',
  operands: '[TARGET…]',
  operandsMax: 4096,
  summary: 'Run the service on simulated exchanges; nothing to set up.',
  description:
    'Runs the whole service against simulated exchanges on this machine, which speak the real protocols, and keeps ' +
    'the records in a log inside the process, whatever KAFKA_BROKERS says. On a terminal it shows a live table, ' +
    'elsewhere one line a second. Ctrl-C stops it.',
  flags: { capture: captureFlag, ...runFlags },
  examples: [
    'coin-stream demo',
    'coin-stream demo --for 20s --verify --json',
    'coin-stream demo --for 1m --verify --faults drop:2s,corrupt:0.001',
    'coin-stream tail trade-data.korea -n 3     (in another terminal)'
  ]
} as const satisfies VerbSpec

export const demo: Verb = defineVerb<keyof typeof runFlags | 'capture'>(spec, (args, io) =>
  runStart(spec, args, io, {
    simulation: { attach: null },
    // An empty list of brokers selects the embedded log.
    own: [{ flag: 'demo', path: 'kafka.brokers', text: '' }],
    ignoresConfiguredTargets: true,
    capture: args.text('capture')
  })
)
