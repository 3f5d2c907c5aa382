import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layOut } from '../../../src/app/layout.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { IngestError } from '../../../src/core/errors.ts'
import {
  type ExchangeName,
  exchangeRegions,
  type RequestType,
  type TargetPlan
} from '../../../src/domain/target.ts'
import { adapterOf } from '../../../src/exchanges/registry.ts'

const { config } = loadConfig({ file: null, env: {}, flags: [] })
const { connections, symbolsPerConnection } = adapterOf('coinone').limits

function plan(exchange: ExchangeName, requestType: RequestType, symbols: number): TargetPlan {
  return {
    target: { exchange, region: exchangeRegions[exchange], request_type: requestType },
    symbols: Array.from({ length: symbols }, (_, n) => `A${n}-KRW`),
    projection: []
  }
}

test('each target has as many connections as its exchange needs for its symbols, one after the other', () => {
  const perConnection = adapterOf('upbit').limits.symbolsPerConnection
  const layout = layOut(
    [plan('upbit', 'trade', perConnection + 1), plan('coinone', 'trade', 1), plan('upbit', 'ticker', 1)],
    config
  )
  assert.deepEqual(
    layout.targets.map(({ firstShard, shards }) => [firstShard, shards]),
    [
      [0, 2],
      [2, 1],
      [3, 1]
    ]
  )
  assert.equal(layout.shards, 4)
  assert.deepEqual(
    layout.exchanges.map(({ exchange, targets }) => [exchange, targets.length]),
    [
      ['coinone', 1],
      ['upbit', 2]
    ]
  )
})

test('the connections that an exchange allows one address may all be used, over all its targets', () => {
  const [whole, rest] = [connections! - 2, 2]
  const layout = layOut(
    [
      plan('coinone', 'trade', whole * symbolsPerConnection),
      plan('coinone', 'ticker', rest * symbolsPerConnection)
    ],
    config
  )
  assert.equal(layout.shards, connections)
})

test('more connections than an exchange allows are refused, and the message says how many symbols fit', () => {
  const taken = connections! - 1
  const plans = [
    plan('coinone', 'trade', taken * symbolsPerConnection),
    plan('coinone', 'ticker', symbolsPerConnection + 1)
  ]
  const said = new RegExp(
    `coinone/ticker needs 2 connections.* allows one address ${connections}, of which .* take ${taken}: ` +
      `${symbolsPerConnection} of its symbols fit`
  )
  assert.throws(
    () => layOut(plans, config),
    error => error instanceof IngestError && error.code === 'TARGET_INVALID' && said.test(error.message)
  )
})
