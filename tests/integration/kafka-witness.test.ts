import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import avsc from 'avsc'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { Routes } from '../../actors/producer/routes.ts'
import { KafkajsSendSink } from '../../actors/producer/sinks/kafkajs-send.ts'
import ids from '../../schemas/ids.json' with { type: 'json' }
import { createLogger } from '../../src/core/logger.ts'
import { accessTo, sharedBrokers, witness } from '../support/kafka.ts'
import { Settlements } from '../support/settlements.ts'

const logger = createLogger('silent', 'test')

const common = {
  exchange: 'upbit',
  region: 'korea',
  symbol: 'BTC-KRW',
  native_symbol: 'KRW-BTC',
  exchange_ts: 1_790_000_000_123_000,
  received_ts: 1_790_000_000_123_457,
  connection_id: 'pod-0/upbit/trade/0/1790000000000',
  frame_seq: 7,
  frame_index: 0,
  stream_type: 'REALTIME',
  extras: null
}

/** One record of every schema, each with values that a careless decoder alters. */
const samples: Readonly<Record<keyof typeof ids, Record<string, unknown>>> = {
  Trade: {
    ...common,
    trade_id: '17900000001230001',
    price: '116539000.00000000',
    size: '0.0000009121',
    side: 'BUY',
    sequence: null
  },
  Ticker: {
    ...common,
    exchange_ts: null,
    last: '0.10',
    open: null,
    high: '123456789012345678901234567890.5',
    low: '0',
    prev_close: '-1.50',
    bid: null,
    bid_size: null,
    ask: null,
    ask_size: null,
    base_volume: '1',
    quote_volume: null,
    change: null,
    change_rate: '0.0001',
    price_window: 'UTC_DAY',
    volume_window: 'ROLLING_24H',
    extras: { code: 'KRW-BTC', 이름: '비트코인' }
  },
  OrderBook: {
    ...common,
    stream_type: 'SNAPSHOT',
    kind: 'SNAPSHOT',
    bids: [
      { price: '100.10', size: '1.0' },
      { price: '100.00', size: '2' }
    ],
    asks: [],
    sequence_first: null,
    sequence_last: '9007199254740993',
    sequence_previous: null,
    checksum: 4_294_967_295
  },
  ConnectSuccess: {
    correlation_id: null,
    exchange: 'upbit',
    region: 'korea',
    request_type: 'trade',
    symbol: 'BTC-KRW',
    connection_id: common.connection_id,
    ts: 1_790_000_000_123
  }
}

const files: Readonly<Record<keyof typeof ids, string>> = {
  Trade: 'trade',
  Ticker: 'ticker',
  OrderBook: 'order-book',
  ConnectSuccess: 'connect-success'
}

test('a consumer that is not ours decodes every field of every schema', async t => {
  const topic = `witness-${randomUUID()}`
  const plan = { topic, partitions: 1, retentionMs: 86_400_000, cleanupPolicy: 'delete' } as const
  await manageTopics(accessTo(sharedBrokers()), [plan], 'create', logger)
  const options = {
    ...accessTo(sharedBrokers()),
    lingerMs: 5,
    batchBytes: 65_536,
    compression: 'gzip'
  } as const
  const sink = new KafkajsSendSink(options, new Settlements(), logger)
  t.after(() => sink.close())
  await sink.open()
  const names = Object.keys(samples) as (keyof typeof ids)[]
  const routes = new Routes({ [topic]: 1 })
  const written = names.map(name => {
    const type = avsc.Type.forSchema(
      JSON.parse(readFileSync(`schemas/${files[name]}.avsc`, 'utf8')) as avsc.Schema
    )
    const body = type.toBuffer(samples[name])
    const value = Buffer.concat([Buffer.alloc(5), body])
    value.writeInt32BE(ids[name], 1)
    sink.append(routes.to(topic, `key of ${name}`), value, 0, value.length, common.received_ts, 1)
    return value
  })
  await sink.drain(30_000)

  const read = await witness(sharedBrokers(), [topic])
  assert.deepEqual(
    read.map(({ schema }) => schema),
    names
  )
  for (const [i, name] of names.entries()) {
    assert.deepEqual(read[i]!.value, samples[name])
    assert.deepEqual(read[i]!.bytes, written[i])
    assert.equal(read[i]!.key, `key of ${name}`)
    assert.equal(read[i]!.timestamp, Math.floor(common.received_ts / 1000))
  }
})
