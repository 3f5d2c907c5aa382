import { fstatSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Readable } from 'node:stream'
import { parseFaults } from '../simulator/faults.ts'
import { startSimulators } from '../simulator/simulator.ts'
import { SimulationServer } from './simulation-server.ts'

export interface SimulationProcessOptions {
  /** Path of the control socket; null makes one in a folder of its own. */
  readonly socket: string | null
  readonly seed: number
  readonly rate: number | 'max'
  /** A fault list; empty for none. */
  readonly faults: string
}

export interface OpenSimulation {
  readonly socket: string
  /** Stops the exchanges and the check. Harmless when repeated. */
  close(): Promise<void>
}

/**
 * The simulation: simulated exchanges, the check of what a service made of them, and a socket to control both.
 * @param explain told, at the end of a check, a sentence for each sample of what is wrong
 */
export async function openSimulation(
  options: SimulationProcessOptions,
  explain: (sentence: string) => void
): Promise<OpenSimulation> {
  const { seed, rate } = options
  const simulators = await startSimulators({
    seed,
    rate,
    faults: parseFaults(options.faults),
    onLag: () => lagMs(server)
  })
  const server: SimulationServer = new SimulationServer(
    {
      ledger: simulators.ledger,
      faultLog: simulators.faultLog,
      venues: { seed, rate, venues: simulators.venues },
      freeze: () => simulators.freeze(),
      stats: () => {
        const { sent, asked, reached } = simulators.stats()
        const handshakes = simulators.venues.map(({ exchange }) => [
          exchange,
          simulators.handshakes(exchange).length
        ])
        return { sent, asked, reached, handshakes: Object.fromEntries(handshakes) as Record<string, number> }
      }
    },
    explain
  )
  const own =
    options.socket === null ? join(await mkdtemp(join(tmpdir(), 'coin-stream-')), 'simulation.sock') : null
  const socket = options.socket ?? own!
  let closing: Promise<void> | null = null
  async function close(): Promise<void> {
    await server.close()
    await simulators.close()
    if (own !== null) await rm(dirname(own), { recursive: true, force: true })
  }
  try {
    await server.open(socket)
  } catch (error) {
    await close()
    throw error
  }
  return {
    socket,
    close: () => {
      closing ??= close()
      return closing
    }
  }
}

/**
 * Calls back when the process that started us is gone: its end of our stdin, a pipe, closes with it. A terminal, a file or
 * no stdin at all says nothing about a parent.
 */
export function onParentGone(stdin: Readable & { readonly fd: number }, gone: () => void): void {
  const kind = fstatSync(stdin.fd)
  if (!kind.isFIFO() && !kind.isSocket()) return
  stdin.once('end', gone)
  stdin.once('error', gone)
  stdin.resume()
  // Listening for the parent must not keep a process alive that has nothing else to do.
  if (stdin instanceof Socket) stdin.unref()
}

/** How old the newest record is that the check has read; none while there is no check or nothing was read. */
function lagMs(server: SimulationServer | undefined): number {
  const newest = server?.check?.lastReceivedMicros ?? 0
  return newest === 0 ? 0 : Math.max(0, performance.timeOrigin + performance.now() - newest / 1000)
}
