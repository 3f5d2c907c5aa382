import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { type Summary } from '../../src/domain/summary.ts'
import { requestTypes } from '../../src/domain/target.ts'
import { truthFaults } from '../../src/domain/truth.ts'
import { CliFolder, summaryOf } from '../support/run-cli.ts'
import { assertSettled } from '../support/run-service.ts'

/** Two exchanges are enough here; all eleven take longer to be live than these tests need. */
const targets = requestTypes.flatMap(type => [
  `upbit/${type}:BTC-KRW,ETH-KRW,XRP-KRW,SOL-KRW,DOGE-KRW`,
  `binance/${type}:BTC-USDT,ETH-USDT,XRP-USDT,SOL-USDT,DOGE-USDT`
])
const verified = ['start', '--simulate', '--verify', '--json', '--rate', '500', ...targets]

/** Two targets' worth of records have come through. */
const flowing = ['tail', 'orderbook-data.asia', '-n', '20']

/** Everything that was accepted is acknowledged, and nothing is missing. */
function assertComplete(summary: Summary): void {
  assertSettled(summary)
  const { records, truth } = summary
  assert.ok(records.published > 0)
  assert.equal(records.failed, 0)
  assert.ok(truth !== null && truth.sent > 0 && truth.books_compared > 0)
  for (const fault of truthFaults) assert.equal(truth[fault], 0, `${fault}: ${JSON.stringify(truth)}`)
}

suite('stopping', () => {
  test('SIGTERM ends a run with 0 when everything accepted is acknowledged', async () => {
    using folder = new CliFolder()
    await using service = folder.start(verified)
    await service.said(/live/)
    const tail = await folder.run(flowing)
    assert.equal(tail.stdout.trimEnd().split('\n').length, 20)
    service.signal('SIGTERM')
    const end = await service.ended
    assert.deepEqual([end.code, end.signal], [0, null], end.stderr)
    assert.match(end.stderr, /Stopping \(SIGTERM\): closing sockets and draining; signal again to hurry/)
    assertComplete(summaryOf(end))
    assert.ok(!existsSync(join(folder.path, 'run/admin.sock')))
  })

  test('Ctrl-C drains as well and ends with 130', async () => {
    using folder = new CliFolder()
    await using service = folder.start(verified)
    await service.said(/live/)
    service.signal('SIGINT')
    const end = await service.ended
    assert.equal(end.code, 130, end.stderr)
    assertComplete(summaryOf(end))
  })

  test('--for ends it by itself, and the summary tells the states before the stop', async () => {
    using folder = new CliFolder()
    const end = await folder.run([...verified, '--for', '3s'])
    assert.equal(end.code, 0, end.stderr)
    const summary = summaryOf(end)
    assertComplete(summary)
    assert.ok(summary.duration_ms >= 3000)
    assert.deepEqual(new Set(summary.per_target.map(({ state }) => state)), new Set(['live']))
  })

  test('a second signal does not wait for a sink that takes nothing, and says what was lost', async () => {
    // Nobody listens there any more, so what is produced waits.
    const broker = createServer().listen(0, '127.0.0.1')
    await once(broker, 'listening')
    const address = broker.address()
    assert.ok(typeof address === 'object' && address !== null)
    broker.close()
    await once(broker, 'close')
    using folder = new CliFolder()
    const env = { KAFKA_BROKERS: `127.0.0.1:${address.port}`, SCHEMA_REGISTRY_URL: 'none' }
    const patience = ['--set', 'producer.drainMs=600000']
    await using service = folder.start(['start', '--simulate', '--json', '--rate', '200', ...patience], env)
    await service.said(/live/)
    while ((await folder.status()).records.in_flight === 0);
    service.signal('SIGTERM')
    await service.said(/Stopping/)
    service.signal('SIGTERM')
    const end = await service.ended
    assert.match(end.stderr, /Hurrying: what is not acknowledged at once is declared lost/)
    const { records } = summaryOf(end)
    assert.equal(records.published, 0)
    assert.equal(records.made, records.failed + records.superseded + records.duplicate + records.in_flight)
  })
})

suite('a running service', () => {
  test('answers status and tail, keeps its socket from a second one, and takes no notice of it', async () => {
    using folder = new CliFolder()
    await using service = folder.start(verified)
    await service.said(/live/)

    const tail = await folder.run(['tail', 'trade-data.korea', '-n', '3', '--filter', 'korea|upbit|trade'])
    assert.equal(tail.code, 0, tail.stderr)
    const lines = tail.stdout.trimEnd().split('\n')
    assert.equal(lines.length, 3)
    for (const line of lines) {
      const { topic, key, value } = JSON.parse(line) as Record<string, unknown> & { value: { price: string } }
      assert.equal(topic, 'trade-data.korea')
      assert.match(String(key), /^korea\|upbit\|trade\|[A-Z0-9]+-[A-Z]+$/)
      assert.match(value.price, /^\d+(\.\d+)?$/)
    }

    const second = await folder.run(['start', '--simulate', '--for', '1s'])
    assert.equal(second.code, 1)
    assert.match(
      second.stderr,
      /coin-stream: Another process answers on the admin socket run\/admin\.sock; .*--socket\./
    )

    const status = await folder.status()
    assert.equal(status.state, 'running')
    assert.equal(status.targets.length, targets.length)
    assert.ok(status.targets.every(({ state }) => state === 'live'))
    const shown = await folder.run(['status'])
    assert.match(shown.stdout, /^coin-stream running, up /)
    assert.match(shown.stdout, /\nbinance\/orderbook +live/)

    service.signal('SIGTERM')
    const end = await service.ended
    assert.equal(end.code, 0, end.stderr)
    assertComplete(summaryOf(end))
  })
})
