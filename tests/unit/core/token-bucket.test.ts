import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TokenBucket } from '../../../src/core/token-bucket.ts'

test('four fifths of the published rate are given out, the rest of the window none', () => {
  const bucket = new TokenBucket({ count: 5, windowMs: 1_000 })
  const taken = Array.from({ length: 6 }, () => bucket.tryTake(1, 100))
  assert.deepEqual(taken, [true, true, true, true, false, false])
  assert.equal(bucket.msUntil(1, 100), 1_000)
  assert.equal(bucket.tryTake(1, 1_099), false)
  assert.equal(bucket.tryTake(1, 1_100), true)
})

test('a rate of one in its window is stretched, since no four fifths of a connect exist', () => {
  const bucket = new TokenBucket({ count: 1, windowMs: 5_000 })
  assert.equal(bucket.tryTake(1, 0), true)
  assert.equal(bucket.msUntil(1, 0), 6_250)
})

test('an order larger than the bucket waits until the bucket is full', () => {
  const bucket = new TokenBucket({ count: 10, windowMs: 1_000 })
  assert.equal(bucket.tryTake(1, 0), true)
  assert.equal(bucket.tryTake(50, 500), false)
  assert.equal(bucket.tryTake(50, 1_000), true)
  assert.equal(bucket.tryTake(1, 1_500), false)
})

test('no window, wherever it is laid, sees more than four fifths of the rate', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 3 })), { maxLength: 200 }),
      steps => {
        const rate = { count: 20, windowMs: 1_000 }
        const bucket = new TokenBucket(rate)
        const granted: { atMs: number; tokens: number }[] = []
        let nowMs = 0
        for (const [waitMs, tokens] of steps) {
          nowMs += waitMs
          if (bucket.tryTake(tokens, nowMs)) granted.push({ atMs: nowMs, tokens })
        }
        return granted.every(first => {
          const within = granted.filter(
            other => other.atMs >= first.atMs && other.atMs < first.atMs + rate.windowMs
          )
          return within.reduce((sum, other) => sum + other.tokens, 0) <= 16
        })
      }
    )
  )
})

test('the time until a token is there is never too short', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 50 }), waits => {
      const bucket = new TokenBucket({ count: 5, windowMs: 1_000 })
      let nowMs = 0
      return waits.every(wait => {
        nowMs += wait
        bucket.tryTake(1, nowMs)
        return bucket.tryTake(1, nowMs + bucket.msUntil(1, nowMs))
      })
    })
  )
})
