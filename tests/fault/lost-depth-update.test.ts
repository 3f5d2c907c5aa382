import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertClean, FaultRun, isShort } from '../support/fault-run.ts'
import { Tail } from '../support/run-service.ts'

const books = 40
const victim = 'SOL-USDT'

test(`one lost update of one of ${books} books fetches that book anew, and no other`, async () => {
  const symbols: string[] = []
  await using run = await FaultRun.start({
    faults: `lose:binance/orderbook:${victim}`,
    targets: listed => {
      symbols.push(...listed('binance').slice(0, books))
      return [`binance/orderbook:${symbols.join(',')}`]
    }
  })
  assert.equal(symbols.length, books)
  const gaps = new Tail(run.adminSocket, 'ws.gap.events')
  const records = new Tail(run.adminSocket, 'orderbook-data.asia')
  await gaps.first(({ value }) => value['status'] === 'closed', 'the end of the gap')
  // Whatever else the lost update might have set off has its time to show.
  await run.publishes(isShort ? 2_000 : 30_000, 60_000)
  const snapshots = new Map(symbols.map(symbol => [symbol, 0]))
  for (const record of records.records) {
    assert.ok(record.value !== undefined, 'the tail skipped records')
    if (record.value['kind'] !== 'SNAPSHOT') continue
    const symbol = record.value['symbol'] as string
    snapshots.set(symbol, snapshots.get(symbol)! + 1)
  }
  const summary = await run.stop()
  assertClean(summary)
  assert.deepEqual(summary.gaps, { opened: 1, closed: 1, open: 0 })
  assert.deepEqual(
    gaps.records.map(({ value }) => [value['symbol'], value['reason'], value['status']]),
    [
      [victim, 'sequence', 'open'],
      [victim, 'sequence', 'closed']
    ]
  )
  assert.deepEqual(
    [...snapshots],
    symbols.map(symbol => [symbol, symbol === victim ? 2 : 1])
  )
})
