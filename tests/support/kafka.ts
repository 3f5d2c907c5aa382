import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { KafkaControl } from './kafka-control.ts'

/** The tests run with the project's folder as their working directory. */
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

export async function startKafka(): Promise<OwnKafka> {
  const { control, greeting } = await KafkaControl.start('broker')
  const order = async (verb: string): Promise<void> => {
    await control.order(verb)
  }
  return {
    brokers: textOf(greeting, 'brokers'),
    kill: () => order('kill'),
    stop: () => order('stop'),
    freeze: () => order('freeze'),
    resume: () => order('resume'),
    start: () => order('start'),
    [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]()
  }
}

/** Node 1 is the controller too: without it nobody is elected. */
export type NodeId = 1 | 2 | 3

/**
 * Three brokers of one test's own (3 replicas, 2 of them must be in sync), with a proxy before each. Whoever takes a node
 * number takes all three without one.
 */
export interface OwnCluster extends AsyncDisposable {
  /** The proxies: what a client under test is given. */
  readonly brokers: string
  /** Around the proxies: for whoever watches and reads back. */
  readonly direct: string
  kill(node?: NodeId): Promise<void>
  stop(node?: NodeId): Promise<void>
  freeze(node?: NodeId): Promise<void>
  resume(node?: NodeId): Promise<void>
  /** Resolves when the broker answers again and takes part; its partitions may still be out of sync. */
  start(node?: NodeId): Promise<void>
  /** Resets all client connections; resolves with how many there were. */
  cut(node?: NodeId): Promise<number>
  /** Lets the next Produce request through and resets its connection in the place of the answer. */
  cutAfterWrite(node: NodeId): Promise<void>
}

export async function startCluster(): Promise<OwnCluster> {
  const { control, greeting } = await KafkaControl.start('cluster')
  const order = (verb: string, node?: NodeId): Promise<unknown> =>
    control.order(node === undefined ? verb : `${verb} ${node}`)
  const act =
    (verb: string) =>
    async (node?: NodeId): Promise<void> => {
      await order(verb, node)
    }
  return {
    brokers: textOf(greeting, 'brokers'),
    direct: textOf(greeting, 'direct'),
    kill: act('kill'),
    stop: act('stop'),
    freeze: act('freeze'),
    resume: act('resume'),
    start: act('start'),
    cut: async node => Number(await order('cut', node)),
    cutAfterWrite: act('cut-after-write'),
    [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]()
  }
}

/** One broker behind TLS, SASL and an authorizer that denies nothing yet. Its certificate is for `localhost` only. */
export interface GuardedKafka extends AsyncDisposable {
  /** No TLS, no SASL, and every right. */
  readonly plain: string
  readonly tls: string
  /** It sends its clients on to 127.0.0.1, which is not in its certificate. */
  readonly tlsElsewhere: string
  /** It asks for a certificate. */
  readonly mutualTls: string
  readonly sasl: string
  readonly saslTls: string
  readonly user: { readonly username: string; readonly password: string }
  readonly files: {
    readonly caFile: string
    readonly certFile: string
    readonly keyFile: string
    /** An authority that signed nothing here. */
    readonly strangerCaFile: string
  }
}

export async function startGuardedKafka(): Promise<GuardedKafka> {
  const { control, greeting } = await KafkaControl.start('guarded')
  return {
    ...(greeting as unknown as Omit<GuardedKafka, typeof Symbol.asyncDispose>),
    [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]()
  }
}

function textOf(greeting: Readonly<Record<string, unknown>>, name: string): string {
  const text = greeting[name]
  assert.ok(typeof text === 'string')
  return text
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

/**
 * All records of the topics, read and decoded by a Python consumer that shares no code with us; in order per partition.
 * @param schemas a folder with `ids.json`, or the URL of a registry
 */
export async function witness(
  brokers: string,
  topics: readonly string[],
  schemas = schemaFolder
): Promise<WitnessRecord[]> {
  const path = process.env['COIN_STREAM_PYTHONPATH']
  assert.ok(
    path,
    'Run these tests under "node scripts/services.mjs run --": COIN_STREAM_PYTHONPATH is not set.'
  )
  const python = spawn('python3', [witnessScript, brokers, schemas, ...topics], {
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
