import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bookFingerprint,
  bookHash,
  hashBytes,
  hashStart,
  hashText,
  levelHash,
  levelHashPrefix,
  tradeFingerprint
} from '../../../src/simulator/fingerprint.ts'

const trade = { exchange_ts: 1, trade_id: '2', price: '3.0', size: '4', side: 'BUY', sequence: null }
const levels = [
  { price: '10', size: '1.5' },
  { price: '9', size: '2' }
]
const book = {
  exchange_ts: 1,
  kind: 'SNAPSHOT',
  sequence_first: null,
  sequence_last: null,
  sequence_previous: null,
  bids: levels,
  asks: []
}

test('the hash is FNV-1a, over text and bytes alike', () => {
  // Published test vector of 32-bit FNV-1a.
  assert.equal(hashText(hashStart, 'foobar') >>> 0, 0xbf9cf968)
  const bytes = new TextEncoder().encode('foobar')
  assert.equal(hashBytes(hashStart, bytes, 0, bytes.length), hashText(hashStart, 'foobar'))
})

test('a fingerprint tells one digit more from the same value', () => {
  assert.notEqual(tradeFingerprint(trade), tradeFingerprint({ ...trade, price: '3.00' }))
  assert.notEqual(tradeFingerprint(trade), tradeFingerprint({ ...trade, sequence: '' }))
  assert.equal(tradeFingerprint(trade), tradeFingerprint({ ...trade, exchange_ts: 1n }))
})

test('the order of levels matters for a record and not for a book', () => {
  const turned = { ...book, bids: levels.toReversed() }
  assert.notEqual(bookFingerprint(book), bookFingerprint(turned))
  assert.equal(bookHash(book.bids, []), bookHash(turned.bids, []))
  assert.notEqual(bookHash(levels, []), bookHash([], levels))
})

test('a level is hashed the same in one go and in two', () => {
  assert.equal(hashText(levelHashPrefix('ask', '10'), '1.5'), levelHash('ask', '10', '1.5'))
  assert.equal(hashText(hashStart, 'b|10|1.5'), levelHash('bid', '10', '1.5'))
})
