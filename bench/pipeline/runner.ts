import { busyShare, cores, markCpu } from '../ambient.ts'
import { BenchChild } from '../child.ts'
import { type ContenderPlan, type ContenderReading } from '../contenders/messages.ts'
import { type BenchKafka } from '../kafka.ts'

export type Program = 'coin-stream' | 'naive' | 'per-message'

/** One measurement of one contender. */
export interface Reading {
  readonly recordsPerS: number
  readonly cpuMicrosPerRecord: number
  readonly rssBytes: number
  /** Part of the machine's CPU time that the flood server took. */
  readonly floodShare: number
  /** Part that neither the flood nor the contender nor the broker took; null when the broker's is not known. */
  readonly ambientShare: number | null
  /** Part of the events that did not become records. */
  readonly droppedShare: number
}

export interface RunnerOptions {
  readonly program: Program
  readonly plan: Omit<ContenderPlan, 'origin'>
  /** Null without Kafka. */
  readonly kafka: BenchKafka | null
  /** At a low rate code gets hot slowly, so that each warms up as fast as it can (null), or at what it sustains. */
  readonly warmUpEventsPerS: number | null
}

const settlePollMs = 75
const settlePollsMax = 60
const subscribeMaxMs = 60_000

/** A contender with a flood of its own, which rests between two measurements. */
export class Runner {
  readonly #flood: BenchChild
  readonly #contender: BenchChild
  readonly #kafka: BenchKafka | null

  private constructor(flood: BenchChild, contender: BenchChild, kafka: BenchKafka | null) {
    this.#flood = flood
    this.#contender = contender
    this.#kafka = kafka
  }

  static async start({ program, plan, kafka }: RunnerOptions): Promise<Runner> {
    const [flood, listening] = await BenchChild.start(
      './flood/server.js',
      [JSON.stringify(plan.symbols)],
      'listening'
    )
    try {
      flood.tell({ type: 'rate', eventsPerS: 0 })
      const origin = `http://127.0.0.1:${listening.port}`
      const [contender] = await BenchChild.start(
        `./contenders/${program}.js`,
        [JSON.stringify({ ...plan, origin } satisfies ContenderPlan)],
        'ready'
      )
      const { binance, upbit } = plan.symbols
      await subscribed(flood, (binance.length + upbit.length) * plan.requestTypes.length)
      return new Runner(flood, contender, kafka)
    } catch (error) {
      await flood.stop()
      throw error
    }
  }

  async warmUp(eventsPerS: number | null, forMs: number): Promise<void> {
    this.#flood.tell({ type: 'rate', eventsPerS })
    await pause(forMs)
    await this.#rest()
  }

  /** @param eventsPerS over all connections; null is as fast as the contender reads */
  async measure(eventsPerS: number | null, warmUpMs: number, measureMs: number): Promise<Reading> {
    this.#flood.tell({ type: 'rate', eventsPerS })
    await pause(warmUpMs)
    const from = await this.#mark()
    await pause(measureMs)
    const to = await this.#mark()
    await this.#rest()
    return difference(from, to)
  }

  /** Runs at a rate and reads its memory in between, for as long as asked. */
  async watch(
    eventsPerS: number,
    forMs: number,
    everyMs: number,
    see: (atMs: number, reading: ContenderReading) => void
  ): Promise<void> {
    this.#flood.tell({ type: 'rate', eventsPerS })
    for (let atMs = 0; atMs < forMs; atMs += everyMs) {
      await pause(everyMs)
      see(atMs + everyMs, await this.#read())
    }
    await this.#rest()
  }

  async stop(): Promise<void> {
    await this.#contender.stop()
    await this.#flood.stop()
  }

  /** Ends the flood and waits until what came is acknowledged, so that nothing of it burdens the next. */
  async #rest(): Promise<void> {
    this.#flood.tell({ type: 'rate', eventsPerS: 0 })
    let records = -1
    for (let polls = 0; polls < settlePollsMax; polls++) {
      await pause(settlePollMs)
      const reading = await this.#read()
      if (reading.records === records) return
      ;({ records } = reading)
    }
  }

  async #read(): Promise<ContenderReading> {
    return this.#contender.ask({ type: 'read' }, 'reading')
  }

  async #mark(): Promise<Mark> {
    const reading = await this.#read()
    const { cpuMicros } = await this.#flood.ask({ type: 'usage' }, 'usage')
    const brokerMicros = this.#kafka === null ? 0 : this.#kafka.brokerCpuMicros()
    return { reading, floodMicros: cpuMicros, brokerMicros, cpu: markCpu() }
  }
}

interface Mark {
  readonly reading: ContenderReading
  readonly floodMicros: number
  readonly brokerMicros: number | null
  readonly cpu: ReturnType<typeof markCpu>
}

function difference(from: Mark, to: Mark): Reading {
  const records = to.reading.records - from.reading.records
  const dropped = to.reading.dropped - from.reading.dropped
  const cpuMicros = to.reading.cpuMicros - from.reading.cpuMicros
  const elapsedMs = to.reading.atMs - from.reading.atMs
  const floodMicros = to.floodMicros - from.floodMicros
  const machineMicros = (to.cpu.atMs - from.cpu.atMs) * 1000 * cores
  const brokerMicros =
    from.brokerMicros === null || to.brokerMicros === null ? null : to.brokerMicros - from.brokerMicros
  return {
    recordsPerS: (records * 1000) / elapsedMs,
    cpuMicrosPerRecord: cpuMicros / Math.max(1, records),
    rssBytes: to.reading.rssBytes,
    floodShare: floodMicros / machineMicros,
    ambientShare:
      brokerMicros === null
        ? null
        : Math.max(0, busyShare(from.cpu, to.cpu) - (cpuMicros + floodMicros + brokerMicros) / machineMicros),
    droppedShare: dropped / Math.max(1, records + dropped)
  }
}

/** The venues' limits let many symbols come only one request after the other. */
async function subscribed(flood: BenchChild, symbols: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < subscribeMaxMs; waitedMs += settlePollMs) {
    const usage = await flood.ask({ type: 'usage' }, 'usage')
    if (usage.subscribed >= symbols) return
    await pause(settlePollMs)
  }
  throw new RangeError(`a contender did not subscribe to its ${symbols} symbols`)
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
