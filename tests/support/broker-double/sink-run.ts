import assert from 'node:assert/strict'
import { type RecordSink, type Route, type SinkListener } from '../../../actors/producer/sinks/record-sink.ts'
import { type KafkaAccess } from '../../../src/bus/kafka-client.ts'
import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { accessTo } from '../kafka.ts'
import { Settlements } from '../settlements.ts'
import { type DoubleOptions } from './cluster-state.ts'
import { type LoggedRecord } from './partition-log.ts'
import { BrokerDouble } from './server.ts'

export type OpenSink = (access: KafkaAccess, tuning: ProducerTuning, listener: SinkListener) => RecordSink

export interface SinkRunOptions {
  readonly double: DoubleOptions
  readonly openSink: OpenSink
  readonly tuning?: Partial<ProducerTuning>
  /** 30 unless told. */
  readonly paddingBytes?: number
  readonly sasl?: KafkaAccess['sasl']
}

const keysPerPartition = 2

const defaultTuning: ProducerTuning = {
  lingerMinMs: 1,
  lingerMaxMs: 5,
  batchBytes: 4096,
  latencyTargetMs: 20,
  compression: 'none',
  compressionByTopic: {},
  bufferBytes: 8 * 1024 * 1024,
  requestBytesMax: 1024 * 1024,
  deliveryTimeoutMs: 120_000
}

interface Written {
  readonly route: Route
  readonly value: string
  readonly timestamp: number
}

/** A sink on a broker double, records that are numbered, and the judgement of what became of them. */
export class SinkRun implements AsyncDisposable {
  readonly double: BrokerDouble
  readonly sink: RecordSink
  readonly settlements = new Settlements()
  readonly #routes: Route[] = []
  readonly #written: Written[] = []
  readonly #paddingBytes: number
  readonly #startMicros = Date.now() * 1000

  private constructor(double: BrokerDouble, options: SinkRunOptions) {
    this.double = double
    this.#paddingBytes = options.paddingBytes ?? 30
    const access = { ...accessTo(double.brokers), sasl: options.sasl ?? null }
    this.sink = options.openSink(access, { ...defaultTuning, ...options.tuning }, this.settlements)
    for (const { topic, partition } of double.logs()) {
      for (let i = 0; i < keysPerPartition; i++) {
        const key = `${topic}-${partition}-${i}`
        this.#routes.push({ id: this.#routes.length, topic, partition, key, keyBytes: Buffer.from(key) })
      }
    }
  }

  static async start(options: SinkRunOptions): Promise<SinkRun> {
    return new SinkRun(await BrokerDouble.start(options.double), options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sink.close()
    await this.double[Symbol.asyncDispose]()
  }

  get written(): number {
    return this.#written.length
  }

  get settledRecords(): number {
    return this.settlements.published.size + this.settlements.failed.size
  }

  /** Records for all partitions in turn, or for one; `text` stands in their values. Returns their numbers. */
  write(count: number, where: { topic?: string; partition?: number; text?: string } = {}): number[] {
    const routes = this.#routes.filter(
      ({ topic, partition }) =>
        (where.topic ?? topic) === topic && (where.partition ?? partition) === partition
    )
    return Array.from({ length: count }, () => {
      const n = this.#written.length
      const route = routes[n % routes.length]!
      const value = `${n}:${where.text ?? ''}${'x'.repeat(n % this.#paddingBytes)}`
      const micros = this.#startMicros + n * 10
      this.#written.push({ route, value, timestamp: Math.floor(micros / 1000) })
      // Framed by other bytes, and overwritten after: the sink must copy exactly its part.
      const bytes = Buffer.from(`<<${value}>>`)
      this.sink.append(route, bytes, 2, bytes.length - 2, micros, n)
      bytes.fill(0)
      return n
    })
  }

  /** Writes in slices with pauses, as the market would, so that the script's faults fall between them. */
  async writeAtPace(count: number, slice: number, pauseMs: number): Promise<void> {
    for (let left = count; left > 0; left -= slice) {
      if (!this.sink.isFull) this.write(Math.min(slice, left))
      else left += slice
      await passes(pauseMs)
    }
  }

