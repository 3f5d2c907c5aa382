import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  describe,
  incompatibilities,
  isSameSchema,
  parseSchema
} from '../../../src/bus/schema-compatibility.ts'
import { avroSchemas } from '../../../src/domain/avro-subjects.ts'

type Field = { readonly name: string; readonly type: unknown; readonly [key: string]: unknown }

function record(...fields: readonly Field[]): string {
  return JSON.stringify({ type: 'record', name: 'A', namespace: 'n', fields })
}

const x: Field = { name: 'x', type: 'string' }
const side = (symbols: readonly string[], more: object = {}): Field => ({
  name: 'side',
  type: { type: 'enum', name: 'Side', symbols, ...more }
})

/** What readers with the new schema cannot read of the old one's records. */
function backward(next: string, previous: string): string[] {
  return incompatibilities('BACKWARD', next, { name: 'version 3', text: previous }).map(describe)
}

/** What readers with the old schema cannot read of the new one's records. */
function forward(next: string, previous: string): string[] {
  return incompatibilities('FORWARD', next, { name: 'version 3', text: previous }).map(describe)
}

/** A record whose field x was written as one type, read as another. */
function readAs(reader: unknown, writer: unknown): string[] {
  return backward(record({ name: 'x', type: reader }), record({ name: 'x', type: writer }))
}

suite('a change of schema', () => {
  test('a new field needs a default where older records are to be read', () => {
    const next = record(x, { name: 'y', type: 'int' })
    assert.deepEqual(backward(next, record(x)), [
      'field y: the new schema needs it (int, without a default), and version 3 does not write it'
    ])
    assert.deepEqual(forward(next, record(x)), [])
    assert.deepEqual(backward(record(x, { name: 'y', type: ['null', 'int'], default: null }), record(x)), [])
    assert.deepEqual(backward(record(x, { name: 'y', type: 'int', default: 0 }), record(x)), [])
  })

  test('a field that goes needs a default where older readers are to read on', () => {
    const previous = record(x, { name: 'y', type: 'int' })
    assert.deepEqual(forward(record(x), previous), [
      'field y: version 3 needs it (int, without a default), and the new schema does not write it'
    ])
    assert.deepEqual(backward(record(x), previous), [])
    assert.deepEqual(forward(record(x), record(x, { name: 'y', type: 'int', default: 1 })), [])
  })

  test('a renamed field is read through its alias', () => {
    const renamed = record({ name: 'z', type: 'string', aliases: ['x'] })
    assert.deepEqual(backward(renamed, record(x)), [])
    assert.equal(forward(renamed, record(x)).length, 1)
  })

  test('order, docs, defaults and logical types change nothing', () => {
    const y: Field = { name: 'y', type: { type: 'long', logicalType: 'timestamp-micros' } }
    const plain = record({ name: 'y', type: 'long', doc: 'when', default: 0 }, { ...x, doc: 'what' })
    assert.deepEqual(backward(record(x, y), plain), [])
    assert.deepEqual(forward(record(x, y), plain), [])
  })

  test('a symbol that a reader does not know is named, unless it has a default for it', () => {
    const [old, fresh] = [record(side(['BUY', 'SELL'])), record(side(['BUY', 'SELL', 'NONE', 'BOTH']))]
    assert.deepEqual(forward(fresh, old), [
      'field side: the new schema may write the symbols NONE, BOTH of enum n.Side, which version 3 does not know'
    ])
    assert.deepEqual(backward(fresh, old), [])
    assert.deepEqual(forward(fresh, record(side(['BUY', 'SELL'], { default: 'BUY' }))), [])
  })

  test('several breaks are all told', () => {
    const next = record({ name: 'x', type: 'long' }, { name: 'y', type: 'int' })
    assert.equal(backward(next, record(x)).length, 2)
  })

  test('another name is another record', () => {
    const other = JSON.stringify({ type: 'record', name: 'B', namespace: 'n', fields: [x] })
    assert.deepEqual(backward(other, record(x)), [
      'version 3 writes record n.A, and the new schema reads record n.B'
    ])
    const renamed = JSON.stringify({ type: 'record', name: 'B', namespace: 'n', aliases: ['A'], fields: [x] })
    assert.deepEqual(backward(renamed, record(x)), [])
  })

  test('a text that is no schema is refused, whoever wrote it', () => {
    for (const text of ['', '{', '"no.such.Type"', '{"type":"record"}']) {
      assert.throws(() => backward(record(x), text), { code: 'SCHEMA_INVALID' })
      assert.throws(() => parseSchema(text), /^IngestError: The schema cannot be read: /)
    }
  })
})

