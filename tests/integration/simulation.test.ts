import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { openSimulation } from '../../src/app/simulation.ts'
import { SimulationClient, startOrAttach } from '../../src/app/simulation-client.ts'
import { type IngestError } from '../../src/core/errors.ts'
import { simulatedExchanges } from '../../src/simulator/simulations.ts'
import { type CheckSource } from '../../src/verify/record-source.ts'
import { EmbeddedLogRig } from '../support/embedded-log.ts'
import { accessTo } from '../support/kafka.ts'

async function withSimulation(
  use: (client: SimulationClient, explanations: readonly string[]) => Promise<void>
): Promise<void> {
  const explanations: string[] = []
  const simulation = await openSimulation({ socket: null, seed: 7, rate: 200, faults: '' }, sentence =>
    explanations.push(sentence)
  )
  try {
    await use(new SimulationClient(simulation.socket), explanations)
  } finally {
    await simulation.close()
    await simulation.close()
  }
  assert.equal(existsSync(simulation.socket), false)
}

suite('the simulation', () => {
  test('tells what it simulates on a socket of its owner', async () => {
    await withSimulation(async client => {
      const { seed, rate, venues } = await client.open()
      assert.deepEqual({ seed, rate }, { seed: 7, rate: 200 })
      assert.deepEqual(
        venues.map(({ exchange }) => exchange),
        simulatedExchanges
      )
      assert.deepEqual(client.venues, venues)
      assert.equal(statSync(client.socket).mode & 0o777, 0o600)
      const { sent, read, handshakes } = await client.stats()
      assert.deepEqual(
        { sent, read, handshakes },
        {
          sent: 0,
          read: null,
          handshakes: Object.fromEntries(simulatedExchanges.map(exchange => [exchange, 0]))
        }
      )
    })
  })

  test('has no truth without a check, and takes no check of something that does not answer', async () => {
    await withSimulation(async client => {
      await assert.rejects(client.truth(), { code: 'USAGE', message: /--verify/ })
      await assert.rejects(client.finish(), { code: 'USAGE' })
      const socket = join(tmpdir(), 'coin-stream-nobody.sock')
      await assert.rejects(client.check({ kind: 'embedded', socket }), { code: 'SERVICE_UNREACHABLE' })
    })
  })

  test('takes nobody in whose markets stand still, and says what to do', async () => {
    await withSimulation(async client => {
      await client.freeze()
      const again = startOrAttach({ attach: client.socket, rate: 200, seed: 7, faults: '' })
      await assert.rejects(again, {
        code: 'SIMULATOR_FAILED',
        message: /stand still.*Start coin-stream simulate anew/
      })
    })
  })

  test('takes no check of a Kafka that is told in part, and does not repeat what it was told', async () => {
    await withSimulation(async client => {
      const sasl = { mechanism: 'plain', username: 'feeder', password: 'hidden' }
      const access = { ...accessTo('127.0.0.1:1'), clientId: 'check', sasl }
      for (const part of [{ brokers: [] }, { caFile: 1 }, { sasl: { password: 'hidden' } }]) {
        const source = { kind: 'kafka', access: { ...access, ...part }, topics: ['t'], registry: null }
        await assert.rejects(client.check(source as CheckSource), (error: IngestError) => {
          assert.equal(error.code, 'USAGE')
          assert.match(error.message, /^source is .*"access":/)
          assert.ok(!error.message.includes('hidden'))
          return true
        })
      }
    })
  })

  test('checks an embedded log to its end, and nothing afterwards', async () => {
    await using rig = await EmbeddedLogRig.start()
    await withSimulation(async (client, explanations) => {
      await client.check({ kind: 'embedded', socket: rig.socket })
      await client.freeze()
      const finished = client.finish()
      await rig.log.close(10_000)
      const truth = await finished
      assert.equal(truth.sent, 0)
      assert.deepEqual(await client.truth(), truth)
      assert.deepEqual(explanations, [])
      await assert.rejects(client.check({ kind: 'embedded', socket: rig.socket }), { code: 'USAGE' })
    })
  })

  test('takes faults of the harness, and says what is wrong with others', async () => {
    await withSimulation(async client => {
      await client.fault({ kind: 'kill' })
      await client.fault({ kind: 'outage', exchange: 'upbit', at_ms: 1, until_ms: 2 })
      await assert.rejects(client.fault({ kind: 'kill', at_ms: Number.NaN }), {
        code: 'USAGE',
        message: /at_ms/
      })
    })
  })

  test('tells who asks in vain that nobody is there', async () => {
    const client = new SimulationClient(join(tmpdir(), 'coin-stream-nobody.sock'))
    await assert.rejects(client.open(), { code: 'SIMULATOR_FAILED', message: /does not answer/ })
  })
})
