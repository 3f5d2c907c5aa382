import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startSimulation } from '../../src/app/simulation-client.ts'
import { recordsBalance } from '../../src/domain/ledger.ts'
import { assertClean, isShort, passes } from '../support/fault-run.ts'
import { type OwnKafka, startKafka, witness } from '../support/kafka.ts'
import { CliFolder, type CliEnd, type CliProcess, summaryOf } from '../support/run-cli.ts'

const outageMs = isShort ? 3_000 : 20_000
const settledMs = isShort ? 2_000 : 10_000

/** The service in a process of its own, as an operator starts it; its standard error tells what it says of Kafka. */
function start(folder: CliFolder, kafka: OwnKafka, words: readonly string[]): CliProcess {
  const env = { KAFKA_BROKERS: kafka.brokers, SCHEMA_REGISTRY_URL: 'none' }
  return folder.start(['start', '--json', ...words], env)
}

async function untilPublished(folder: CliFolder, count: number): Promise<void> {
  for (let look = 0; look < 120; look++) {
    const { records, sink } = await folder.status()
    if (sink.available && records.published >= count) return
    await passes(500)
  }
  assert.fail(`${count} records were not published: ${JSON.stringify(await folder.status())}`)
}

/** What was said of the sink, a sentence for each change. */
function sinkSentences({ stderr }: CliEnd): string[] {
  return stderr
    .split('\n')
    .filter(line => line.includes('"code":"SINK_UNAVAILABLE"') && line.includes('"actor":"producer"'))
    .map(line => (JSON.parse(line) as { readonly msg: string }).msg)
}

async function outage(end: 'stop' | 'kill'): Promise<void> {
  await using kafka = await startKafka()
  using folder = new CliFolder()
  const simulation = await startSimulation({ rate: 1000, seed: 1, faults: '' })
  try {
    await using service = start(folder, kafka, [`--simulate=${simulation.socket}`, '--verify'])
    await service.said(/1,000 events|publish|live/)
    await untilPublished(folder, 1_000)
    await kafka[end]()
    await passes(outageMs)
    const during = await folder.status()
    assert.equal(during.sink.available, false)
    assert.ok(during.records.in_flight > 500, 'records wait for Kafka')
    await kafka.start()
    await untilPublished(folder, during.records.made)
    await passes(settledMs)
    const { limits } = await folder.status()
    service.signal('SIGTERM')
    const ended = await service.ended
    const summary = summaryOf(ended)
    assertClean(summary)
    assert.equal(ended.code, 0, ended.stderr)
    // The credits of the default configuration carry the default rate over the outage: nothing is shed or declared.
    assert.deepEqual([summary.frames.shed, limits['creditBytes'] ?? 0], [0, 0])
    assert.deepEqual(summary.gaps, { opened: 0, closed: 0, open: 0 })
    assert.equal(summary.truth!.delivered + summary.truth!.superseded, summary.truth!.sent)
    const said = sinkSentences(ended)
    assert.equal(said.length, 2, said.join('\n'))
    assert.match(said[0]!, /does not take records/)
    assert.match(said[1]!, /takes records again/)
  } finally {
    await simulation.close()
  }
}

test(`Kafka killed for ${outageMs / 1000} s loses nothing and keeps order`, () => outage('kill'))

if (!isShort) {
  test(`Kafka stopped for ${outageMs / 1000} s loses nothing and keeps order`, () => outage('stop'))
}

test('a service that starts without Kafka keeps what comes and sends all of it when Kafka is there', async () => {
  await using kafka = await startKafka()
  await kafka.stop()
  using folder = new CliFolder()
  const simulation = await startSimulation({ rate: 500, seed: 2, faults: '' })
  try {
    await using service = start(folder, kafka, [`--simulate=${simulation.socket}`])
    await service.said(/does not take records/)
    let waiting = 0
    for (let look = 0; look < 60 && waiting < 500; look++) {
      const { records, sink } = await folder.status()
      assert.deepEqual([sink.available, records.published], [false, 0])
      waiting = records.in_flight
      await passes(200)
    }
    assert.ok(waiting >= 500, `only ${waiting} records wait`)
    await kafka.start()
    await untilPublished(folder, waiting)
    service.signal('SIGTERM')
    const ended = await service.ended
    assert.equal(ended.code, 0, ended.stderr)
    const { frames, records, gaps } = summaryOf(ended)
    assert.equal(sinkSentences(ended).length, 2, ended.stderr)
    assert.deepEqual([frames.shed, records.failed, gaps.opened], [0, 0, 0])
    assert.ok(recordsBalance(records))
    const topics = ['ticker', 'trade', 'orderbook'].flatMap(type => [`${type}-data.asia`, `${type}-data.korea`])
    const kept = await witness(kafka.brokers, topics)
    assert.equal(kept.length, records.published)
    assertInOrder(kept)
  } finally {
    await simulation.close()
  }
})

/** Each key's frames count up (a REST snapshot of a book is followed by the updates that waited for it). */
function assertInOrder(kept: readonly { readonly key: string; readonly value: Record<string, unknown> }[]): void {
  const last = new Map<string, number>()
  for (const { key, value } of kept) {
    if (key.includes('|orderbook|')) continue
    const frame = Number(value['frame_seq'])
    assert.ok(frame > (last.get(key) ?? 0), `${key}: frame ${frame} came after ${last.get(key)}`)
    last.set(key, frame)
  }
}
