import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type Readable, type Writable } from 'node:stream'
import { type KafkaAccess } from '../../src/bus/kafka-client.ts'

/** The tests run with the project's folder as their working directory. */
const servicesScript = resolve('scripts/services.mjs')
const witnessScript = resolve('tests/support/witness.py')
const schemaFolder = resolve('schemas')

export function accessTo(brokers: string): KafkaAccess {
  return {
    brokers: brokers.split(','),
    clientId: 'coin-stream-test',
    tls: false,
    caFile: null,
    certFile: null,
    keyFile: null,
    sasl: null
  }
}

/** The cluster that all integration tests share; each makes topics of its own in it. */
export function sharedBrokers(): string {
  const brokers = process.env['KAFKA_BROKERS']
  assert.ok(brokers, 'Run these tests under "node scripts/services.mjs run --": KAFKA_BROKERS is not set.')
  return brokers
}

/** A broker of one test's own, which may be killed, frozen and started again on the same port and data. */
export interface OwnKafka extends AsyncDisposable {
  readonly brokers: string
  kill(): Promise<void>
  stop(): Promise<void>
  freeze(): Promise<void>
  resume(): Promise<void>
  /** Resolves when the broker answers again. */
  start(): Promise<void>
}

type Control = ChildProcessByStdio<Writable, Readable, null>

export async function startKafka(): Promise<OwnKafka> {
  const control: Control = spawn(process.execPath, [servicesScript, 'control'], {
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const lines = createInterface({ input: control.stdout })[Symbol.asyncIterator]()
  const answer = async (): Promise<Record<string, unknown>> => {
    const line = await lines.next()
    assert.ok(line.done !== true, 'the process that controls the broker ended')
    return JSON.parse(line.value) as Record<string, unknown>
  }
  const order = async (verb: string): Promise<void> => {
    control.stdin.write(`${verb}\n`)
    assert.deepEqual(await answer(), { done: verb })
  }
  const { brokers } = await answer()
  assert.ok(typeof brokers === 'string')
  return {
    brokers,
    kill: () => order('kill'),
    stop: () => order('stop'),
    freeze: () => order('freeze'),
    resume: () => order('resume'),
    start: () => order('start'),
    async [Symbol.asyncDispose]() {
      if (control.exitCode !== null) return
      const exited = once(control, 'exit')
      control.stdin.end()
      await exited
    }
  }
}

export interface WitnessRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string
  /** Milliseconds. */
  readonly timestamp: number
  /** Name of the Avro schema; null: the value was JSON. */
  readonly schema: string | null
  /** Times are the integers that were written. */
  readonly value: Record<string, unknown>
  /** The value as it lies in the log. */
  readonly bytes: Buffer
}

/** All records of the topics, read and decoded by a Python consumer that shares no code with us; in order per partition. */
export async function witness(brokers: string, topics: readonly string[]): Promise<WitnessRecord[]> {
  const path = process.env['COIN_STREAM_PYTHONPATH']
  assert.ok(
    path,
    'Run these tests under "node scripts/services.mjs run --": COIN_STREAM_PYTHONPATH is not set.'
  )
  const python = spawn('python3', [witnessScript, brokers, schemaFolder, ...topics], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: path }
  })
  const exited = once(python, 'exit') as Promise<[number | null]>
  const records: WitnessRecord[] = []
  for await (const line of createInterface({ input: python.stdout })) {
    const read = JSON.parse(line) as Omit<WitnessRecord, 'bytes'> & { bytes: string }
    records.push({ ...read, bytes: Buffer.from(read.bytes, 'base64') })
  }
  const [code] = await exited
  assert.equal(code, 0, 'the witness failed; what it says is above')
  return records
}
