import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { Routes } from '../../actors/producer/routes.ts'
import { KafkaSink } from '../../actors/producer/sinks/kafka.ts'
import { type Outcome, type Route, type SinkListener } from '../../actors/producer/sinks/record-sink.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type ProducerTuning } from '../../src/domain/producer-tuning.ts'
import { accessTo } from './kafka.ts'
import { testTuning } from './kafka-writer.ts'

const auditScript = resolve('tests/support/audit.py')
const logger = createLogger('silent', 'test')

const keyCount = 96
/** A writer that was held up makes good this much of its rate at once, not all of it. */
const catchUpMs = 100
const tickMs = 5
const headBytes = 12
const paddingBytesMax = 160

export interface ProducerRunOptions {
  /** Where the sink writes. */
  readonly brokers: string
  /** Where the audit reads; the same topic, perhaps by another way. */
  readonly auditBrokers: string
  readonly topic: string
  readonly partitions: number
  readonly ratePerSecond: number
  readonly tuning?: Partial<ProducerTuning>
}

interface Audit {
  readonly records: number
  readonly lost: number
  readonly duplicated: number
  readonly misordered: number
  readonly damaged: number
  readonly foreign: number
  readonly examples: readonly string[]
}

/** Counts how often each record was settled; one byte each, since there are millions. */
class SettlementCounts implements SinkListener {
  published = 0
  failed = 0
  settledAgain = 0
  readonly availabilities: string[] = []
  readonly reasons = new Set<string>()
  #times = new Uint8Array(1 << 20)

  settled(owners: Int32Array, _receivedMicros: Float64Array, count: number, outcome: Outcome): void {
    if (outcome === 'published') this.published += count
    else this.failed += count
    for (let i = 0; i < count; i++) {
      const owner = owners[i]!
      while (owner >= this.#times.length) {
        const grown = new Uint8Array(2 * this.#times.length)
        grown.set(this.#times)
        this.#times = grown
      }
      if (this.#times[owner]! > 0) this.settledAgain++
      else this.#times[owner] = 1
    }
  }

  undelivered(
    _route: Route,
    _firstMicros: number,
    _lastMicros: number,
    _count: number,
    reason: string
  ): void {
    this.reasons.add(reason)
  }

  refused(_route: Route, _value: Uint8Array, _receivedMicros: number, reason: string): void {
    this.reasons.add(reason)
  }

  availability(isUp: boolean, message: string): void {
    this.availabilities.push(`${isUp ? 'up' : 'down'}: ${message}`)
  }
}

/**
 * A writer at a steady rate into the Kafka sink, whatever happens to Kafka meanwhile. Records are numbered; the audit reads
 * the topic back with another client and another decoder. It stands still while the sink is full.
 */
export class ProducerRun implements AsyncDisposable {
  readonly sink: KafkaSink
  /** Times at which the sink was full when a record was due. */
  heldBack = 0
  readonly #options: ProducerRunOptions
  readonly #counts = new SettlementCounts()
  readonly #routes: readonly Route[]
  readonly #value = Buffer.alloc(headBytes + paddingBytesMax)
  #written = 0
  #timer: NodeJS.Timeout | null = null

  private constructor(options: ProducerRunOptions) {
    this.#options = options
    const tuning = {
      ...testTuning,
      compression: 'lz4',
      deliveryTimeoutMs: 600_000,
      ...options.tuning
    } as const
    this.sink = new KafkaSink({ access: accessTo(options.brokers), tuning }, this.#counts, logger)
    const routes = new Routes({ [options.topic]: options.partitions })
    this.#routes = Array.from({ length: keyCount }, (_, key) => routes.to(options.topic, `key-${key}`))
  }

  /** Kafka may be away. */
  static async start(options: ProducerRunOptions): Promise<ProducerRun> {
    const run = new ProducerRun(options)
    await run.sink.open()
    run.#write()
    return run
  }

  get written(): number {
    return this.#written
  }

  get published(): number {
    return this.#counts.published
  }

  /** What the sink said of Kafka, a sentence for each change. */
  get availabilities(): readonly string[] {
    return this.#counts.availabilities
  }

  /** Produce requests of a partition that were sent again. */
  get retries(): number {
    return this.sink.activity(false).reduce((sum, { retries }) => sum + retries, 0)
  }

  /** Resolves when so many more records than now are acknowledged. */
  async publishes(count: number, withinMs = 60_000): Promise<void> {
    const wanted = this.published + count
    await this.#until(() => this.published >= wanted, `${count} more records`, withinMs)
  }

  /** Resolves when the sink does not say of Kafka that it takes no records. */
  async isWell(withinMs = 60_000): Promise<void> {
    await this.#until(() => this.availabilities.at(-1)?.startsWith('down') !== true, 'good health', withinMs)
  }

  /** Writes no more and waits until everything is acknowledged; then judges the ledger and the log. */
  async finish(): Promise<Audit> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    await this.sink.drain(120_000)
    const counts = this.#counts
    const why = [...counts.reasons, ...counts.availabilities].join('\n')
    assert.equal(counts.failed, 0, `${counts.failed} records failed: ${why}`)
    assert.equal(counts.settledAgain, 0, 'records were settled more than once')
    assert.equal(counts.published, this.#written)
    assert.deepEqual([this.sink.pendingRecords, this.sink.pendingBytes, this.sink.bufferedBytes], [0, 0, 0])
    const audit = await this.#audit()
    const clean = { lost: 0, duplicated: 0, misordered: 0, damaged: 0, foreign: 0, examples: [] }
    assert.deepEqual(audit, { ...clean, records: this.#written })
    return audit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    await this.sink.close()
  }

  async #until(holds: () => boolean, what: string, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs
    while (!holds()) {
      if (performance.now() > deadline) {
        const { availabilities, published, written } = this
        assert.fail(
          `${what}: not within ${withinMs} ms: ${JSON.stringify({ published, written, availabilities })}`
        )
      }
      await new Promise(done => setTimeout(done, 20))
    }
  }

  #write(): void {
    const perMs = this.#options.ratePerSecond / 1000
    let lastMs = performance.now()
    let owed = 0
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      owed = Math.min(owed + (nowMs - lastMs) * perMs, catchUpMs * perMs)
      lastMs = nowMs
      for (; owed >= 1; owed--) {
        if (this.sink.isFull) {
          this.heldBack++
          return
        }
        this.#append(this.#written++)
      }
    }, tickMs)
  }

  /** The layout that audit.py reads. */
  #append(n: number): void {
    const value = this.#value
    const nowMs = Date.now()
    const end = headBytes + 20 + ((n * 7) % 140)
    value.writeUInt32LE(n, 0)
    value.writeUInt32LE(nowMs % 2 ** 32, 4)
    value.writeUInt32LE(Math.floor(nowMs / 2 ** 32), 8)
    value.fill(n & 0xff, headBytes, end)
    this.sink.append(this.#routes[n % keyCount]!, value, 0, end, nowMs * 1000, n)
  }

  async #audit(): Promise<Audit> {
    const path = process.env['COIN_STREAM_PYTHONPATH']
    assert.ok(path, 'Run it under "node scripts/services.mjs run --": COIN_STREAM_PYTHONPATH is not set.')
    const { auditBrokers, topic } = this.#options
    const python = spawn('python3', [auditScript, auditBrokers, topic, String(this.#written)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONPATH: path }
    })
    const exited = once(python, 'exit') as Promise<[number | null]>
    const said = await text(python.stdout)
    const [code] = await exited
    assert.equal(code, 0, 'the audit failed; what it says is above')
    return JSON.parse(said) as Audit
  }
}
