import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Gap } from '../../src/domain/gap.ts'
import { assertClean, FaultRun, isShort, passes } from '../support/fault-run.ts'
import { type OwnKafka, startKafka, witness } from '../support/kafka.ts'

const mib = 1024 * 1024
const rate = isShort ? 3_000 : 8_000
const frozenMs = isShort ? 4_000 : 20_000
/** What may be on its way is counted in the smallest credits there are; the rest is room for the collector's moods. */
const growthBytesMax = 96 * mib

function settingsFor(kafka: OwnKafka): Record<string, string> {
  return {
    'kafka.brokers': kafka.brokers,
    'registry.url': 'none',
    'limits.creditBytes': String(mib),
    'limits.frameBytesMax': String(mib),
    'limits.controlReserveBytes': String(mib)
  }
}

test('a frozen Kafka costs no memory: sockets are paused, then frames are shed, counted and declared', async t => {
  await using kafka = await startKafka()
  await using run = await FaultRun.start({
    rate,
    settings: settingsFor(kafka)
  })
  await run.publishes(2 * rate)
  const before = process.memoryUsage.rss()
  await kafka.freeze()
  await run.until('frames are shed', ({ frames }) => frames.shed > 0)
  await passes(frozenMs)
  const during = run.service.snapshot()
  const growth = process.memoryUsage.rss() - before
  t.diagnostic(
    `${during.frames.shed} frames shed, ${during.records.in_flight} records waiting, memory +${Math.round(growth / mib)} MiB`
  )
  assert.ok(growth < growthBytesMax, `the process grew by ${Math.round(growth / mib)} MiB`)
  assert.ok(during.gaps.open > 0)
  await kafka.resume()
  await run.until('no gap is open any more', ({ gaps }) => gaps.open === 0, 60_000)
  const shedSoFar = run.service.snapshot().frames.shed
  await run.publishes(2 * rate)
  const summary = await run.stop()
  assertClean(summary)
  const gaps = (await witness(kafka.brokers, ['ws.gap.events'])).map(({ value }) => value as unknown as Gap)
  const closed = gaps.filter(({ status }) => status === 'closed')
  const shed = closed.filter(({ reason }) => reason === 'shed')
  for (const type of ['ticker', 'orderbook']) {
    assert.ok(
      shed.some(({ target }) => target.request_type === type),
      `no ${type} was shed`
    )
  }
  // Every shed frame is in the count of the gap that declares it.
  assert.equal(
    closed.reduce((sum, gap) => sum + (gap.shed ?? 0), 0),
    summary.frames.shed
  )
  t.diagnostic(
    `${shed.length} gaps with reason shed, ${summary.frames.shed - shedSoFar} frames shed after the thaw`
  )
})

if (!isShort) {
  for (const thread of ['producer', 'conn-0']) {
    test(`${thread} may die while Kafka is frozen and frames are shed`, async () => {
      await using kafka = await startKafka()
      await using run = await FaultRun.start({ rate, seed: 2, settings: settingsFor(kafka) })
      await run.publishes(2 * rate)
      await kafka.freeze()
      await run.until('frames are shed', ({ frames }) => frames.shed > 0)
      await run.service.crash(thread)
      await passes(5_000)
      await kafka.resume()
      await run.publishes(2 * rate)
      await run.until('no gap is open any more', ({ gaps }) => gaps.open === 0, 60_000)
      assertClean(await run.stop())
    })
  }

  test('connections that are cut while Kafka is frozen bring no new credit', async () => {
    await using kafka = await startKafka()
    await using run = await FaultRun.start({
      rate,
      seed: 3,
      faults: 'drop:500ms,corrupt:0.002',
      settings: settingsFor(kafka)
    })
    await run.publishes(2 * rate)
    const before = process.memoryUsage.rss()
    await kafka.freeze()
    await passes(20_000)
    const growth = process.memoryUsage.rss() - before
    assert.ok(growth < growthBytesMax, `the process grew by ${Math.round(growth / mib)} MiB`)
    await kafka.resume()
    await run.publishes(2 * rate)
    assertClean(await run.stop())
  })
}
