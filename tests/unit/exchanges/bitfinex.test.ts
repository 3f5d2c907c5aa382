import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from '../../../src/exchange-kit/crc32.ts'
import { bitfinex } from '../../../src/exchanges/bitfinex.ts'

const encoder = new TextEncoder()

function sequenceOf(frame: string): number {
  const bytes = encoder.encode(`12]${frame}9,9]`)
  return bitfinex.continuity.frameSequence?.(bytes, 3, bytes.length - 4) ?? -1
}

test('the sequence of a frame is read from its trailer, whatever stands before it', () => {
  assert.equal(sequenceOf('[17,[61233,1.5,61234,2,-1,-0.1,61234,900.8,62000,60500,null],5,1790000000321]'), 5)
  assert.equal(sequenceOf('[17,"te",[1700000003,1790000000135,250,61234],18,1790000000150]'), 18)
  assert.equal(sequenceOf('[17,[[61233,2,0.25],[61234,1,-3]],1000000,1790000000541]'), 1_000_000)
  assert.equal(sequenceOf('[17,[],10,1790000000541]'), 10)
  assert.equal(sequenceOf('[17,"hb",48,1790000000702]'), 48)
  assert.equal(sequenceOf('[17,"cs",-1330055495,47,1790000000620]'), 47)
  assert.equal(sequenceOf('[17,"cs",1330055495,47,1790000000620]'), 47)
})

test('a frame without a trailer, an event, or what was cut short has no sequence', () => {
  for (const frame of [
    '[17,[61235,3,250]]',
    '[17,[61235,3,250],45]',
    '[17,"cs",1330055495]',
    '[17,"hb"]',
    '[17,"hb",1790000000702]',
    '{"event":"conf","flags":[1,2]}',
    // Cut in the middle, where whole numbers happen to stand.
    '[17,[61235,3,250]',
    '[17,"te",[1700000003,1790000000135,250,61234]',
    '[17,[61235,3,250],45,17900000',
    '[17,12]',
    '[12,13,14]',
    '[',
    ''
  ]) {
    assert.ok(Number.isNaN(sequenceOf(frame)), frame)
  }
})

test('the checksum is taken over both sides in turn, as JavaScript prints the numbers', () => {
  const { book } = bitfinex.continuity
  assert.ok(book.mode === 'delta' && typeof book.check === 'object')
  const { check } = book
  assert.equal(check.levels, 25)
  const bids = [
    { price: '61233', size: '0.00000015' },
    { price: '61230.50', size: '1.5' }
  ]
  const asks = [{ price: '61234', size: '18.10913638' }]
  assert.equal(check.sum(bids, asks), crc32('61233:1.5e-7:61234:-18.10913638:61230.5:1.5'))
  assert.equal(check.sum([], asks), crc32('61234:-18.10913638'))
  assert.equal(check.sum([], []), 0)
})

test('codes and their common names lead to each other', () => {
  const { instruments } = bitfinex
  for (const native of [
    'tUSTUSD',
    'tUDCUSD',
    'tDSHBTC',
    'tIOTUST',
    'tTERRAUST:USD',
    'tLUNA2:UST',
    'tBCHN:USD'
  ]) {
    const canonical = instruments.canonicalOf(native)
    assert.ok(canonical !== null)
    assert.equal(instruments.nativeOf(canonical), native)
  }
})
