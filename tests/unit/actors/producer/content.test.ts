import assert from 'node:assert/strict'
import { test } from 'node:test'
import avsc from 'avsc'
import fc from 'fast-check'
import { contentStart } from '../../../../actors/producer/content.ts'
import { tickerSchema } from '../../../../schemas/generated/ticker.ts'

const schema = JSON.parse(tickerSchema) as { readonly fields: readonly { readonly name: string }[] }
const type = avsc.Type.forSchema(schema as unknown as avsc.Schema)
const names = schema.fields.map(field => field.name)
const headNames = names.slice(0, names.indexOf('stream_type') + 1)

const text = fc.string({ unit: 'grapheme', maxLength: 100 })
const nullableText = fc.option(text)
// avsc's own longs end one below 2^53.
const micros = fc.integer({ min: 0, max: 2 ** 52 })
const window = fc.constantFrom('ROLLING_24H', 'UTC_DAY', 'LOCAL_DAY', 'UNKNOWN')
const head = fc.record({
  exchange: text,
  region: text,
  symbol: text,
  native_symbol: text,
  exchange_ts: fc.option(micros),
  received_ts: micros,
  connection_id: text,
  frame_seq: micros,
  frame_index: fc.nat(),
  stream_type: fc.constantFrom('SNAPSHOT', 'REALTIME')
})
const market = fc.record({
  last: text,
  open: nullableText,
  high: nullableText,
  low: nullableText,
  prev_close: nullableText,
  bid: nullableText,
  bid_size: nullableText,
  ask: nullableText,
  ask_size: nullableText,
  base_volume: nullableText,
  quote_volume: nullableText,
  change: nullableText,
  change_rate: nullableText,
  price_window: window,
  volume_window: window,
  extras: fc.option(fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true }))
})

function contentOf(value: Buffer): Buffer {
  const bytes = Buffer.concat([Buffer.from('before'), value, Buffer.from('{"behind":1,')])
  const end = 6 + value.length
  return bytes.subarray(contentStart(bytes, 6, end), end)
}

function avro(value: object): Buffer {
  return Buffer.concat([Buffer.from([0, 0x40, 0, 0, 1]), type.toBuffer(value)])
}

/** JSON as the debugging encoding writes it, in the order of the schema. */
function json(value: Record<string, unknown>): Buffer {
  return Buffer.from(JSON.stringify(Object.fromEntries(names.map(name => [name, value[name]]))))
}

test('the content of an Avro value is what is left when the shared head is taken away', () => {
  fc.assert(
    fc.property(head, market, (before, after) => {
      const headSchema = {
        ...schema,
        name: 'Head',
        fields: schema.fields.filter(({ name }) => headNames.includes(name))
      }
      const headType = avsc.Type.forSchema(headSchema as unknown as avsc.Schema)
      const whole = type.toBuffer({ ...before, ...after })
      assert.deepEqual(
        contentOf(avro({ ...before, ...after })),
        whole.subarray(headType.toBuffer(before).length)
      )
    })
  )
})

test('two values of the same market state have the same content, whenever and wherever they were received', () => {
  fc.assert(
    fc.property(head, head, market, (one, other, state) => {
      assert.deepEqual(contentOf(avro({ ...one, ...state })), contentOf(avro({ ...other, ...state })))
      assert.deepEqual(contentOf(json({ ...one, ...state })), contentOf(json({ ...other, ...state })))
    })
  )
})

test('the content of a JSON value begins with the first field behind the head', () => {
  fc.assert(
    fc.property(head, market, (before, after) => {
      const content = contentOf(json({ ...before, ...after })).toString()
      assert.deepEqual(JSON.parse(`{${content}`), JSON.parse(JSON.stringify(after)))
    })
  )
})

test('of a JSON value without the head the whole is the content', () => {
  for (const value of ['{', '{}', '{"a":1}', '{"stream_type":', '{"stream_type":"SNAPSHOT"}']) {
    assert.equal(contentOf(Buffer.from(value)).toString(), value)
  }
})
