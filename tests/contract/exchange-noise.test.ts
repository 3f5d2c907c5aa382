import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { createTranscoder } from '../../src/codec/transcode.ts'
import { requestTypes } from '../../src/domain/target.ts'
import { type ExchangeAdapter, FrameClass, type Peeked } from '../../src/exchange-kit/adapter.ts'
import { parseJson } from '../../src/exchange-kit/json.ts'
import { type JsonValue } from '../../src/exchange-kit/json-value.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { FrameKind } from '../../src/wire/frame-batch.ts'
import { FrameOutcome } from '../../src/wire/record-batch.ts'
import { fixtures } from '../fixtures/registry.ts'
import { fixtureContext, transcodeFrames } from '../support/codec.ts'

const encoder = new TextEncoder()
const margin = 3

/** What any JSON may turn into: scalars of every kind, and containers with and without content. */
const anything = fc.oneof(
  fc.constantFrom(
    'null',
    '[]',
    '{}',
    '""',
    '0',
    '-1',
    'true',
    '1e999',
    '[[]]',
    '[null]',
    '"\\u0000"',
    '{"":0}'
  ),
  fc.json({ maxDepth: 2 })
)

/** The frame with one of its values, keys or signs written anew, or with bytes changed, doubled or left out. */
const damaged = (frame: string): fc.Arbitrary<string> => {
  const values = [...frame.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{},:]/g)]
  const place = fc.nat(Math.max(0, values.length - 1))
  const swapped = fc.tuple(place, anything).map(([index, fresh]) => {
    const match = values[index]
    if (match === undefined) return fresh
    return frame.slice(0, match.index) + fresh + frame.slice(match.index + match[0].length)
  })
  const cut = fc
    .tuple(fc.nat(frame.length), fc.nat(12), fc.string({ maxLength: 6 }))
    .map(([at, length, fresh]) => frame.slice(0, at) + fresh + frame.slice(at + length))
  return fc.oneof(swapped, cut)
}

function jsonOf(text: string): JsonValue | undefined {
  const bytes = encoder.encode(text)
  try {
    return parseJson(bytes, 0, bytes.length)
  } catch {
    return undefined
  }
}

/** A look at a frame in the middle of others: what it finds must lie within. */
function checkPeek(adapter: ExchangeAdapter, frame: Uint8Array): void {
  const bytes = new Uint8Array(frame.length + 2 * margin).fill(0x7b)
  bytes.set(frame, margin)
  const end = margin + frame.length
  const found: Peeked = { frameClass: FrameClass.unclear, symbolStart: 77, symbolEnd: 77 }
  adapter.peek(bytes, margin, end, found)
  const { symbolStart, symbolEnd } = found
  const isNone = symbolStart === 0 && symbolEnd === 0
  const isWithin = symbolStart >= margin && symbolEnd >= symbolStart && symbolEnd <= end
  assert.ok(isNone || isWithin, `${symbolStart} to ${symbolEnd} of ${Buffer.from(frame).toString()}`)
  const sequence = adapter.continuity.frameSequence?.(bytes, margin, end)
  assert.ok(sequence === undefined || Number.isNaN(sequence) || Number.isSafeInteger(sequence))
}

for (const [name, adapter] of Object.entries(adapters) as [keyof typeof adapters, ExchangeAdapter][]) {
  const fixture = fixtures[name]

  test(`${name}: binary noise, an empty frame and a gzip body give dead frames`, () => {
    const noise = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 300 }), { seed: 9, numRuns: 50 })
    const strays = [
      // A single digit would be JSON.
      ...noise.filter(bytes => bytes.length > 3),
      new Uint8Array(0),
      gzipSync(fixture.frames[0]?.frame ?? ''),
      Buffer.from(fixture.frames[0]?.frame ?? '', 'utf16le')
    ]
    for (const stray of strays) checkPeek(adapter, stray)
    for (const requestType of requestTypes) {
      const batch = transcodeFrames(
        fixtureContext(name, requestType, fixture),
        strays.flatMap(frame => [{ frame }, { frame, kind: FrameKind.snapshot, subscription: 0 }])
      )
      for (let frame = 0; frame < batch.frames; frame++) {
        assert.equal(batch.outcome(frame), FrameOutcome.dead)
        assert.match(batch.reason(frame), /^(malformed json|invalid utf-8)$/)
      }
      assert.equal(batch.records, 0)
    }
  })

  test(`${name}: a frame damaged anywhere is answered, and by no crash`, () => {
    const transcoder = createTranscoder()
    for (const frame of fixture.frames) {
      // Thousands of digits teach nothing here.
      if (frame.frame.length > 3000) continue
      const contexts = requestTypes.map(requestType => fixtureContext(name, requestType, fixture))
      const kind = frame.isSnapshot === true ? FrameKind.snapshot : FrameKind.stream
      fc.assert(
        fc.property(damaged(frame.frame), text => {
          checkPeek(adapter, encoder.encode(text))
          const message = jsonOf(text)
          if (message !== undefined) assert.ok(Array.isArray(adapter.control(message)))
          for (const context of contexts) {
            const batch = transcodeFrames(context, [{ frame: text, kind, subscription: 0 }], transcoder)
            assert.notEqual(batch.reason(0), 'codec failed', text)
          }
        }),
        { seed: 23, numRuns: 40 }
      )
    }
  })

  test(`${name}: whatever a listing or a control frame says, nothing throws`, () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), text => {
        const message = jsonOf(text)
        if (message === undefined) return
        adapter.control(message)
        adapter.instruments.listing?.parse(message)
      }),
      { seed: 29, numRuns: 100 }
    )
    const { listing } = fixture
    fc.assert(
      fc.property(damaged(listing.body), text => {
        const body = jsonOf(text)
        if (body === undefined) return
        for (const instrument of adapter.instruments.listing?.parse(body) ?? []) {
          assert.match(instrument.symbol, /.-./su, text)
          assert.notEqual(instrument.native, '')
        }
      }),
      { seed: 31, numRuns: 200 }
    )
  })

  test(`${name}: symbols by rule are never made of nonsense`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 16 }), text => {
        const canonical = adapter.instruments.canonicalOf(text)
        if (canonical !== null) assert.match(canonical, /^[^-]+-.+$/su)
        adapter.instruments.nativeOf(text)
        adapter.instruments.streamNameOf(text)
      }),
      { seed: 37, numRuns: 200 }
    )
  })
}
