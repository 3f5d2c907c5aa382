import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { processCpuMicros } from './ambient.ts'
import { projectFile } from './project.ts'

/** Says what the services set, then waits for the end of its standard input: so long do they live. */
const holder = `const { KAFKA_BROKERS, COIN_STREAM_PYTHONPATH, COIN_STREAM_KAFKA_PID } = process.env
process.stdout.write(JSON.stringify({ KAFKA_BROKERS, COIN_STREAM_PYTHONPATH, COIN_STREAM_KAFKA_PID }) + '\\n')
process.stdin.resume().on('end', () => process.exit(0))`

interface Environment {
  readonly KAFKA_BROKERS?: string
  readonly COIN_STREAM_PYTHONPATH?: string
  readonly COIN_STREAM_KAFKA_PID?: string
}

const pollMs = 20

/** Topics of the bench are made for one run each and deleted behind it; their files go at once. */
const topicSettings = [
  { name: 'file.delete.delay.ms', value: '1000' },
  { name: 'segment.bytes', value: '268435456' }
]

/** The Kafka that the bench measures on: the one in KAFKA_BROKERS, or one that lives as long as the bench. */
export class BenchKafka {
  readonly brokers: readonly string[]
  /** Where the Python packages lie that bring librdkafka; null when they could not be had. */
  readonly pythonPath: string | null
  readonly #child: ChildProcess | null
  readonly #brokerPid: number | null
  readonly #admin: Admin
  #topics = 0

  private constructor(environment: Environment, child: ChildProcess | null) {
    this.brokers = (environment.KAFKA_BROKERS ?? '').split(/[\s,]+/).filter(each => each !== '')
    this.pythonPath = environment.COIN_STREAM_PYTHONPATH ?? null
    this.#child = child
    const pidFile = environment.COIN_STREAM_KAFKA_PID
    this.#brokerPid = pidFile === undefined ? null : Number(readFileSync(pidFile, 'utf8'))
    this.#admin = new Kafka({
      brokers: [...this.brokers],
      clientId: 'coin-stream-bench',
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 20 }
    }).admin()
  }

  /** Answers a sentence instead when there is no Kafka to be had. */
  static async open(): Promise<BenchKafka | string> {
    const whole = await BenchKafka.#start('kafka,witness')
    // Without Python there is no librdkafka, which is no reason to do without Kafka.
    return typeof whole === 'string' ? BenchKafka.#start('kafka') : whole
  }

  static async #start(services: string): Promise<BenchKafka | string> {
    const script = [projectFile('scripts/services.mjs'), 'run', '--only', services, '--']
    const child = spawn(process.execPath, [...script, process.execPath, '-e', holder], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, COIN_STREAM_KAFKA_FOR: 'load' }
    })
    let complaint = ''
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-1000)))
    // Its end may come before its last orders are written.
    child.stdin.on('error', () => undefined)
    for await (const line of createInterface({ input: child.stdout })) {
      const kafka = new BenchKafka(JSON.parse(line) as Environment, child)
      await kafka.#admin.connect()
      return kafka
    }
    return complaint.trim()
  }

  /** CPU time of the broker up to now; null for one that the bench did not start. */
  brokerCpuMicros(): number | null {
    return this.#brokerPid === null ? null : processCpuMicros(this.#brokerPid)
  }

  async createTopic(partitions: number): Promise<string> {
    const topic = `bench-${process.pid}-${this.#topics++}`
    await this.#admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, configEntries: topicSettings }]
    })
    while (!(await this.#hasLeaders(topic, partitions)))
      await new Promise(resolve => setTimeout(resolve, pollMs))
    return topic
  }

  async #hasLeaders(topic: string, partitions: number): Promise<boolean> {
    try {
      const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] })
      const known = topics[0]?.partitions ?? []
      return known.length === partitions && known.every(({ leader }) => leader >= 0)
    } catch {
      return false
    }
  }

  async recordsIn(topic: string): Promise<number> {
    const partitions = await this.#admin.fetchTopicOffsets(topic)
    return partitions.reduce((sum, { high }) => sum + Number(high), 0)
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    await this.#admin.deleteTopics({ topics: [...topics] })
  }

  /** Whatever stands there from a run before, or from another suite. */
  async deleteDataTopics(): Promise<void> {
    const all = await this.#admin.listTopics()
    const ours = all.filter(topic => /^(?:ticker|trade|orderbook)-data\./.test(topic))
    if (ours.length > 0) await this.#admin.deleteTopics({ topics: ours })
  }

  async stop(): Promise<void> {
    await this.#admin.disconnect()
    if (this.#child === null) return
    const ended = new Promise(resolve => this.#child?.once('exit', resolve))
    this.#child.stdin?.end()
    await ended
  }
}
