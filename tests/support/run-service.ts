import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientRequest, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type RunningService, type ServiceOptions, type StatusSnapshot } from '../../src/app/service.ts'
import { runService } from '../../src/app/wire.ts'
import { loadConfig } from '../../src/config/load.ts'
import { framesBalance, recordsBalance } from '../../src/domain/ledger.ts'
import { type Summary } from '../../src/domain/summary.ts'
import { parseTargetArgument } from '../../src/domain/target.ts'

/** The service tells its state when it is asked; this is how often a waiting test asks. */
const lookEveryMs = 10
const awaitedWithinMs = 60_000

/** A record as `tail` shows it. */
export interface TailedRecord {
  readonly partition: number
  readonly key: string
  readonly value: Record<string, unknown>
}

/** The records of one topic of the embedded log, from its beginning, as they come. */
export class Tail {
  readonly records: TailedRecord[] = []
  readonly #topic: string
  readonly #request: ClientRequest
  readonly #waiting = new Set<() => void>()

  constructor(socketPath: string, topic: string) {
    this.#topic = topic
    const path = `/v1/topics/${topic}/tail?from=earliest`
    this.#request = request({ socketPath, path, agent: false }, response => {
      assert.equal(response.statusCode, 200)
      response.on('error', () => undefined)
      createInterface({ input: response }).on('line', line => {
        this.records.push(JSON.parse(line) as TailedRecord)
        for (const look of this.#waiting) look()
      })
    })
    // A service that ends breaks its tails off.
    this.#request.on('error', () => undefined)
    this.#request.end()
  }

  /** Resolves with the first record for which the condition holds, whether it was there before or comes now. */
  first(isIt: (record: TailedRecord) => boolean, what: string): Promise<TailedRecord> {
    return new Promise((resolve, reject) => {
      let looked = 0
      const look = (): void => {
        while (looked < this.records.length) {
          const record = this.records[looked++]!
          if (!isIt(record)) continue
          this.#waiting.delete(look)
          clearTimeout(timer)
          resolve(record)
          return
        }
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(look)
        const last = JSON.stringify(this.records.at(-1) ?? null)
        reject(
          new Error(`${what} did not come on ${this.#topic}: ${looked} records, the last of them ${last}`)
        )
      }, awaitedWithinMs)
      this.#waiting.add(look)
      look()
    })
  }

  close(): void {
    this.#request.destroy()
  }
}

export interface TestServiceOptions {
  /** As on the command line: `exchange/request_type:SYMBOL,SYMBOL`. */
  readonly targets: readonly string[]
  readonly endpoints: NonNullable<ServiceOptions['endpoints']>
  /** Keys of the configuration and their values as text; whatever is not here is a default. */
  readonly settings?: Readonly<Record<string, string>>
}

/** The whole service in the test's process, dialling the test's own venues. */
export class TestService implements AsyncDisposable {
  readonly #running: RunningService
  readonly #folder: string
  readonly #socket: string
  readonly #tails: Tail[] = []

  private constructor(running: RunningService, folder: string, socket: string) {
    this.#running = running
    this.#folder = folder
    this.#socket = socket
  }

  static async start({ targets, endpoints, settings = {} }: TestServiceOptions): Promise<TestService> {
    const folder = mkdtempSync(join(tmpdir(), 'coin-stream-test-'))
    const socket = join(folder, 'admin.sock')
    const flags = Object.entries({ 'admin.socket': socket, ...settings }).map(([path, text]) => ({
      flag: '--set',
      path,
      text
    }))
    try {
      const { config } = loadConfig({ file: null, env: {}, flags })
      const plans = targets.map(parseTargetArgument)
      const options = {
        config,
        plans,
        endpoints,
        sinkKind: 'kafka',
        capture: null,
        replay: null,
        digests: false,
        simulation: null,
        forMs: null,
        logLevel: 'silent'
      } as const
      return new TestService(await runService(options), folder, socket)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Resolves with the first snapshot for which the condition holds. */
  async until(isSo: (status: StatusSnapshot) => boolean, what: string): Promise<StatusSnapshot> {
    const deadlineMs = performance.now() + awaitedWithinMs
    for (;;) {
      const status = this.#running.snapshot()
      if (isSo(status)) return status
      assert.ok(performance.now() < deadlineMs, `${what} did not come about: ${JSON.stringify(status)}`)
      await new Promise(resolve => setTimeout(resolve, lookEveryMs))
    }
  }

  tail(topic: string): Tail {
    const tail = new Tail(this.#socket, topic)
    this.#tails.push(tail)
    return tail
  }

  /** Ends a thread as a crash would. */
  crash(thread: string): Promise<void> {
    return this.#running.crash(thread)
  }

  stop(): Promise<Summary> {
    return this.#running.stop('the test has seen enough')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tail of this.#tails) tail.close()
    await this.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Everything accepted has met its fate, and both sides of both ledgers are equal. */
export function assertSettled({ frames, records }: Pick<Summary, 'frames' | 'records'>): void {
  assert.ok(framesBalance(frames), `the frame ledger does not balance: ${JSON.stringify(frames)}`)
  assert.ok(recordsBalance(records), `the record ledger does not balance: ${JSON.stringify(records)}`)
  assert.deepEqual([frames.in_flight, records.in_flight], [0, 0])
}
