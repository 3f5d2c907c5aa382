import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SchemaRegistry } from '../../../src/bus/schema-registry.ts'
import { localTypes, WriterSchemas } from '../../../src/bus/writer-schemas.ts'
import { avroSchemas } from '../../../src/domain/avro-subjects.ts'
import { RecordDecoder } from '../../../src/verify/record-decoder.ts'
import { json, StubRegistry } from '../../support/stub-registry.ts'

function valueOf(id: number): Buffer {
  const value = Buffer.alloc(8)
  value.writeInt32BE(id, 1)
  return value
}

async function withSchemas(
  answers: Parameters<typeof StubRegistry.start>[0],
  use: (schemas: WriterSchemas, stub: StubRegistry) => Promise<void>,
  before: typeof localTypes | null = localTypes
): Promise<void> {
  await using stub = await StubRegistry.start(answers)
  const registry = new SchemaRegistry(stub.access())
  try {
    await use(new WriterSchemas(registry, before), stub)
  } finally {
    registry.close()
  }
}

const noSchema = json(404, { error_code: 40403, message: 'Schema not found' })

suite('the schemas behind the ids of values', () => {
  test('an id is asked for when it comes by for the first time', async () => {
    await withSchemas([json(200, { schema: avroSchemas.Trade.text })], async (schemas, stub) => {
      assert.equal(schemas.typeOf(7), undefined)
      await schemas.prepare(valueOf(7))
      assert.equal(schemas.typeOf(7)?.name, 'coinstream.Trade')
      assert.equal(schemas.prepare(valueOf(7)), null)
      assert.deepEqual(stub.asked, ['GET /schemas/ids/7'])
    })
  })

  test('an id that the registry does not know, or cannot be read, stays unknown and is not asked for again', async () => {
    await withSchemas([noSchema, json(200, { schema: '{"type":"no"}' })], async (schemas, stub) => {
      for (const id of [7, 8, 7, 8]) await schemas.prepare(valueOf(id))
      assert.deepEqual([schemas.typeOf(7), schemas.typeOf(8)], [undefined, undefined])
      assert.equal(stub.requests.length, 2)
    })
  })

  test('nothing has to be waited for where there is no id, or one of our own', async () => {
    await withSchemas([noSchema], async (schemas, stub) => {
      const own = valueOf(avroSchemas.Ticker.localId)
      for (const value of [null, Buffer.from('{"a":1}'), Buffer.alloc(4), valueOf(-1), own]) {
        assert.equal(schemas.prepare(value), null)
      }
      assert.equal(schemas.typeOf(avroSchemas.Ticker.localId)?.name, 'coinstream.Ticker')
      assert.deepEqual(stub.requests, [])
    })
  })

  test('ids of our own are unknown where only the word of the registry counts', async () => {
    const use = async (schemas: WriterSchemas): Promise<void> => {
      await schemas.prepare(valueOf(avroSchemas.Ticker.localId))
      assert.equal(schemas.typeOf(avroSchemas.Ticker.localId), undefined)
    }
    await withSchemas([noSchema], use, null)
  })

  test('a registry that fails is asked again for the next value', async () => {
    const answers = [json(401, {}), json(200, { schema: avroSchemas.Trade.text })]
    await withSchemas(answers, async schemas => {
      await assert.rejects(async () => schemas.prepare(valueOf(7)), { code: 'REGISTRY_UNAVAILABLE' })
      await schemas.prepare(valueOf(7))
      assert.equal(schemas.typeOf(7)?.name, 'coinstream.Trade')
    })
  })
})

suite('records under the ids of a registry', () => {
  const trade = {
    exchange: 'upbit',
    region: 'korea',
    symbol: 'BTC-KRW',
    native_symbol: 'KRW-BTC',
    exchange_ts: null,
    received_ts: 1_790_000_000_000_001,
    connection_id: 'pod/upbit/trade/0/1',
    frame_seq: 1,
    frame_index: 0,
    stream_type: 'REALTIME',
    trade_id: '1',
    price: '0.10',
    size: '2',
    side: 'BUY',
    sequence: null,
    extras: null
  }
  /** As a later version of the service may write it. */
  const later = JSON.parse(avroSchemas.Trade.text) as { fields: object[] }
  later.fields.splice(3, 0, { name: 'venue', type: 'string' })

  test('a record of a later version is read as one of ours, and one of another channel is not', async () => {
    const answers = [
      json(200, { schema: JSON.stringify(later) }),
      json(200, { schema: avroSchemas.Ticker.text })
    ]
    await withSchemas(answers, async schemas => {
      const decoder = new RecordDecoder(schemas)
      await schemas.prepare(valueOf(7))
      const body = schemas.typeOf(7)!.toBuffer({ ...trade, venue: 'spot' })
      const value = Buffer.concat([valueOf(7).subarray(0, 5), body])
      assert.deepEqual({ ...decoder.decode('trade', value, 0, value.length) }, trade)
      await schemas.prepare(valueOf(8))
      value.writeInt32BE(8, 1)
      assert.throws(() => decoder.decode('trade', value, 0, value.length), {
        message: 'the value names schema 8, which is coinstream.Ticker instead of coinstream.Trade'
      })
      value.writeInt32BE(9, 1)
      assert.throws(() => decoder.decode('trade', value, 0, value.length), /schema 9, which nobody knows/)
    })
  })
})
