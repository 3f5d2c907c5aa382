import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { KafkaSink } from '../../actors/producer/sinks/kafka.ts'
import { createLogger } from '../../src/core/logger.ts'
import { garbleKinds, type RequestFault, type Step } from '../support/broker-double/script.ts'
import { SinkRun, type SinkRunOptions } from '../support/broker-double/sink-run.ts'

const logger = createLogger('silent', 'test')
const topic = 't'
const first = { topic, partition: 0 }
const concurrency = 6
/** Short, where an answer never comes. */
const requestTimeoutMs = 500

interface RunOptions extends Partial<Omit<SinkRunOptions, 'openSink'>> {
  readonly steps?: readonly Step[]
}

/** Three nodes that lead two partitions each. */
async function start({ steps = [], double, ...rest }: RunOptions): Promise<SinkRun> {
  const run = await SinkRun.start({
    double: { topics: { [topic]: 6 }, steps, ...double },
    openSink: (access, tuning, listener) =>
      new KafkaSink({ access, tuning, requestTimeoutMs }, listener, logger),
    ...rest
  })
  await run.sink.open()
  return run
}

/** Some requests' worth before the fault, which meets the 4th that carries partition 0, and some after it. */
async function play(run: SinkRun, fault: readonly Step[] = []): Promise<void> {
  run.write(60)
  await run.settle()
  run.double.script.add(fault)
  await run.writeAtPace(600, 60, 5)
  await run.settle()
}

function meets(fault: RequestFault, times = 1): Step[] {
  return [{ from: 1, on: first, times, action: fault }]
}

function idsOf(run: SinkRun, partition: number): Set<bigint> {
  return new Set(run.double.records(topic, partition).map(({ producerId }) => producerId))
}

const retriedCodes = [2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 56, 72, 74, 75, 89, -1, 12345]
const codesAfterWriting = [6, 7, 13, 20, 56, -1, 12345]
const renewingCodes = [45, 47, 59, 90]
const poisonCodes = [10, 18, 32, 87]
const refusingCodes = [17, 43, 76]
const alertingCodes = [29, 31, 35, 58]

