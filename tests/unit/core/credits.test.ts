import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CreditPool, Credits } from '../../../src/core/credits.ts'

const emptyPool = new CreditPool(0)

test('credit is exhausted at its limit and reopens when a quarter is free', () => {
  const credits = new Credits(1_000, emptyPool)
  credits.debit(900)
  assert.equal(credits.isExhausted(99), false)
  assert.equal(credits.isExhausted(100), true)
  credits.debit(100)
  credits.refund(200)
  assert.equal(credits.isReopened(0), false)
  credits.refund(50)
  assert.equal(credits.isReopened(0), true)
})

test('overdraft is a quarter of the limit', () => {
  const credits = new Credits(1_000, emptyPool)
  credits.debit(1_249)
  assert.equal(credits.isOverdrawn(0), false)
  assert.equal(credits.isOverdrawn(1), true)
})

test('a late refund makes no credit out of nothing', () => {
  const credits = new Credits(1_000, emptyPool)
  credits.debit(500)
  credits.reset()
  credits.refund(500)
  assert.equal(credits.outstanding, 0)
})

test('a loud connection borrows what the pool has, and leaves the quiet one its own', () => {
  const pool = new CreditPool(2_000)
  const [loud, quiet] = [new Credits(1_000, pool), new Credits(1_000, pool)]
  loud.debit(2_999)
  assert.equal(loud.isExhausted(0), false)
  loud.debit(1)
  assert.equal(loud.isExhausted(0), true)
  assert.equal(quiet.isExhausted(999), false)
  assert.equal(quiet.isExhausted(1_000), true)
  loud.refund(750)
  assert.equal(loud.isReopened(0), true)
  assert.equal(quiet.isExhausted(1_749), false, 'what is given back can be borrowed by others')
})

test('overdraft is not borrowed', () => {
  const pool = new CreditPool(1_000)
  const credits = new Credits(1_000, pool)
  credits.debit(2_249)
  assert.equal(pool.lentBytes, 1_000)
  assert.equal(credits.isOverdrawn(0), false)
  assert.equal(credits.isOverdrawn(1), true)
})

test('whoever borrows what and in whatever order, all windows together stay within all bytes', () => {
  const step = fc.tuple(fc.nat(2), fc.constantFrom('debit', 'refund', 'reset'), fc.nat(800))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), steps => {
      const pool = new CreditPool(3_000)
      const all = [0, 1, 2].map(() => new Credits(1_000, pool))
      for (const [which, action, bytes] of steps) {
        const credits = all[which]!
        if (action === 'reset') credits.reset()
        else if (action === 'refund') credits.refund(bytes)
        else if (!credits.isExhausted(bytes)) credits.debit(bytes)
        const outstanding = all.reduce((sum, { outstanding }) => sum + outstanding, 0)
        assert.ok(outstanding <= 6_000 && pool.lentBytes >= 0 && pool.lentBytes <= 3_000)
      }
      for (const credits of all) credits.reset()
      assert.equal(pool.lentBytes, 0)
    })
  )
})
