import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { IngestError } from '../../../src/core/errors.ts'
import { inflate } from '../../../src/exchange-kit/inflate.ts'

const bound = 65_536

function codeOf(frame: Uint8Array, outputBytesMax = bound): string {
  const result = inflate(frame, outputBytesMax)
  return result instanceof IngestError ? result.code : 'inflated'
}

suite('inflating a frame', () => {
  test('gives back what was compressed, as a plain Uint8Array', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), frame => {
        const inflated = inflate(gzipSync(frame), bound)
        assert.ok(!(inflated instanceof IngestError))
        assert.equal(inflated.constructor, Uint8Array)
        assert.deepEqual([...inflated], [...frame])
      }),
      { seed: 3, numRuns: 200 }
    )
  })

  test('stops a decompression bomb at the bound', () => {
    const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024))
    assert.ok(bomb.length < bound + 4096)
    assert.equal(codeOf(bomb), 'FRAME_OVERSIZED')
    // The bound counts all members of a stream together.
    const half = gzipSync(new Uint8Array(bound))
    assert.equal(codeOf(Buffer.concat([half, half])), 'FRAME_OVERSIZED')
  })

  test('lets a frame of exactly the bound pass', () => {
    assert.equal(codeOf(gzipSync(new Uint8Array(bound))), 'inflated')
    assert.equal(codeOf(gzipSync(new Uint8Array(bound + 1))), 'FRAME_OVERSIZED')
  })

  test('refuses what is no gzip stream, or only a part of one', () => {
    const whole = gzipSync(new TextEncoder().encode('{"ch":"market.btcusdt.trade.detail"}'))
    for (let length = 0; length < whole.length; length++) {
      assert.equal(codeOf(whole.subarray(0, length)), 'FRAME_MALFORMED', `cut after ${length} bytes`)
    }
    const changed = Uint8Array.from(whole)
    changed[whole.length - 6]! ^= 1
    assert.equal(codeOf(changed), 'FRAME_MALFORMED')
    assert.equal(codeOf(new TextEncoder().encode('{"ping":1492420473027}')), 'FRAME_MALFORMED')
  })
})
