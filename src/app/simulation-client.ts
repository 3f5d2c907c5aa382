import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { type ErrorCode, errorTable, IngestError } from '../core/errors.ts'
import { type Truth } from '../domain/truth.ts'
import { type CheckSource } from '../verify/record-source.ts'
import { type SimulationOptions } from './service.ts'
import {
  type HarnessFaultReport,
  type SimulatedVenue,
  type SimulationStats,
  type SimulationVenues
} from './simulation-messages.ts'

const readyWithinMs = 20_000
const stopWithinMs = 5_000
/** Longer than the check takes to read to the end of its source, which it gives up after a minute. */
const answerWithinMs = 90_000

/** The process behind a client, when it is our own. */
interface OwnProcess {
  readonly exited: Promise<IngestError | null>
  stop(): Promise<void>
}

/** The simulation process, as the service and tests talk to it over its socket. */
export class SimulationClient {
  readonly socket: string
  /** Settles when a process of our own has ended, with null when that was asked for; never when it is another's. */
  readonly exited: Promise<IngestError | null>
  readonly #own: OwnProcess | null
  #venues: readonly SimulatedVenue[] = []

  constructor(socket: string, own: OwnProcess | null = null) {
    this.socket = socket
    this.#own = own
    this.exited = own?.exited ?? new Promise(() => undefined)
  }

  /** What the simulated exchanges offer; empty before `open`. */
  get venues(): readonly SimulatedVenue[] {
    return this.#venues
  }

  /** @throws IngestError SIMULATOR_FAILED when nobody answers */
  async open(): Promise<SimulationVenues> {
    const offered = await this.#ask<SimulationVenues>('GET', '/v1/venues')
    this.#venues = offered.venues
    return offered
  }

  stats(): Promise<SimulationStats> {
    return this.#ask('GET', '/v1/stats')
  }

  /** Resolves when the check reads the source and can miss nothing from now on. */
  async check(source: CheckSource): Promise<void> {
    await this.#ask('POST', '/v1/check', { source })
  }

  /** Stops the markets; resolves when every byte has left the servers. */
  async freeze(): Promise<void> {
    await this.#ask('POST', '/v1/freeze')
  }

  /** Reads the source to its end and compares all of it. The embedded log must be closed, or be closing, by then. */
  finish(withinMs = 60_000): Promise<Truth> {
    return this.#ask('POST', `/v1/finish?within_ms=${withinMs}`)
  }

  /** What was found: so far, or at the end once the check is finished. */
  truth(): Promise<Truth> {
    return this.#ask('GET', '/v1/truth')
  }

  /** Tells that the harness broke something on purpose, so that a gap around it is not held against the service. */
  async fault(fault: HarnessFaultReport): Promise<void> {
    await this.#ask('POST', '/v1/faults', fault)
  }

  /** Ends the process when it is our own; leaves another's alone. Harmless when repeated. */
  async close(): Promise<void> {
    await this.#own?.stop()
  }

  async #ask<Answer>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Answer> {
    const { status, text } = await this.#exchange(
      method,
      path,
      body === undefined ? '' : JSON.stringify(body)
    )
    const answer = JSON.parse(text) as Answer & { readonly error?: { code: string; message: string } }
    if (status === 200) return answer
    const { code, message } = answer.error ?? { code: 'SIMULATOR_FAILED', message: `HTTP ${status}` }
    throw new IngestError(Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'SIMULATOR_FAILED', message)
  }

  #exchange(method: string, path: string, body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const failed = (cause: Error): void => {
        const message = `The simulation at ${this.socket} does not answer: ${cause.message}; start one with coin-stream simulate --socket ${this.socket}.`
        reject(new IngestError('SIMULATOR_FAILED', message, { cause }))
      }
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const asked = request(
        { socketPath: this.socket, method, path, headers, agent: false, timeout: answerWithinMs },
        response => {
          const parts: Buffer[] = []
          response.on('data', (part: Buffer) => parts.push(part))
          response.on('error', failed)
          response.on('end', () => {
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') })
          })
        }
      )
      asked.on('timeout', () => {
        asked.destroy(new IngestError('SIMULATOR_FAILED', `nothing came for ${answerWithinMs / 1000} s`))
      })
      asked.on('error', failed)
      asked.end(body)
    })
  }
}

/**
 * Attaches to the simulation that the options name, or starts one in a process of its own, so that its cost is not the
 * service's. The process's stdin is a pipe from us: when we die, however that happens, it closes and the process ends.
 */
export async function startOrAttach(
  options: Pick<SimulationOptions, 'attach' | 'rate' | 'seed' | 'faults'>
): Promise<SimulationClient> {
  const client =
    options.attach === null ? await startSimulation(options) : new SimulationClient(options.attach)
  try {
    const { frozen } = await client.open()
    if (frozen) {
      const message = `The markets behind ${options.attach} stand still, since a run on them has ended. Start coin-stream simulate anew.`
      throw new IngestError('SIMULATOR_FAILED', message)
    }
  } catch (error) {
    await client.close()
    throw error
  }
  return client
}

/** @throws IngestError SIMULATOR_FAILED when the process ends before it is ready */
export async function startSimulation(
  options: Pick<SimulationOptions, 'rate' | 'seed' | 'faults'>
): Promise<SimulationClient> {
  const main = new URL('../main.js', import.meta.url).pathname
  const { seed, rate, faults } = options
  const flags = [`--seed=${seed}`, `--rate=${rate}`, ...(faults === '' ? [] : [`--faults=${faults}`])]
  const child = spawn(process.execPath, ['--enable-source-maps', main, 'simulate', ...flags], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  let isAskedToEnd = false
  const exited = new Promise<IngestError | null>(resolve => {
    const ended = (why: string): void => {
      resolve(
        isAskedToEnd
          ? null
          : new IngestError('SIMULATOR_FAILED', `The simulated exchanges ended early: ${why}.`)
      )
    }
    child.once('error', error => ended(error.message))
    child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`))
  })
  // The pipe breaks when the process ends first; `exited` tells that already.
  child.stdin.on('error', () => undefined)

  async function stop(): Promise<void> {
    isAskedToEnd = true
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    await exited
    clearTimeout(timer)
  }

  const lines = createInterface({ input: child.stdout })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>(resolve => {
    timer = setTimeout(() => resolve(null), readyWithinMs)
  })
  const firstLine = new Promise<string>(resolve => {
    lines.once('line', resolve)
  })
  const outcome = await Promise.race([firstLine, exited, late])
  clearTimeout(timer)
  if (typeof outcome !== 'string') {
    await stop()
    throw (
      outcome ??
      new IngestError(
        'SIMULATOR_FAILED',
        `The simulated exchanges were not ready within ${readyWithinMs} ms.`
      )
    )
  }
  const { socket } = JSON.parse(outcome) as { readonly socket: string }
  return new SimulationClient(socket, { exited, stop })
}
