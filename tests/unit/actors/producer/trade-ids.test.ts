import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { integerOf, TradeIds } from '../../../../actors/producer/trade-ids.ts'

/** An id in the middle of other bytes, as it stands in a record. */
function place(id: string): [Uint8Array, number, number] {
  const bytes = Buffer.from(`9${id}9`, 'latin1')
  return [bytes, 1, 1 + id.length]
}

const digits = fc.stringMatching(/^[0-9]{1,26}$/)
const anyId = fc.oneof(
  fc.nat(300).map(String),
  fc.nat(300).map(n => `1763640000${String(n).padStart(7, '0')}`),
  digits,
  fc.stringMatching(/^[0-9a-f-]{0,36}$/)
)

test('an id is remembered exactly: of any texts only those that were added are found', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyId, { maxLength: 200, size: 'max' }), ids => {
      const remembered = new TradeIds(4096)
      const half = ids.length >> 1
      for (const id of ids.slice(0, half)) remembered.add(...place(id))
      assert.deepEqual(
        ids.filter(id => remembered.has(...place(id))),
        ids.slice(0, half)
      )
      assert.equal(remembered.size, half)
    })
  )
})

test('ids of 17 digits that are equal as doubles are told apart', () => {
  const ids = new TradeIds(10)
  ids.add(...place('17636400000000001'))
  assert.equal(Number('17636400000000001'), Number('17636400000000000'))
  assert.equal(ids.has(...place('17636400000000000')), false)
  assert.equal(ids.has(...place('17636400000000001')), true)
})

test('an id with leading zeros is another id than the one without', () => {
  const ids = new TradeIds(10)
  ids.add(...place('0000000123456789'))
  for (const other of ['123456789', '0123456789', '00123456789'])
    assert.equal(ids.has(...place(other)), false)
  assert.equal(ids.has(...place('0000000123456789')), true)
})

for (const limit of [1, 10, 64, 65, 100, 1000]) {
  test(`of more ids than the limit of ${limit} the last are remembered, the oldest forgotten first`, () => {
    for (const prefix of ['', 'x']) {
      const ids = new TradeIds(limit)
      const total = limit * 3 + 7
      for (let i = 0; i < total; i++) ids.add(...place(`${prefix}${1000 + i}`))
      assert.equal(ids.size, limit)
      for (let i = 0; i < total; i++)
        assert.equal(ids.has(...place(`${prefix}${1000 + i}`)), i >= total - limit)
    }
  })
}

test('digits are read as an exact integer, or not at all', () => {
  fc.assert(
    fc.property(digits, text => {
      const exact = BigInt(text)
      const isExact = text.length <= 16 && exact <= BigInt(Number.MAX_SAFE_INTEGER)
      assert.equal(integerOf(...place(text)), isExact ? Number(exact) : Number.NaN)
    })
  )
  for (const text of ['', '-1', '1.5', '1e3', 'abc', ' 1']) assert.ok(Number.isNaN(integerOf(...place(text))))
})
