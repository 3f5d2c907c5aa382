import { fstatSync } from 'node:fs'
import { type Readable } from 'node:stream'
import { type VerbSpec } from './args.ts'
import { ExitCode, type Io } from './io.ts'
import { answerFaultsHelp, readBehaviour, simulationFlags } from './simulation-flags.ts'
import { defineVerb, type Verb } from './verb.ts'

const spec = {
  verb: 'simulate',
  operands: '',
  operandsMax: 0,
  summary: 'Run the simulated exchanges and the check by themselves.',
  description:
    'Runs the simulated exchanges, and the check behind --verify, in a process of their own, for runs of several ' +
    'services or with kills. Prints {"socket":PATH} when it is ready; `coin-stream start --simulate=PATH` attaches to ' +
    'it, and `coin-stream simulate check` prints what the check found. A service that stops in good order stops the ' +
    'markets with it, so start those that belong together beside each other, and a new simulation for the next run. ' +
    'Ends on SIGTERM or Ctrl-C, and when the program that holds the other end of its stdin has gone.',
  flags: {
    ...simulationFlags,
    socket: { value: 'PATH', help: 'Where to make the control socket (default: in a temporary folder).' }
  },
  examples: [
    'coin-stream simulate --rate 5000 --seed 7 --socket run/simulation.sock',
    'coin-stream start --simulate=run/simulation.sock --verify --for 20s',
    'coin-stream simulate --faults help'
  ]
} as const satisfies VerbSpec

export const simulate: Verb = defineVerb<keyof typeof simulationFlags | 'socket'>(spec, async (args, io) => {
  const helped = await answerFaultsHelp(args, io)
  if (helped !== null) return helped
  const behaviour = await readBehaviour(args)
  const { onParentGone, openSimulation } = await import('../app/simulation.ts')
  const ended = new Promise<ExitCode>(resolve => {
    io.onSignal(signal => {
      // Ctrl-C in a terminal reaches our parent too, which still needs us to drain; it ends us when it is done.
      if (signal === 'SIGTERM') resolve(ExitCode.done)
      else if (!hasParent(io)) resolve(ExitCode.interrupted)
    })
    if (isDescriptor(io.stdin)) onParentGone(io.stdin, () => resolve(ExitCode.done))
  })
  const simulation = await openSimulation({ ...behaviour, socket: args.text('socket') }, sentence =>
    io.err(`simulation: ${sentence}\n`)
  )
  try {
    await io.out(`${JSON.stringify({ socket: simulation.socket })}\n`)
    return await ended
  } finally {
    await simulation.close()
  }
})

function isDescriptor(stdin: Io['stdin']): stdin is Readable & { readonly fd: number } {
  return 'fd' in stdin && typeof stdin.fd === 'number'
}

/** A pipe on stdin means a program that started us and watches over us. */
function hasParent(io: Io): boolean {
  if (!isDescriptor(io.stdin)) return false
  const kind = fstatSync(io.stdin.fd)
  return kind.isFIFO() || kind.isSocket()
}