suite('the Kafka sink, by the code that a broker answers', { concurrency }, () => {
  for (const code of retriedCodes) {
    test(`${code}: sends the same batch again until it is taken`, async () => {
      await using run = await start({})
      await play(run, meets({ kind: 'answer', code }, 3))
      assert.ok(run.double.script.isOver)
      assert.equal(idsOf(run, 0).size, 1)
      run.assertSound()
    })
  }

  for (const code of codesAfterWriting) {
    test(`${code}, though it is written: the broker recognises it when it comes again`, async () => {
      await using run = await start({})
      await play(run, meets({ kind: 'answer', code, isWritten: true }))
      assert.equal(run.double.log(topic, 0).repeats, 1)
      assert.equal(idsOf(run, 0).size, 1)
      run.assertSound()
    })
  }

  for (const code of renewingCodes) {
    test(`${code}: the partition goes on under a new producer id, and the others keep theirs`, async () => {
      await using run = await start({})
      await play(run, meets({ kind: 'answer', code }))
      assert.equal(idsOf(run, 0).size, 2)
      for (const partition of [1, 2, 3, 4, 5]) assert.equal(idsOf(run, partition).size, 1)
      run.assertSound()
    })

    test(`${code} for a batch that may be written: it is not sent again, and said to be lost`, async () => {
      await using run = await start({})
      await play(run, [...meets({ kind: 'drop', isWritten: true }), ...meets({ kind: 'answer', code })])
      assert.deepEqual([...run.failedPlaces()], ['t/0'])
      for (const n of run.settlements.failed.keys()) {
        const written = run.double
          .records(topic, 0)
          .filter(({ value }) => value!.toString().startsWith(`${n}:`))
        assert.equal(written.length, 1, 'this one was written')
      }
      assert.equal(idsOf(run, 0).size, 2)
      run.assertSound(place => place === 't/0')
    })
  }

  for (const code of poisonCodes) {
    for (const tellsRows of [true, false]) {
      const how = tellsRows ? 'and says for which record' : 'for one record that it does not name'
      test(`${code}, ${how}: that record alone is refused`, async () => {
        await using run = await start({})
        run.double.happen({ kind: 'poison', topic, text: 'poison', code, tellsRows })
        run.write(60)
        const bad = run.write(1, { partition: 0, text: 'poison' })
        run.write(60)
        bad.push(...run.write(1, { partition: 3, text: 'poison' }))
        run.write(60)
        await run.settle()
        assert.deepEqual([...run.settlements.failed.keys()].sort(), bad.sort())
        assert.deepEqual(
          run.settlements.refusals
            .map(({ value }) => Number(Buffer.from(value).toString().split(':')[0]))
            .sort(),
          bad
        )
        run.assertSound(place => place === 't/0' || place === 't/3')
      })
    }
  }

  test('10 for a batch that fits when it is cut in two: nothing is lost', async () => {
    await using run = await start({ double: { topics: { [topic]: 1 } } })
    run.double.happen({ kind: 'shrink', bytes: 400, ms: 60_000 })
    run.write(300)
    await run.settle()
    run.assertSound()
  })

  test('10 for a batch that may be written already: it is not cut in two', async () => {
    await using run = await start({})
    await play(run, [...meets({ kind: 'drop', isWritten: true }), ...meets({ kind: 'answer', code: 10 })])
    assert.ok(run.settlements.failed.size > 0)
    run.assertSound(place => place === 't/0')
  })

  for (const code of refusingCodes) {
    test(`${code}: the batch is refused and the partition goes on`, async () => {
      await using run = await start({})
      await play(run, meets({ kind: 'answer', code }))
      const { failed, lost } = run.settlements
      assert.ok(failed.size > 0)
      assert.equal(
        [...lost.values()].reduce((sum, count) => sum + count, 0),
        failed.size
      )
      assert.deepEqual([...run.failedPlaces()], ['t/0'])
      run.assertSound(place => place === 't/0')
    })
  }

  for (const code of alertingCodes) {
    test(`${code}: it is said, and the records wait until somebody has mended it`, async () => {
      await using run = await start({})
      await play(run, meets({ kind: 'answer', code }))
      await run.recover()
      const { availabilities } = run.settlements
      assert.equal(availabilities.length, 2)
      assert.match(availabilities[0]!.message, new RegExp(`t/0 .*error ${code}`))
      run.assertSound()
    })
  }

  test('46 and 0 for what is there already: it is published', async () => {
    for (const duplicateCode of [46, 0] as const) {
      await using run = await start({ double: { topics: { [topic]: 6 }, duplicateCode } })
      await play(run, meets({ kind: 'drop', isWritten: true }, 2))
      // The first attempt wrote it, the second repeated it before its answer was lost too, and the third was answered.
      assert.equal(run.double.log(topic, 0).repeats, 2)
      run.assertSound()
    }
  })
})

suite('the Kafka sink, by what becomes of the answer', { concurrency }, () => {
  const faults: readonly (readonly [string, RequestFault])[] = [
    ['a connection reset after writing', { kind: 'drop', isWritten: true }],
    ['a connection reset before writing', { kind: 'drop', isWritten: false }],
    ['half an answer', { kind: 'tear' }],
    ['an answer without the partition, which is written', { kind: 'omit', isWritten: true }],
    ['an answer without the partition, which is not written', { kind: 'omit', isWritten: false }],
    ['an answer after the request was given up', { kind: 'delay', ms: requestTimeoutMs + 400 }],
    ...garbleKinds.map(how => [`an answer spoiled in its ${how}`, { kind: 'garble', how }] as const)
  ]
  for (const [name, fault] of faults) {
    test(`${name}: nothing is lost, doubled or misordered`, async () => {
      await using run = await start({})
      await play(run, meets(fault, 2))
      assert.ok(run.double.script.isOver)
      run.assertSound()
    })
  }

  test('a throttle time is kept', async () => {
    await using run = await start({ double: { topics: { [topic]: 6 }, nodes: 1 } })
    run.write(60)
    await run.settle()
    run.double.script.add([{ from: 1, action: { kind: 'throttle', ms: 400 } }])
    run.write(60)
    await run.settle()
    const before = performance.now()
    run.write(60)
    await run.settle()
    assert.ok(performance.now() - before > 300)
    run.assertSound()
  })
})

