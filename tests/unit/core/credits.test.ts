import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Credits } from '../../../src/core/credits.ts'

test('credit is exhausted at its limit and reopens when a quarter is free', () => {
  const credits = new Credits(1_000)
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
  const credits = new Credits(1_000)
  credits.debit(1_249)
  assert.equal(credits.isOverdrawn(0), false)
  assert.equal(credits.isOverdrawn(1), true)
})

test('a late refund makes no credit out of nothing', () => {
  const credits = new Credits(1_000)
  credits.debit(500)
  credits.reset()
  credits.refund(500)
  assert.equal(credits.outstanding, 0)
})
