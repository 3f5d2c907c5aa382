import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SymbolTable } from '../../../src/exchange-kit/symbol-table.ts'

const encoder = new TextEncoder()

function find(table: SymbolTable, name: string, guess = -1): number {
  const bytes = encoder.encode(`__${name}__`)
  return table.find(bytes, 2, bytes.length - 2, guess)
}

test('several spellings lead to one subscription', () => {
  const table = new SymbolTable()
  table.add('BTCUSDT', 0)
  table.add('btcusdt', 0)
  table.add('ETHUSDT', 1)
  assert.equal(find(table, 'btcusdt'), 0)
  assert.equal(find(table, 'BTCUSDT'), 0)
  assert.equal(find(table, 'ETHUSDT'), 1)
  assert.equal(find(table, 'ethusdt'), -1)
})

test('a wrong guess does no harm', () => {
  const table = new SymbolTable()
  table.add('KRW-BTC', 0)
  table.add('KRW-ETH', 1)
  assert.equal(find(table, 'KRW-ETH', 0), 1)
  assert.equal(find(table, 'KRW-ETH', 1), 1)
  assert.equal(find(table, 'KRW-ETH', 99), 1)
  assert.equal(find(table, 'KRW-XRP', 1), -1)
})

test('a name that was added twice keeps its first subscription, and the empty name is none', () => {
  const table = new SymbolTable()
  table.add('KRW-BTC', 3)
  table.add('KRW-BTC', 4)
  table.add('', 5)
  assert.equal(table.size, 1)
  assert.equal(find(table, 'KRW-BTC'), 3)
  assert.equal(find(table, ''), -1)
})

test('any set of names is found, and nothing else', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 300 }), names => {
      const table = new SymbolTable()
      // Text that cannot be encoded (lone surrogates) is not a name of its own.
      const known = new Map<string, number>()
      names.forEach((name, index) => {
        const text = new TextDecoder().decode(encoder.encode(name))
        if (known.has(text)) return
        known.set(text, index)
        table.add(name, index)
      })
      for (const [name, index] of known) assert.equal(find(table, name), index)
      assert.equal(find(table, 'a name longer than any of them'), -1)
    }),
    { seed: 7 }
  )
})
