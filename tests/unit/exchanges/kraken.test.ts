import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BookLevel } from '../../../src/exchange-kit/adapter.ts'
import { kraken } from '../../../src/exchanges/kraken.ts'

const { book } = kraken.continuity
assert.ok(book.mode === 'delta' && typeof book.check === 'object')
const { check } = book

/** `price size` a line, best first. */
const levels = (text: string): BookLevel[] =>
  text
    .trim()
    .split('\n')
    .map(line => {
      const [price = '', size = ''] = line.trim().split(' ')
      return { price, size }
    })

// A book of ETH/BTC and its checksums as the venue computed them in August 2026; trailing zeros count.
const bids = levels(`
  0.031348 0.03740000
  0.031347 2.87288049
  0.031345 8.57986833
  0.031344 14.40276069
  0.031340 12.96065840
  0.031339 13.19606540
  0.031338 20.41389313
  0.031336 0.03740000
  0.031334 14.37158163
  0.031332 14.40695990`)
const asks = levels(`
  0.031357 0.03740000
  0.031358 2.87194815
  0.031361 0.00767324
  0.031362 4.27140781
  0.031363 4.34586052
  0.031364 27.28097668
  0.031365 12.92325840
  0.031366 4.14290322
  0.031368 0.00738649
  0.031370 0.03740000`)

test("the checksum of a real book is the venue's, before an update and after it", () => {
  assert.equal(check.levels, 10)
  assert.equal(check.sum(bids, asks), 3_619_791_617 | 0)
  const after = [...bids.filter(level => level.price !== '0.031347'), ...levels('0.031329 19.07893401')]
  assert.equal(check.sum(after, asks), 2_505_869_009 | 0)
})

test('a checksum tells digits apart that have the same value', () => {
  const [best, ...rest] = bids
  assert.ok(best !== undefined)
  assert.notEqual(check.sum([{ ...best, size: '0.0374' }, ...rest], asks), 3_619_791_617 | 0)
})

test('a side without levels adds nothing', () => {
  assert.equal(check.sum([], []), 0)
  assert.notEqual(check.sum(bids, []), 0)
})
