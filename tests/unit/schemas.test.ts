import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import avsc from 'avsc'
import { generate, readSources } from '../../schemas/generate.ts'
import { connectSuccessLayout } from '../../schemas/generated/connect-success.ts'
import { orderBookLayout, orderBookSchema } from '../../schemas/generated/order-book.ts'
import { tickerLayout, tickerSchema } from '../../schemas/generated/ticker.ts'
import { tradeLayout, tradeSchema } from '../../schemas/generated/trade.ts'
import ids from '../../schemas/ids.json' with { type: 'json' }

const folder = new URL('../../../schemas/', import.meta.url)

test('the generated files are what their sources generate, and nothing else is there', () => {
  const files = generate(readSources(folder))
  assert.ok(files.size >= 4)
  const written = readdirSync(new URL('generated/', folder)).sort()
  assert.deepEqual(written, [...files.keys()].sort())
  for (const [name, text] of files) {
    const actual = readFileSync(new URL(`generated/${name}`, folder), 'utf8')
    assert.equal(actual, text, `schemas/generated/${name} is stale: run npm run generate`)
  }
})

test('generating does not depend on the order of the sources', () => {
  const sources = readSources(folder)
  const reversed = new Map([...sources].reverse())
  assert.deepEqual([...generate(reversed)], [...generate(sources)])
})

test('a type for which there is no writer is refused', () => {
  const schema = { type: 'record', name: 'Odd', fields: [{ name: 'x', type: 'bytes' }] }
  assert.throws(() => generate(new Map([['odd.avsc', JSON.stringify(schema)]])), /bytes/)
  const union = { type: 'record', name: 'Odd', fields: [{ name: 'x', type: ['string', 'null'] }] }
  assert.throws(() => generate(new Map([['odd.avsc', JSON.stringify(union)]])), /null \(first\)/)
})

test('every schema has an id of its own, far from those of a registry', () => {
  const names = [...readSources(folder).values()].map(text => (JSON.parse(text) as { name: string }).name)
  assert.deepEqual(Object.keys(ids).sort(), names.sort())
  const numbers = Object.values(ids)
  assert.equal(new Set(numbers).size, numbers.length)
  for (const id of numbers) assert.ok(id >= 2 ** 30 && id < 2 ** 31)
})

test('the data records share the head that readers of raw values rely on', () => {
  const head = [
    'exchange',
    'region',
    'symbol',
    'native_symbol',
    'exchange_ts',
    'received_ts',
    'connection_id',
    'frame_seq',
    'frame_index',
    'stream_type'
  ]
  for (const layout of [tickerLayout, tradeLayout, orderBookLayout]) {
    assert.deepEqual(
      layout.fields.slice(0, head.length).map(field => field.name),
      head
    )
    assert.equal(layout.fields.at(-1)?.name, 'extras')
  }
  assert.ok(connectSuccessLayout.fields.length > 0)
})

test('every schema parses, and every nullable field has null as its default', () => {
  for (const text of [tickerSchema, tradeSchema, orderBookSchema]) {
    const schema = JSON.parse(text) as { fields: { name: string; type: unknown; default?: unknown }[] }
    avsc.Type.forSchema(schema as unknown as avsc.Schema)
    for (const field of schema.fields) {
      if (Array.isArray(field.type)) assert.equal(field.default, null, field.name)
    }
  }
})
