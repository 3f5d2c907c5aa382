import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { suite, test } from 'node:test'
import { type NodeId, startCluster } from '../support/kafka.ts'

const script = resolve('scripts/services.mjs')
/** The suite itself runs under services: what they export must not be taken for the user's. */
const plainEnv: NodeJS.ProcessEnv = { ...process.env }
delete plainEnv['KAFKA_BROKERS']
delete plainEnv['SCHEMA_REGISTRY_URL']

function services(args: readonly string[], env: NodeJS.ProcessEnv = plainEnv) {
  return spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
}

async function outcome(
  child: ReturnType<typeof services>
): Promise<{ code: number; out: string; err: string }> {
  const exited = once(child, 'exit') as Promise<[number]>
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: (await exited)[0], out, err }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      done(true)
    })
    socket.on('error', () => done(false))
  })
}

async function closed(port: number): Promise<void> {
  while (await isOpen(port)) await new Promise(done => setImmediate(done))
}

/** A command that would run on, but for the death of its parent. */
const showBrokers = `
console.log(process.env.KAFKA_BROKERS)
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(), 50)
`

async function runningBroker(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout! })
  const [line] = (await once(lines, 'line')) as [string]
  return Number(line.split(':')[1])
}

suite('services run', () => {
  test('gives the command its addresses, exits as it did, and leaves nothing behind', async () => {
    const print = 'console.log(process.env.KAFKA_BROKERS, process.env.SCHEMA_REGISTRY_URL); process.exit(7)'
    const { code, out } = await outcome(
      services(['run', '--only', 'kafka', '--', process.execPath, '-e', print])
    )
    assert.equal(code, 7)
    const [brokers, registry] = out.trim().split(' ')
    assert.match(brokers!, /^127\.0\.0\.1:\d+$/)
    assert.equal(registry, 'none')
    assert.equal(await isOpen(Number(brokers!.split(':')[1])), false)
  })

  test('uses the Kafka that the environment names', async () => {
    const env = { ...plainEnv, KAFKA_BROKERS: 'kafka.example:9092' }
    const print = 'console.log(process.env.KAFKA_BROKERS)'
    const { code, out } = await outcome(
      services(['run', '--only', 'kafka', '--', process.execPath, '-e', print], env)
    )
    assert.deepEqual({ code, out }, { code: 0, out: 'kafka.example:9092\n' })
  })

  test('takes its services along even when it is killed hard', async () => {
    const child = services(['run', '--only', 'kafka', '--', process.execPath, '-e', showBrokers])
    const port = await runningBroker(child)
    assert.equal(await isOpen(port), true)
    child.kill('SIGKILL')
    await closed(port)
  })

  test('passes a signal to end on to its command', async () => {
    const child = services(['run', '--only', 'kafka', '--', process.execPath, '-e', showBrokers])
    const port = await runningBroker(child)
    const exited = once(child, 'exit') as Promise<[number]>
    child.kill('SIGTERM')
    assert.equal((await exited)[0], 128 + 15)
    assert.equal(await isOpen(port), false)
  })

  test('says in one sentence what is missing, and fails', async t => {
    const empty = mkdtempSync(join(tmpdir(), 'coin-stream-test-'))
    t.after(() => rmSync(empty, { recursive: true }))
    const env = { PATH: empty, HOME: empty, COIN_STREAM_CACHE: join(empty, 'cache') }
    const { code, err } = await outcome(services(['run', '--', process.execPath, '-e', ''], env))
    assert.equal(code, 1)
    assert.equal(err.trim().split('\n').length, 1)
    assert.match(
      err,
      /^services: No Docker engine answers, and there is neither Java 17 nor .+: install Java and Maven /
    )
  })

  test('refuses a service that it does not know', async () => {
    const { code, err } = await outcome(services(['install', '--only', 'kafka,zookeeper']))
    assert.equal(code, 1)
    assert.match(err, /^services: --only knows kafka, redis, registry, witness, not "zookeeper"\.\n$/)
  })
})

suite('services control', () => {
  test('cuts connections without harm to their broker, and a dead broker takes none', async () => {
    await using cluster = await startCluster()
    const port = Number(cluster.brokers.split(',')[1]!.split(':')[1])
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const reset = once(socket, 'error') as Promise<[NodeJS.ErrnoException]>
    assert.equal(await cluster.cut(2), 1)
    assert.equal((await reset)[0].code, 'ECONNRESET')
    assert.equal(await isOpen(port), true)
    await cluster.kill(2)
    assert.equal(await isOpen(port), false)
    await cluster.start()
    assert.equal(await isOpen(port), true)
    await assert.rejects(cluster.freeze(4 as NodeId), /there is no node 4/)
  })

  test('refuses a kind of Kafka that it does not know', async () => {
    const { code, err } = await outcome(services(['control', 'zookeeper']))
    assert.equal(code, 1)
    assert.match(err, /^services: control knows broker, cluster, guarded, not "zookeeper"\.\n$/)
  })
})

test('the runner of the tests refuses a suite that it does not know', async () => {
  const runner = spawn(process.execPath, [resolve('scripts/test.mjs'), 'no-such-suite'], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const { code, err } = await outcome(runner)
  assert.equal(code, 1)
  assert.match(err, /"no-such-suite" is none of the suites: unit, contract/)
})
