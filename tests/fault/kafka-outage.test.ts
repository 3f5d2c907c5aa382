import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type StatusSnapshot } from '../../src/app/service.ts'
import { startSimulation } from '../../src/app/simulation-client.ts'
import { askAdmin } from '../../src/cli/admin-client.ts'
import { recordsBalance } from '../../src/domain/ledger.ts'
import { regions, requestTypes } from '../../src/domain/target.ts'
import { assertClean, isShort, passes } from '../support/fault-run.ts'
import { type OwnKafka, startKafka, witness } from '../support/kafka.ts'
import { type CliEnd, CliFolder, type CliProcess, summaryOf } from '../support/run-cli.ts'

const outageMs = isShort ? 3_000 : 20_000
const settledMs = isShort ? 500 : 10_000

let kafka: OwnKafka
before(async () => {
  kafka = await startKafka()
})
after(() => kafka[Symbol.asyncDispose]())

/** The service in a process of its own, as an operator starts it; its standard error tells what it says of Kafka. */
function start(folder: CliFolder, words: readonly string[]): CliProcess {
  const env = { KAFKA_BROKERS: kafka.brokers, SCHEMA_REGISTRY_URL: 'none' }
  return folder.start(['start', '--json', ...words], env)
}

/** Asked of the admin socket itself: a process for every look would be the heaviest part of the test. */
async function statusOf(folder: CliFolder): Promise<StatusSnapshot> {
  return (await askAdmin(join(folder.path, 'run', 'admin.sock'), '/v1/status')) as StatusSnapshot
}

async function until(
  folder: CliFolder,
  what: string,
  holds: (status: StatusSnapshot) => boolean
): Promise<StatusSnapshot> {
  for (let look = 0; look < 600; look++) {
    const status = await statusOf(folder)
    if (holds(status)) return status
    await passes(100)
  }
  assert.fail(`${what} did not come about: ${JSON.stringify(await statusOf(folder))}`)
}

/** What was said of the sink, a sentence for each change. */
function sinkSentences({ stderr }: CliEnd): string[] {
  return stderr
    .split('\n')
    .filter(line => line.includes('"code":"SINK_UNAVAILABLE"') && line.includes('"actor":"producer"'))
    .map(line => (JSON.parse(line) as { readonly msg: string }).msg)
}

async function outage(end: 'stop' | 'kill'): Promise<void> {
  using folder = new CliFolder()
  const simulation = await startSimulation({ rate: 1000, seed: 1, faults: '' })
  try {
    await using service = start(folder, [`--simulate=${simulation.socket}`, '--verify'])
    await service.said(/ live, /)
    await until(folder, 'the first records', ({ records }) => records.published >= 1_000)
    await kafka[end]()
    await passes(outageMs)
    const during = await statusOf(folder)
    assert.equal(during.sink.available, false)
    assert.ok(during.records.in_flight > 500, 'records wait for Kafka')
    await kafka.start()
    const isBack = ({ sink, records }: StatusSnapshot): boolean =>
      sink.available && records.published >= during.records.made
    await until(folder, 'everything that waited', isBack)
    await passes(settledMs)
    const { limits } = await statusOf(folder)
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
  await kafka.stop()
  using folder = new CliFolder()
  const simulation = await startSimulation({ rate: 500, seed: 2, faults: '' })
  try {
    await using service = start(folder, [`--simulate=${simulation.socket}`, '--set=pod=late'])
    await service.said(/does not take records/)
    const isWaiting = ({ sink, records }: StatusSnapshot): boolean =>
      !sink.available && records.in_flight >= 500
    const waiting = await until(folder, 'records that wait', isWaiting)
    assert.equal(waiting.records.published, 0)
    await kafka.start()
    const isSent = ({ records }: StatusSnapshot): boolean => records.published >= waiting.records.made
    await until(folder, 'what waited', isSent)
    service.signal('SIGTERM')
    const ended = await service.ended
    assert.equal(ended.code, 0, ended.stderr)
    const { frames, records, gaps } = summaryOf(ended)
    assert.equal(sinkSentences(ended).length, 2, ended.stderr)
    assert.equal(ended.stderr.match(/could not be created/g)?.length, 1, ended.stderr)
    assert.deepEqual([frames.shed, records.failed, gaps.opened], [0, 0, 0])
    assert.ok(recordsBalance(records))
    const topics = requestTypes.flatMap(type => regions.map(region => `${type}-data.${region}`))
    const kept = await witness(kafka.brokers, topics)
    const own = kept.filter(({ value }) => String(value['connection_id']).startsWith('late/'))
    assert.equal(own.length, records.published)
    assertInOrder(own)
  } finally {
    await simulation.close()
  }
})

/** Each key's frames count up (a REST snapshot of a book is followed by the updates that waited for it). */
function assertInOrder(
  kept: readonly { readonly key: string; readonly value: Record<string, unknown> }[]
): void {
  const last = new Map<string, number>()
  for (const { key, value } of kept) {
    if (key.includes('|orderbook|')) continue
    const frame = Number(value['frame_seq'])
    assert.ok(frame > (last.get(key) ?? 0), `${key}: frame ${frame} came after ${last.get(key)}`)
    last.set(key, frame)
  }
}
