import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { planTopics } from '../../actors/kafka/topic-plan.ts'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { createLogger } from '../../src/core/logger.ts'
import { dataTopic } from '../../src/domain/routing.ts'
import { type Summary } from '../../src/domain/summary.ts'
import { exchangeRegions, requestTypes } from '../../src/domain/target.ts'
import { capturedBytes, digestsOf, runTo } from '../support/capture-run.ts'
import { accessTo, startKafka } from '../support/kafka.ts'
import { KafkaRecords } from '../support/kafka-records.ts'
import { CliFolder } from '../support/run-cli.ts'

const lookEveryMs = 20
const pod = 'capture-replay'

suite('a capture of a few seconds of every channel of two exchanges', () => {
  const folder = new CliFolder()
  const capture = join(folder.path, 'capture')
  const symbols = { upbit: 'BTC-KRW,ETH-KRW,XRP-KRW', binance: 'BTC-USDT,ETH-USDT,XRP-USDT' }
  const targets = (['upbit', 'binance'] as const).flatMap(exchange =>
    requestTypes.map(request_type => ({ region: exchangeRegions[exchange], exchange, request_type }))
  )
  let live: Summary

  before(async () => {
    const named = targets.map(
      ({ exchange, request_type }) => `${exchange}/${request_type}:${symbols[exchange]}`
    )
    const words = ['capture', '--out', capture, '--simulate', '--for', '5s', '--digests', ...named]
    live = await runTo(folder, words, { COIN_STREAM_POD: pod })
  })
  after(() => folder[Symbol.dispose]())

  test('holds every frame, open to its owner alone', () => {
    assert.equal(live.capture?.frames, live.frames.received)
    assert.deepEqual([live.capture.dropped, live.capture.stopped], [0, null])
    assert.equal(live.capture.file_bytes, capturedBytes(capture))
    assert.equal(statSync(capture).mode & 0o777, 0o700)
    for (const name of readdirSync(capture)) assert.equal(statSync(join(capture, name)).mode & 0o777, 0o600)
  })

  test('gives the records of the run again, byte for byte, as often as it is replayed', async () => {
    assert.equal(new Set(digestsOf(live).map(({ key }) => key)).size, 18)
    for (let time = 0; time < 2; time++) {
      const replayed = await runTo(folder, ['replay', capture, '--digests'])
      assert.deepEqual(digestsOf(replayed), digestsOf(live))
      assert.deepEqual(replayed.frames, live.frames)
      assert.deepEqual(replayed.records, live.records)
      assert.deepEqual(replayed.gaps, { opened: 0, closed: 0, open: 0 })
      assert.equal(replayed.replay?.frames, live.frames.received)
    }
  })

  test('can be replayed in part and at its own speed', async () => {
    const { replay: all } = await runTo(folder, ['replay', capture])
    const at = (seconds: number): string => new Date(all!.first_ts / 1000 + seconds * 1000).toISOString()
    const words = ['replay', capture, '--from', at(2), '--to', at(3), '--speed', 'original']
    const part = await runTo(folder, words)
    const { first_ts, last_ts, frames } = part.replay!
    assert.ok(frames > 0 && frames < live.frames.received)
    assert.ok(last_ts > first_ts && last_ts - first_ts <= 1_000_000)
    for (const { target, records } of part.per_target) {
      // The book of Binance waits for a snapshot, which was fetched before this part.
      assert.equal(records > 0, target !== 'binance/orderbook', target)
    }
  })

  test('goes into Kafka with the same bytes', async () => {
    await using own = await startKafka()
    const { brokers } = own
    const topics = targets.map(dataTopic)
    await manageTopics(accessTo(brokers), planTopics(targets), 'create', createLogger('silent', 'replay'))
    await using kafka = await KafkaRecords.from(brokers, topics, pod)
    const env = { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: 'none' }
    const replayed = await runTo(folder, ['replay', capture], env)
    assert.equal(replayed.records.published, live.records.published)
    const hashes = new Map(digestsOf(live).map(({ key }) => [key, createHash('sha256')]))
    const length = Buffer.alloc(4)
    for (const { key, bytes } of await kafka.finish()) {
      length.writeUInt32LE(bytes.length)
      hashes.get(key)!.update(length).update(bytes)
    }
    for (const { key, sha256 } of digestsOf(live)) assert.equal(hashes.get(key)!.digest('hex'), sha256, key)
  })

  test('a time at which it has nothing is told with the times that it has', async () => {
    for (const words of [
      ['--from', '1h'],
      ['--to', '2001-01-01T00:00:00Z']
    ]) {
      const end = await folder.run(['replay', capture, ...words])
      assert.equal(end.code, 2)
      assert.match(end.stderr, /Nothing lies between --from and --to: the capture goes from 20\S+Z to 20\S+Z/)
    }
    const manifest = JSON.parse(readFileSync(join(capture, 'capture.json'), 'utf8')) as object
    const empty = join(folder.path, 'empty')
    mkdirSync(empty)
    writeFileSync(join(empty, 'capture.json'), JSON.stringify(manifest))
    const end = await folder.run(['replay', empty])
    assert.equal(end.code, 1)
    assert.match(end.stderr, /holds a capture in which nothing was kept/)
  })

  test('is not overwritten by another', async () => {
    const end = await folder.run(['capture', '--out', capture, '--simulate', '--for', '1s'])
    assert.equal(end.code, 2)
    assert.match(end.stderr, /holds a capture already; a capture begins in one that is new or empty/)
  })
})

