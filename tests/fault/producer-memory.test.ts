import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BackPressureEvent } from '../../actors/producer/back-pressure.ts'
import { type StatusSnapshot } from '../../src/app/service.ts'
import { assertClean, FaultRun, isShort, passes } from '../support/fault-run.ts'
import { type OwnKafka, startKafka, witness } from '../support/kafka.ts'

const mib = 1024 * 1024
/** What a process may take beside the buffer: raw frames within the credits, and the collector's moods. */
const beyondBufferBytes = 100 * mib
const lookEveryMs = 50

interface Form {
  readonly name: string
  readonly rate: number
  readonly frozenMs: number
  /** Whether the buffer ends before the credits do: then frames wait undecoded. */
  readonly fillsBuffer: boolean
  readonly settings: Readonly<Record<string, string>>
}

const forms: readonly Form[] = isShort
  ? [
      {
        name: 'a small buffer',
        rate: 5_000,
        frozenMs: 2_000,
        fillsBuffer: true,
        settings: {
          'producer.bufferBytes': String(4 * mib),
          'limits.creditBytes': String(8 * mib),
          'limits.frameBytesMax': String(mib)
        }
      }
    ]
  : [
      {
        name: 'a buffer smaller than the credits',
        rate: 10_000,
        frozenMs: 30_000,
        fillsBuffer: true,
        settings: { 'producer.bufferBytes': String(16 * mib), 'limits.creditBytes': String(64 * mib) }
      },
      { name: 'the defaults', rate: 10_000, frozenMs: 60_000, fillsBuffer: false, settings: {} }
    ]

/** The largest memory that this process, which the service is part of, had while `during` ran. */
async function peakRss(during: Promise<void>): Promise<number> {
  let peak = 0
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  const timer = setInterval(look, lookEveryMs)
  await during.finally(() => clearInterval(timer))
  look()
  return peak
}

async function backPressure(kafka: OwnKafka): Promise<BackPressureEvent[]> {
  const events = await witness(kafka.brokers, ['ws.backpressure.events'])
  return events.map(({ value }) => value as unknown as BackPressureEvent)
}

for (const form of forms) {
  test(`a frozen Kafka costs bounded memory and pauses the sockets, and what waited drains in order: ${form.name}`, async t => {
    await using kafka = await startKafka()
    await using run = await FaultRun.start({
      rate: form.rate,
      settings: { 'kafka.brokers': kafka.brokers, 'registry.url': 'none', ...form.settings }
    })
    await run.publishes(2 * form.rate)
    const before = process.memoryUsage.rss()
    const bufferBytes = run.service.snapshot().producer!.buffer_bytes
    await kafka.freeze()
    const frozen = async (): Promise<void> => {
      const isUsedUp = ({ producer }: StatusSnapshot): boolean =>
        producer!.buffered_bytes >= bufferBytes * 0.9
      if (form.fillsBuffer) await run.until('the buffer is used up', isUsedUp, 120_000)
      // A socket is paused when its credits are used up, and sheds when it cannot be paused any longer.
      await run.until('sockets were paused as long as may be', ({ frames }) => frames.shed > 0, 120_000)
      await passes(form.frozenMs)
    }
    const growth = (await peakRss(frozen())) - before
    const during = run.service.snapshot()
    const { buffered_bytes, undecoded_bytes } = during.producer!
    t.diagnostic(
      `frozen: ${mibOf(buffered_bytes)} of ${mibOf(bufferBytes)} buffered, ${mibOf(undecoded_bytes)} undecoded, ${during.records.in_flight} records waiting, ${during.frames.shed} frames shed, memory +${mibOf(growth)}`
    )
    // A frame batch is decoded whole, and gap events have room at all times.
    assert.ok(buffered_bytes <= bufferBytes + 4 * mib, `${mibOf(buffered_bytes)} were buffered`)
    assert.ok(growth < bufferBytes + beyondBufferBytes, `the process grew by ${mibOf(growth)}`)
    if (form.fillsBuffer) assert.ok(undecoded_bytes > 0, 'no frame waited undecoded')
    assert.equal(during.sink.available, false)
    await kafka.resume()
    await run.until('the sink is well', ({ sink }) => sink.available, 60_000)
    await run.until('no gap is open any more', ({ gaps }) => gaps.open === 0, 120_000)
    await run.publishes(2 * form.rate)
    const summary = await run.stop()
    assertClean(summary)
    assert.equal(summary.records.failed, 0)
    const events = await backPressure(kafka)
    // A machine that is slow may have an episode of its own while it catches up.
    const edges = events.map(({ event }) => event).filter(event => event !== 'periodic')
    assert.ok(edges.length > 0)
    assert.ok(
      edges.every((event, at) => event === (at % 2 === 0 ? 'start' : 'end')),
      edges.join(', ')
    )
    t.diagnostic(
      `${summary.records.published} records published in order, ${summary.frames.shed} frames shed and declared, ${events.length} events of back-pressure`
    )
  })
}

function mibOf(bytes: number): string {
  return `${(bytes / mib).toFixed(1)} MiB`
}
