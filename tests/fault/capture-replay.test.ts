import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Summary } from '../../src/domain/summary.ts'
import { digestsOf, runTo } from '../support/capture-run.ts'
import { isShort } from '../support/fault-run.ts'
import { CliFolder } from '../support/run-cli.ts'

const trouble =
  'drop:3s,corrupt:0.002,reorder:0.002,stall:7s,mute:okx/orderbook:BTC-USDT,mute:binance/trade:ETH-USDT,' +
  'lose:binance/orderbook:BTC-USDT,lose:huobi/orderbook:BTC-USDT,reject:binance/ticker:ETH-USDT'

const duration = isShort ? '6s' : '20s'
const demos = [
  [`a demo of ${duration}`, []],
  [`a demo of ${duration} full of faults`, ['--faults', trouble]]
] as const

// The short form of the quiet one is among the integration tests.
for (const [name, faults] of isShort ? demos.slice(1) : demos) {
  test(`${name} over all exchanges, replayed twice, has the same SHA-256 for every key`, async () => {
    using folder = new CliFolder()
    const capture = join(folder.path, 'demo')
    const words = ['demo', '--capture', capture, '--for', duration, '--rate', '3000', '--digests']
    const live = await runTo(folder, [...words, ...faults])
    const first = await runTo(folder, ['replay', capture, '--digests'])
    const second = await runTo(folder, ['replay', capture, '--digests'])
    const keysOf = (summary: Summary): string[] => digestsOf(summary).map(({ key }) => key)
    assert.deepEqual(keysOf(first), keysOf(live))
    assert.deepEqual(digestsOf(second), digestsOf(first))
    assert.deepEqual(first.frames, live.frames)
    // Nothing was shed, so the run itself has published the same.
    if (live.frames.shed === 0 && faults.length === 0) assert.deepEqual(digestsOf(first), digestsOf(live))
  })
}