suite('the Kafka sink, by what happens to the cluster', { concurrency }, () => {
  test('leaders that move under load are followed', async () => {
    await using run = await start({})
    for (let round = 0; round < 6; round++) {
      for (const partition of [0, 1, 2]) run.double.happen({ kind: 'move', topic, partition })
      await run.writeAtPace(300, 30, 2)
    }
    await run.settle()
    run.assertSound()
  })

  test('a frozen node holds up its own partitions only, and does no harm when it thaws', async () => {
    await using run = await start({})
    run.write(60)
    await run.settle()
    run.double.happen({ kind: 'freeze', node: 1, ms: 3 * requestTimeoutMs })
    const held = run.write(60).filter(n => n % 3 === 0)
    await run.settlements.until(() => run.settlements.published.size >= 60 + 60 - held.length)
    await run.writeAtPace(300, 30, 5)
    await run.settle()
    run.assertSound()
  })

  test('a frozen node whose partitions move writes nothing that others have written', async () => {
    await using run = await start({})
    run.write(60)
    await run.settle()
    run.double.happen({ kind: 'freeze', node: 1, ms: 4 * requestTimeoutMs })
    run.write(60)
    for (const partition of [0, 3]) run.double.happen({ kind: 'move', topic, partition })
    await run.writeAtPace(300, 30, 5)
    await run.settle()
    await run.double.heal()
    run.write(60)
    await run.settle()
    run.assertSound()
  })

  test('a node that is gone and comes back', async () => {
    for (const movesLeaders of [true, false]) {
      await using run = await start({})
      await play(run, [{ from: 1, action: { kind: 'down', node: 1, ms: 700, movesLeaders } }])
      await run.recover()
      run.assertSound()
    }
  })

  test('a node that is gone for good, with its leaders elsewhere, is no outage', async () => {
    await using run = await start({})
    run.write(60)
    await run.settle()
    run.double.happen({ kind: 'down', node: 1, ms: 60_000, movesLeaders: true })
    await run.writeAtPace(1500, 20, 20)
    await run.settle()
    assert.deepEqual(run.settlements.availabilities, [])
    run.assertSound()
  })

  test('all nodes gone: it is said, and everything is sent when they are back', async () => {
    await using run = await start({})
    run.write(60)
    await run.settle()
    for (const node of [1, 2, 3]) run.double.happen({ kind: 'down', node, ms: 60_000, movesLeaders: false })
    run.write(300)
    await run.settlements.until(() => run.settlements.availabilities.length === 1)
    assert.equal(run.settlements.availabilities[0]!.isUp, false)
    await run.double.heal()
    await run.settle()
    await run.recover()
    assert.equal(run.settlements.availabilities.length, 2)
    run.assertSound()
  })

  test('all nodes gone at the start: it opens, says so, and sends when they come', async () => {
    await using run = await SinkRun.start({
      double: { topics: { [topic]: 6 } },
      openSink: (access, tuning, listener) =>
        new KafkaSink({ access, tuning, requestTimeoutMs }, listener, logger)
    })
    for (const node of [1, 2, 3]) run.double.happen({ kind: 'down', node, ms: 60_000, movesLeaders: false })
    await run.sink.open()
    assert.equal(run.settlements.availabilities[0]?.isUp, false)
    run.write(60)
    await run.double.heal()
    await run.settle()
    await run.recover()
    run.assertSound()
  })

  test('a topic that does not exist is named, and written to when it does', async () => {
    await using run = await start({})
    run.double.happen({ kind: 'vanish', topic, ms: 60_000 })
    run.write(60)
    await run.settlements.until(() => run.settlements.availabilities.length === 1)
    assert.match(run.settlements.availabilities[0]!.message, /t\/\d does not exist/)
    await run.double.heal()
    await run.settle()
    await run.recover()
    run.assertSound()
  })

  for (const code of [14, 15, 16, 51]) {
    test(`InitProducerId answered ${code} is asked again`, async () => {
      await using run = await SinkRun.start({
        double: { topics: { [topic]: 6 } },
        openSink: (access, tuning, listener) =>
          new KafkaSink({ access, tuning, requestTimeoutMs }, listener, logger)
      })
      run.double.happen({ kind: 'init', code, times: 2 })
      await run.sink.open()
      run.write(60)
      await run.settle()
      run.assertSound()
    })
  }

  for (const code of [3, 5, 9]) {
    test(`metadata answered ${code} is asked for again`, async () => {
      await using run = await start({})
      run.double.happen({ kind: 'metadata', topic, code, times: 2 })
      run.write(60)
      await run.settle()
      run.assertSound()
    })
  }

  for (const isStrict of [true, false]) {
    const how = isStrict ? 'says so' : 'takes what comes'
    test(`brokers that forget all producers, and ${how}`, async () => {
      await using run = await start({})
      run.write(60)
      await run.settle()
      run.write(60)
      await run.settle()
      for (let partition = 0; partition < 6; partition++) {
        run.double.happen({ kind: 'forget', topic, partition, isStrict })
      }
      await run.writeAtPace(300, 60, 5)
      await run.settle()
      assert.equal(idsOf(run, 0).size, isStrict ? 2 : 1)
      run.assertSound()
    })
  }
})

