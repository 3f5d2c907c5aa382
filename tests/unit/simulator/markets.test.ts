import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RequestType, requestTypes } from '../../../src/domain/target.ts'
import { type Channel } from '../../../src/simulator/channel.ts'
import { FaultLog } from '../../../src/simulator/fault-log.ts'
import { noFaults } from '../../../src/simulator/faults.ts'
import { Ledger } from '../../../src/simulator/ledger.ts'
import { listings } from '../../../src/simulator/listings.ts'
import { Random } from '../../../src/simulator/random.ts'
import { simulations } from '../../../src/simulator/simulations.ts'
import { UpbitTradeIds } from '../../../src/simulator/venues/upbit-trade-ids.ts'

const startMs = 1_790_000_000_000

function history(seed: number, exchange: 'upbit' | 'binance', native: string): number[] {
  const ledger = new Ledger()
  const set = listings(simulations[exchange], {
    seed,
    faults: noFaults,
    faultLog: new FaultLog(),
    ledger
  }).get(native)!
  const channels: Channel[] = requestTypes.map((type: RequestType) => set.channels[type])
  for (const channel of channels) channel.confirm(startMs)
  for (let n = 0; n < 600; n++) channels[n % 3]!.make(startMs + n)
  return channels.flatMap(({ ledger: of }) => Array.from({ length: of.count }, (_, n) => of.fingerprint(n)))
}

test('the same seed makes the same events, another seed others', () => {
  for (const [exchange, native] of [
    ['upbit', 'KRW-BTC'],
    ['binance', 'BTCUSDT']
  ] as const) {
    const first = history(7, exchange, native)
    assert.equal(first.length, 600)
    assert.deepEqual(history(7, exchange, native), first)
    assert.notDeepEqual(history(8, exchange, native), first)
  }
})

test('sequential ids are unique although some come after a higher one', () => {
  const ids = new UpbitTradeIds(new Random(1), 0.05)
  const seen: bigint[] = []
  for (let n = 0; n < 30_000; n++) {
    ids.take(startMs + Math.floor(n / 12_000))
    seen.push(BigInt(ids.ms) * 10_000n + BigInt(ids.counter))
  }
  assert.equal(new Set(seen).size, seen.length)
  const late = seen.filter((id, n) => n > 0 && id < seen[n - 1]!).length
  assert.ok(late > 500 && late < 3000, `${late} late ids`)
  assert.ok(seen.every(id => id > 2n ** 53n))
})
