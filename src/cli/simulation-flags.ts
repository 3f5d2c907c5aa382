import { type SimulationOptions } from '../app/service.ts'
import { type Flag, type Parsed, usage, type VerbSpec } from './args.ts'
import { ExitCode, type Io } from './io.ts'
import { readRate, readWhole } from './values.ts'

const defaultRate = 1000
const defaultSeed = 1

/** How the simulated exchanges behave. */
export const simulationFlags = {
  rate: {
    value: 'EVENTS_PER_S',
    help: `Events per second over all simulated exchanges, or max for the highest steady rate (default ${defaultRate}).`
  },
  seed: {
    value: 'N',
    help: `Seed of the simulated markets; the same seed makes the same market (default ${defaultSeed}).`
  },
  faults: {
    value: 'LIST',
    optional: 'next-word',
    help: 'Let the simulated exchanges misbehave, a usual set without LIST; --faults help explains each.'
  }
} as const satisfies Record<string, Flag>
type SimulationFlag = keyof typeof simulationFlags

export interface Behaviour {
  readonly rate: number | 'max'
  readonly seed: number
  readonly faults: string
}

/** Answers `--faults help`; null when that was not asked. */
export async function answerFaultsHelp(args: Parsed<'faults'>, io: Io): Promise<ExitCode | null> {
  if (args.text('faults') !== 'help') return null
  const { faultsHelp } = await import('../simulator/faults.ts')
  await io.out(faultsHelp)
  return ExitCode.done
}

/** @throws IngestError USAGE */
export async function readBehaviour(args: Parsed<SimulationFlag>): Promise<Behaviour> {
  const [rate, seed, faults] = [args.text('rate'), args.text('seed'), args.text('faults')]
  return {
    rate: rate === null ? defaultRate : readRate(rate),
    seed: seed === null ? defaultSeed : readWhole(seed, '--seed', 0, 2 ** 32 - 1),
    faults: faults === null ? '' : await checkedFaults(faults)
  }
}

async function checkedFaults(text: string): Promise<string> {
  const { defaultFaults, parseFaults } = await import('../simulator/faults.ts')
  const list = text === '' ? defaultFaults : text
  parseFaults(list)
  return list
}

/** @throws IngestError USAGE when simulation flags are given without a simulation, or to one that already runs. */
export async function readSimulation(
  spec: VerbSpec,
  args: Parsed<SimulationFlag | 'verify'>,
  mode: { readonly attach: string | null } | null
): Promise<SimulationOptions | null> {
  const given = (['rate', 'seed', 'faults', 'verify'] as const).filter(flag => args.has(flag))
  if (mode === null) {
    if (given.length > 0) throw usage(spec, `--${given[0]} needs --simulate`)
    return null
  }
  const own = given.filter(flag => flag !== 'verify')
  if (mode.attach !== null && own.length > 0) {
    throw usage(
      spec,
      `--${own[0]} belongs to the process behind ${mode.attach}; give it to coin-stream simulate`
    )
  }
  return { attach: mode.attach, ...(await readBehaviour(args)), verify: args.has('verify') }
}