  /** Resolves when every record has its fate; fails when that takes too long. */
  async settle(withinMs = 60_000): Promise<void> {
    const wanted = this.#written.length
    if (await this.#until(() => this.settledRecords >= wanted, withinMs)) return
    const last = JSON.stringify(this.settlements.availabilities.at(-1))
    const left = `${wanted - this.settledRecords} of ${wanted} records`
    assert.fail(`${left} have no fate after ${withinMs} ms; the sink says: ${last}`)
  }

  /** Resolves when what was said last is that Kafka takes records: its parts recover one after the other. */
  async recover(withinMs = 10_000): Promise<void> {
    const { availabilities } = this.settlements
    if (await this.#until(() => availabilities.at(-1)?.isUp !== false, withinMs)) return
    assert.fail(`the sink still says, ${withinMs} ms after the last fate: ${availabilities.at(-1)?.message}`)
  }

  /** `topic/partition` of every record that was reported as failed. */
  failedPlaces(): Set<string> {
    return new Set([...this.settlements.failed.keys()].map(n => placeOf(this.#written[n]!.route)))
  }

  /**
   * Reads the log back: every published record once, in its place and order; every other one reported, and written once at
   * most; none where no failure is allowed.
   */
  assertSound(mayFail: (place: string) => boolean = () => false): void {
    const { violations, inFlightMax, overlaps } = this.double
    const faults = [...this.#settlementFaults(mayFail), ...this.#logFaults(), ...violations]
    if (inFlightMax > 5) faults.push(`${inFlightMax} requests were in flight at once`)
    if (overlaps > 0) faults.push(`${overlaps} requests overtook another one of their partitions`)
    assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults`)
    const { pendingRecords, pendingBytes, bufferedBytes } = this.sink
    assert.deepEqual(
      { pendingRecords, pendingBytes, bufferedBytes },
      { pendingRecords: 0, pendingBytes: 0, bufferedBytes: 0 }
    )
  }

  async #until(isDone: () => boolean, withinMs: number): Promise<boolean> {
    const done = this.settlements.until(isDone).then(() => true)
    return await Promise.race([done, passes(withinMs, true).then(() => false)])
  }

  #settlementFaults(mayFail: (place: string) => boolean): string[] {
    const { published, failed, lost } = this.settlements
    const faults: string[] = []
    const failedByKey = new Map<string, number>()
    for (const [n, { route }] of this.#written.entries()) {
      const place = placeOf(route)
      const times = (published.get(n) ?? 0) + (failed.get(n) ?? 0)
      if (times !== 1) faults.push(`${n} of ${place} was settled ${times} times`)
      if (!failed.has(n)) continue
      failedByKey.set(route.key, (failedByKey.get(route.key) ?? 0) + 1)
      if (!mayFail(place)) faults.push(`${n} of ${place} failed`)
    }
    for (const key of new Set([...failedByKey.keys(), ...lost.keys()])) {
      const [told, count] = [lost.get(key) ?? 0, failedByKey.get(key) ?? 0]
      if (told !== count) faults.push(`${told} records under ${key} were told undelivered, ${count} failed`)
    }
    return faults
  }

  #logFaults(): string[] {
    const { published } = this.settlements
    const faults: string[] = []
    const times = new Map<number, number>()
    for (const log of this.double.logs()) {
      let last = -1
      for (const record of log.records) {
        const n = Number(record.value?.toString().split(':')[0])
        const where = `${log.topic}/${log.partition}@${record.offset}`
        const fault = this.#alteration(n, placeOf(log), record)
        if (fault !== null) faults.push(`${where} ${fault}`)
        times.set(n, (times.get(n) ?? 0) + 1)
        if (!published.has(n)) continue
        if (n < last) faults.push(`${where}: ${n} came after ${last}`)
        last = Math.max(last, n)
      }
    }
    for (const n of this.#written.keys()) {
      const count = times.get(n) ?? 0
      const place = placeOf(this.#written[n]!.route)
      if (count > 1) faults.push(`${n} is ${count} times in ${place}`)
      if (count === 0 && published.has(n)) faults.push(`${n} was published and is not in ${place}`)
    }
    return faults
  }

  #alteration(n: number, place: string, { key, value, timestamp }: LoggedRecord): string | null {
    const written = this.#written[n]
    if (written === undefined) return `holds ${String(value)}, which nobody wrote`
    if (placeOf(written.route) !== place) return `holds ${n} of ${placeOf(written.route)}`
    const isTrue =
      key?.toString() === written.route.key &&
      value?.toString() === written.value &&
      timestamp === written.timestamp
    return isTrue ? null : `holds ${n} altered: ${String(key)} ${String(value)} ${timestamp}`
  }
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}

function passes(ms: number, isIdle = false): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    if (isIdle) timer.unref()
  })
}