suite('types', () => {
  const fixed = (size: number) => ({ type: 'fixed', name: 'F', size })
  const inner = (...fields: readonly Field[]) => ({ type: 'record', name: 'Inner', fields })
  const fits: [reader: unknown, writer: unknown][] = [
    ['string', 'string'],
    ['long', 'int'],
    ['double', 'long'],
    ['double', 'float'],
    ['string', 'bytes'],
    ['bytes', 'string'],
    [['null', 'string'], 'string'],
    [
      ['null', 'string'],
      ['null', 'string']
    ],
    [
      ['null', 'long', 'string'],
      ['null', 'string']
    ],
    [['null', 'double'], 'int'],
    ['string', ['string']],
    [fixed(4), fixed(4)],
    [
      { type: 'array', items: 'long' },
      { type: 'array', items: 'int' }
    ],
    [
      { type: 'map', values: ['null', 'string'] },
      { type: 'map', values: 'string' }
    ]
  ]
  for (const [reader, writer] of fits) {
    test(`${JSON.stringify(writer)} can be read as ${JSON.stringify(reader)}`, () => {
      assert.deepEqual(readAs(reader, writer), [])
    })
  }

  const breaks: [reader: unknown, writer: unknown, said: RegExp][] = [
    ['int', 'long', /^field x: version 3 writes long, and the new schema reads int$/],
    ['string', 'long', /writes long, and the new schema reads string$/],
    ['string', ['null', 'string'], /writes null, and the new schema reads string$/],
    [['null', 'string'], 'long', /writes long, and the new schema reads null \| string$/],
    [
      ['null', 'string'],
      ['null', 'string', 'long'],
      /^field x: version 3 writes long, and .+ null \| string$/
    ],
    [fixed(4), fixed(8), /writes fixed n\.F of 8 bytes, and the new schema reads fixed n\.F of 4 bytes$/],
    [{ type: 'array', items: 'int' }, { type: 'array', items: 'string' }, /^field x\[\]: /],
    [{ type: 'map', values: 'int' }, { type: 'map', values: 'string' }, /^field x\{\}: /],
    [
      { type: 'array', items: 'int' },
      { type: 'map', values: 'int' },
      /writes map of int, and .+ array of int$/
    ],
    [inner(x, { name: 'y', type: 'int' }), inner(x), /^field x\.y: the new schema needs it \(int/],
    [
      { type: 'array', items: inner(x, { name: 'y', type: 'int' }) },
      { type: 'array', items: inner(x) },
      /^field x\[\]\.y: the new schema needs it/
    ],
    [
      ['null', inner(x, { name: 'y', type: 'int' })],
      ['null', inner(x)],
      /^field x\.y: the new schema needs it/
    ]
  ]
  for (const [reader, writer, said] of breaks) {
    test(`${JSON.stringify(writer)} cannot be read as ${JSON.stringify(reader)}`, () => {
      const found = readAs(reader, writer)
      assert.equal(found.length, 1)
      assert.match(found[0]!, said)
    })
  }

  test('a record within itself is compared once', () => {
    const node = (...fields: readonly Field[]) =>
      JSON.stringify({
        type: 'record',
        name: 'Node',
        fields: [...fields, { name: 'next', type: ['null', 'Node'] }]
      })
    assert.deepEqual(backward(node(x), node(x)), [])
    assert.deepEqual(backward(node(x, { name: 'y', type: 'int' }), node(x)), [
      'field y: the new schema needs it (int, without a default), and version 3 does not write it'
    ])
  })
})

suite('our own schemas', () => {
  for (const [name, { text }] of Object.entries(avroSchemas)) {
    test(`${name} follows itself, and is told from the others`, () => {
      assert.deepEqual([...backward(text, text), ...forward(text, text)], [])
      const same = Object.values(avroSchemas).filter(other => isSameSchema(text, other.text))
      assert.equal(same.length, 1)
    })
  }

  test('a schema is the same however it is written', () => {
    const spaced = JSON.stringify(JSON.parse(avroSchemas.Trade.text), null, 2)
    assert.ok(isSameSchema(spaced, avroSchemas.Trade.text))
  })
})
