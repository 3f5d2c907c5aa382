import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningService, type ServiceOptions, type StatusSnapshot } from '../../src/app/service.ts'
import { type SimulationClient, startSimulation } from '../../src/app/simulation-client.ts'
import { runService } from '../../src/app/wire.ts'
import { loadConfig } from '../../src/config/load.ts'
import { framesBalance, recordsBalance } from '../../src/domain/ledger.ts'
import { type Summary } from '../../src/domain/summary.ts'
import { type ExchangeName, parseTargetArgument } from '../../src/domain/target.ts'
import { truthFaults } from '../../src/domain/truth.ts'

/** `npm test` runs the short form of every fault test, `npm run test:fault` the long one. */
export const isShort = process.env['COIN_STREAM_FAULT'] === 'short'

export interface FaultRunOptions {
  readonly rate?: number | 'max'
  readonly seed?: number
  /** A fault list of the simulated exchanges. */
  readonly faults?: string
  /** As on the command line, chosen from what is listed; none: everything the demo collects. */
  readonly targets?: (listed: (exchange: ExchangeName) => readonly string[]) => readonly string[]
  /** Keys of the configuration and their values as text. */
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * A verified run: simulated exchanges in a process of their own, the service in the test's. The simulation outlives the
 * service, so that a test can ask it what it saw.
 */
export class FaultRun implements AsyncDisposable {
  readonly service: RunningService
  readonly simulation: SimulationClient
  readonly adminSocket: string
  readonly #folder: string
  #summary: Promise<Summary> | null = null

  private constructor(
    service: RunningService,
    simulation: SimulationClient,
    folder: string,
    adminSocket: string
  ) {
    this.service = service
    this.simulation = simulation
    this.#folder = folder
    this.adminSocket = adminSocket
  }

  static async start(options: FaultRunOptions): Promise<FaultRun> {
    const { rate = 1000, seed = 1, faults = '', targets = () => [], settings = {} } = options
    const folder = await mkdtemp(join(tmpdir(), 'coin-stream-fault-'))
    const adminSocket = join(folder, 'admin.sock')
    const simulation = await startSimulation({ rate, seed, faults })
    try {
      const { venues } = await simulation.open()
      const listed = (exchange: ExchangeName): readonly string[] =>
        venues.find(venue => venue.exchange === exchange)?.symbols ?? []
      const flags = Object.entries({ 'admin.socket': adminSocket, pod: 'fault', ...settings })
      const { config } = loadConfig({
        file: null,
        env: {},
        flags: flags.map(([path, text]) => ({ flag: '--set', path, text }))
      })
      const service: ServiceOptions = {
        config,
        plans: targets(listed).map(parseTargetArgument),
        simulation: { attach: simulation.socket, rate, seed, faults, verify: true },
        endpoints: null,
        sinkKind: 'kafka',
        capture: null,
        replay: null,
        digests: false,
        forMs: null,
        logLevel: 'silent'
      }
      return new FaultRun(await runService(service), simulation, folder, adminSocket)
    } catch (error) {
      await simulation.close()
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** The summary, once everything is drained and the check has read to the end. */
  stop(): Promise<Summary> {
    this.#summary ??= this.service.stop('the test has seen enough')
    return this.#summary
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test that failed half-way has said why; what the stop thinks of it adds nothing.
    await this.stop().catch(() => undefined)
    await this.simulation.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Resolves when the service is in the state asked for, or fails with the state it is in. */
  async until(what: string, holds: (status: StatusSnapshot) => boolean, withinMs = 30_000): Promise<void> {
    const deadline = performance.now() + withinMs
    while (!holds(this.service.snapshot())) {
      if (performance.now() > deadline) {
        assert.fail(
          `${what}: not within ${withinMs} ms; the service is ${JSON.stringify(this.service.snapshot())}`
        )
      }
      await passes(20)
    }
  }

  /** Resolves when `count` more records were published than now. */
  async publishes(count: number, withinMs = 30_000): Promise<void> {
    const wanted = this.service.snapshot().records.published + count
    await this.until(`${count} more records`, status => status.records.published >= wanted, withinMs)
  }
}

/** A run's own time: faults need it to happen, and markets to move. */
export function passes(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

/** Nothing missing, repeated, out of order or changed that was not declared, and both ledgers equal. */
export function assertClean(summary: Summary, what = 'the run'): void {
  const { truth, frames, records } = summary
  assert.ok(truth !== null, 'the run was not verified')
  const faults = Object.fromEntries(truthFaults.map(name => [name, truth[name]]))
  const none = Object.fromEntries(truthFaults.map(name => [name, 0]))
  assert.deepEqual(faults, none, `${what} is not clean: ${JSON.stringify(truth)}`)
  assert.ok(framesBalance(frames), `the frames of ${what} do not add up: ${JSON.stringify(frames)}`)
  assert.ok(recordsBalance(records), `the records of ${what} do not add up: ${JSON.stringify(records)}`)
  assert.equal(frames.in_flight + records.in_flight, 0, `${what} left something in flight`)
}