test('a capture whose service was killed is replayed up to its last whole block', async () => {
  using folder = new CliFolder()
  const capture = join(folder.path, 'killed')
  const child = folder.start(['capture', '--out', capture, '--simulate', 'upbit/trade:BTC-KRW'])
  while (capturedBytes(capture) < 20_000) await new Promise(resolve => setTimeout(resolve, lookEveryMs))
  await child[Symbol.asyncDispose]()
  const whole = await runTo(folder, ['replay', capture, '--digests'])
  assert.match(whole.replay!.remarks[0]!, /conn-0-0000\.cap: it was not closed/)
  const segment = join(capture, 'conn-0-0000.cap')
  truncateSync(segment, statSync(segment).size - 10)
  const torn = await runTo(folder, ['replay', capture, '--digests'])
  assert.match(torn.replay!.remarks[0]!, /its last \d+ bytes are no whole block and are left out/)
  assert.ok(torn.replay!.frames > 0 && torn.replay!.frames < whole.replay!.frames)
})

test('what is no capture is refused with the reason', async () => {
  using folder = new CliFolder()
  writeFileSync(join(folder.path, 'notes.txt'), 'mine')
  const refused: readonly (readonly [words: readonly string[], code: number, said: RegExp])[] = [
    [['replay', folder.path], 1, /is not a folder of a capture: it has no capture\.json/],
    [['replay', join(folder.path, 'nowhere')], 1, /is not a folder of a capture/],
    [['replay'], 2, /needs the folder of a capture/],
    [['replay', folder.path, '--speed', 'slow'], 2, /--speed is original or max/],
    [['capture', '--simulate'], 2, /needs a folder to write into: --out DIR/],
    [['capture', '--out', folder.path, '--simulate', '--for', '1s'], 2, /is not empty/]
  ]
  for (const [words, code, said] of refused) {
    const end = await folder.run(words)
    assert.equal(end.code, code, words.join(' '))
    assert.match(end.stderr, said)
  }
  assert.ok(existsSync(join(folder.path, 'notes.txt')))
})

test('a capture below a folder that takes nothing is refused with the reason', async () => {
  using folder = new CliFolder()
  const end = await folder.run(['capture', '--out', '/proc/captures/monday', '--simulate', '--for', '1s'])
  assert.equal(end.code, 1)
  assert.match(end.stderr, /The folder \/proc\/captures\/monday for the capture cannot be made: /)
})

test('a run of which no exchange lists a symbol ends at once and says so; one of which some does goes on', async () => {
  using folder = new CliFolder()
  const nothing = await folder.run([
    'start',
    '--simulate',
    '--for',
    '30s',
    'upbit/trade:NO-KRW',
    'binance/ticker:NO-USDT,NONE-USDT'
  ])
  assert.equal(nothing.code, 2)
  assert.match(
    nothing.stderr,
    /No exchange lists any symbol of upbit\/trade, binance\/ticker: there is nothing/
  )
  const something = ['start', '--simulate', '--for', '1s', 'upbit/trade:NO-KRW', 'binance/ticker:BTC-USDT']
  assert.ok((await runTo(folder, something)).records.published > 0)
})