suite('the Kafka sink, by its patience', { concurrency }, () => {
  test('records that wait beyond the delivery timeout are said to be lost, and the rest goes on', async () => {
    await using run = await start({ tuning: { deliveryTimeoutMs: 300 } })
    run.write(60)
    await run.settle()
    run.double.script.add(meets({ kind: 'answer', code: 19 }, 12))
    run.write(60)
    await run.settle()
    assert.deepEqual([...run.failedPlaces()], ['t/0'])
    run.double.script.end()
    run.write(60)
    await run.settle()
    run.assertSound(place => place === 't/0')
  })

  test('a batch given up on a frozen node may be written later, once, and upsets nothing', async () => {
    await using run = await start({ tuning: { deliveryTimeoutMs: 300 } })
    run.write(60)
    await run.settle()
    run.double.happen({ kind: 'freeze', node: 1, ms: 60_000 })
    run.write(60)
    await run.settle()
    assert.deepEqual([...run.failedPlaces()].sort(), ['t/0', 't/3'])
    await run.double.heal()
    await run.writeAtPace(300, 30, 5)
    await run.settle()
    run.assertSound(place => place === 't/0' || place === 't/3')
  })

  test('a drain gives up at its deadline, and what follows is sent', async () => {
    await using run = await start({})
    run.write(60)
    await run.sink.drain(10_000)
    run.double.happen({ kind: 'freeze', node: 1, ms: 60_000 })
    run.write(60)
    await run.sink.drain(100)
    assert.equal(run.settledRecords, 120)
    assert.deepEqual([...run.failedPlaces()].sort(), ['t/0', 't/3'])
    await run.double.heal()
    run.write(60)
    await run.sink.drain(10_000)
    assert.equal(run.settlements.failed.size, 20)
    run.assertSound(place => place === 't/0' || place === 't/3')
  })
})

suite('the Kafka sink, by how it is let in', { concurrency }, () => {
  const sasl = { username: 'sam', password: 'right' }

  test('a right password', async () => {
    await using run = await start({
      double: { topics: { [topic]: 6 }, sasl },
      sasl: { mechanism: 'plain', ...sasl }
    })
    await play(run)
    run.assertSound()
  })

  test('a wrong password is said at the start, and nothing is asked in a hurry', async () => {
    await using run = await start({
      double: { topics: { [topic]: 6 }, sasl },
      sasl: { mechanism: 'plain', ...sasl, password: 'wrong' }
    })
    run.write(6)
    await run.settlements.until(() => run.settlements.availabilities.length > 0)
    assert.equal(run.settlements.availabilities[0]!.isUp, false)
    assert.match(run.settlements.availabilities[0]!.message, /[Aa]uthentication failed/)
    await run.sink.drain(1000)
    assert.ok(run.double.accepted <= 4, `${run.double.accepted} connections in a second`)
    run.assertSound(() => true)
  })

  test('sessions that end are renewed on their connections, without a loss', async () => {
    // The client renews a session that has less than 10 s left.
    const sessionMs = 10_300
    await using run = await start({
      double: { topics: { [topic]: 6 }, sasl: { ...sasl, sessionMs }, nodes: 1 },
      sasl: { mechanism: 'plain', ...sasl }
    })
    await run.writeAtPace(600, 6, 10)
    await run.settle()
    const { authentications, accepted } = run.double
    assert.ok(authentications > accepted, `${authentications} authentications on ${accepted} connections`)
    run.assertSound()
  })
})
