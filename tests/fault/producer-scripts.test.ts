import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { KafkaSink } from '../../actors/producer/sinks/kafka.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type RandomScript, randomScript } from '../support/broker-double/random-script.ts'
import { SinkRun } from '../support/broker-double/sink-run.ts'
import { isShort } from '../support/fault-run.ts'

/** `COIN_STREAM_SEED=17` plays that script alone, `COIN_STREAM_SEED=1000..1999` other ones. */
const seeds = seedsOf(process.env['COIN_STREAM_SEED'] ?? (isShort ? '1..20' : '1..200'))
const concurrency = 8
/** Answers that never come are given up after this time. */
const requestTimeoutMs = 600
const settleMs = 60_000
const logger = createLogger('silent', 'test')

const total = { scripts: 0, played: 0, records: 0, failed: 0, requests: 0, repeats: 0 }

function seedsOf(text: string): number[] {
  const [first, last] = text.split('..').map(Number) as [number, number?]
  return Array.from({ length: (last ?? first) - first + 1 }, (_, i) => first + i)
}

async function play(run: SinkRun, script: RandomScript): Promise<void> {
  const { records, slice, pauseMs, hastyDrainMs, endsByDrain } = script
  await run.sink.open()
  if (hastyDrainMs === null) await run.writeAtPace(records, slice, pauseMs)
  else {
    const half = records >> 1
    await run.writeAtPace(half, slice, pauseMs)
    await run.sink.drain(hastyDrainMs)
    assert.equal(run.settledRecords, half)
    await run.writeAtPace(records - half, slice, pauseMs)
  }
  if (endsByDrain) await run.sink.drain(settleMs)
  else await run.settle(settleMs)
  run.assertSound(place => script.mayFail(place))
  if (run.settlements.failed.size === 0) await run.recover()
}

function account({ double, settlements, written }: SinkRun): void {
  total.scripts++
  total.played += double.script.isOver ? 1 : 0
  total.records += written
  total.failed += settlements.failed.size
  total.requests += double.script.requests
  total.repeats += double.logs().reduce((sum, { repeats }) => sum + repeats, 0)
}

suite('whatever the brokers do, every record has one fate, and the log agrees', { concurrency }, () => {
  for (const seed of seeds) {
    const script = randomScript(seed)
    const { steps, tuning, double, paddingBytes } = script
    const name = steps.map(({ action }) => ('code' in action ? action.code : action.kind)).join(', ')
    test(`seed ${seed}: ${name}`, async t => {
      await using run = await SinkRun.start({
        double,
        tuning,
        paddingBytes,
        openSink: (access, filled, listener) =>
          new KafkaSink({ access, tuning: filled, requestTimeoutMs }, listener, logger)
      })
      try {
        await play(run, script)
      } catch (error) {
        t.diagnostic(`COIN_STREAM_SEED=${seed} plays it again: ${JSON.stringify(script)}`)
        throw error
      }
      account(run)
    })
  }
})

test('the scripts were played to their ends, and met what they were to meet', t => {
  t.diagnostic(JSON.stringify(total))
  assert.equal(total.scripts, seeds.length)
  if (seeds.length < 20) return
  assert.ok(total.played >= total.scripts * 0.7, `${total.played} scripts were played to their ends`)
  assert.ok(total.repeats > total.scripts / 10, `only ${total.repeats} batches were sent again needlessly`)
  assert.ok(total.failed > 0 && total.failed < total.records / 10, `${total.failed} records failed`)
})
