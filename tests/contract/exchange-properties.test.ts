import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DataRecord } from '../../src/codec/avro-types.ts'
import { FrameDecoder, type FrameExplanation } from '../../src/codec/decode.ts'
import { createTranscoder } from '../../src/codec/transcode.ts'
import { requestTypes } from '../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { compileMatcher } from '../../src/exchange-kit/compile.ts'
import { type RecordTable } from '../../src/exchange-kit/field-table.ts'
import { FrameFault } from '../../src/exchange-kit/frame-fault.ts'
import { sampleFrame } from '../../src/exchange-kit/sample-frame.ts'
import { tokenize } from '../../src/exchange-kit/tape.ts'
import { Workspace } from '../../src/exchange-kit/workspace.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { FrameKind } from '../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'
import { type ExchangeFixture } from '../fixtures/exchange-fixture.ts'
import { fixtures } from '../fixtures/registry.ts'
import {
  asTestFrame,
  batchOf,
  fixtureContext,
  recordsOf,
  type TestFrame,
  transcodeFrames,
  valueOf
} from '../support/codec.ts'
import { type Leaf, leavesOf, replaced } from '../support/json-leaves.ts'
import { type DigitSpot, digitSpots } from '../support/table-paths.ts'

const encoder = new TextEncoder()

/** Everything that a batch says of its frames and records. */
function factsOf(batch: RecordBatch): unknown[] {
  let row = 0
  return Array.from({ length: batch.frames }, (_, frame) => ({
    seq: batch.frameSeqOf(frame),
    outcome: batch.outcome(frame),
    reason: batch.reason(frame),
    subscription: batch.frameSubscription(frame),
    checksum: batch.hasChecksum(frame) ? batch.frameChecksum(frame) : null,
    values: Array.from({ length: batch.recordsOf(frame) }, () =>
      Buffer.from(valueOf(batch, row++)).toString('latin1')
    )
  }))
}

function matches(table: RecordTable, text: string): boolean {
  const workspace = new Workspace()
  const bytes = encoder.encode(text)
  workspace.fitFrames(bytes.length, bytes.length)
  workspace.bytes.set(bytes)
  const length = tokenize(workspace.bytes, 0, bytes.length, bytes.length, workspace.tape)
  return length > 0 && compileMatcher(table)(workspace, 0) !== FrameFault.noMatch
}

/** Mantissa and exponent of a decimal above zero. */
interface Digits {
  readonly whole: string
  readonly fraction: string | null
  readonly exponent: string | null
}

const digitsOf = (min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: min, maxLength: max })

const digits: fc.Arbitrary<Digits> = fc
  .record({
    first: fc.constantFrom(...'0123456789'),
    more: digitsOf(0, 14),
    fraction: fc.option(digitsOf(1, 15)),
    exponent: fc.option(fc.tuple(fc.constantFrom('e', 'E', 'e+', 'E-', 'e-'), fc.nat(30)))
  })
  .map(({ first, more, fraction, exponent }) => {
    const whole = first === '0' ? '0' : first + more
    const isZero = !/[1-9]/.test(whole + (fraction ?? ''))
    return { whole: isZero ? '7' : whole, fraction, exponent: exponent?.join('') ?? null }
  })

/** A decimal as one would write it out by hand: whole digits, then as many behind the point as its scale says. */
function writtenOut(token: string, form: 'plain' | 'percent' | 'absolute'): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token)
  assert.ok(match, token)
  const [, minus = '', whole = '', fraction = '', exponent = '0'] = match
  const sign = form === 'absolute' ? '' : minus
  const scale = fraction.length - Number(exponent) + (form === 'percent' ? 2 : 0)
  const value = BigInt(whole + fraction)
  if (scale <= 0) return `${sign}${value * 10n ** BigInt(-scale)}`
  const text = String(value).padStart(scale + 1, '0')
  return `${sign}${text.slice(0, -scale)}.${text.slice(-scale)}`
}

/** The records as they must be when the decimals of their frame are those in `tokens`. */
function expectedOf(
  records: readonly DataRecord[],
  spots: readonly DigitSpot[],
  tokens: ReadonlyMap<Leaf, string>,
  isReversed: boolean
): unknown[] {
  const wanted: Record<string, unknown>[] = records.map(record => ({ ...record }))
  const recordAt = (index: number) => wanted[isReversed ? wanted.length - 1 - index : index]
  const sides = new Map<string, Map<number, { price: string; size: string }>>()
  for (const spot of spots) {
    const record = recordAt(spot.record)
    assert.ok(record)
    const token = tokens.get(spot.leaf) ?? ''
    if ('field' in spot) {
      record[spot.field] = writtenOut(token, spot.form)
      continue
    }
    const key = `${spot.record}/${spot.side}`
    const levels = sides.get(key) ?? new Map<number, { price: string; size: string }>()
    sides.set(key, levels)
    const level = levels.get(spot.level) ?? { price: '', size: '' }
    levels.set(spot.level, level)
    level[spot.part] =
      spot.part === 'size' && spot.isRemoval
        ? '0'
        : writtenOut(token, spot.part === 'size' && spot.rule.sign !== undefined ? 'absolute' : 'plain')
    const inOrder = [...levels].sort(([a], [b]) => (spot.rule.reverse === true ? b - a : a - b))
    record[spot.side] = inOrder.map(([, one]) => one)
  }
  return wanted
}

const plain = (records: readonly unknown[]): unknown => JSON.parse(JSON.stringify(records))

function decimalFieldsOf(table: RecordTable): string[] {
  return Object.entries(table.fields as unknown as Readonly<Record<string, { readonly rule: string }>>)
    .filter(([, { rule }]) => rule === 'decimal' || rule === 'levels')
    .map(([field]) => field)
}

function checkDigits(
  name: keyof typeof adapters,
  fixture: ExchangeFixture,
  table: RecordTable,
  frame: TestFrame
): void {
  const text = String(frame.frame)
  const context = fixtureContext(name, table.requestType, fixture)
  const transcoder = createTranscoder()
  const records = recordsOf(transcodeFrames(context, [frame], transcoder), table.requestType)
  const leaves = leavesOf(text)
  const spots = digitSpots(table, text, leaves)
  // An event of a symbol that is not subscribed leaves no record: which is whose could only be guessed.
  if (spots.some(spot => spot.record >= records.length)) return
  const touched = [...new Set(spots.map(spot => spot.leaf))]
  fc.assert(
    fc.property(
      fc.array(digits, { minLength: touched.length, maxLength: touched.length, size: 'max' }),
      items => {
        const tokens = new Map<Leaf, string>()
        touched.forEach((leaf, index) => {
          const { whole, fraction, exponent } = items[index] ?? { whole: '1', fraction: null, exponent: null }
          const sign = text[leaf.start] === '-' ? '-' : ''
          const tail = leaf.kind === 'number' ? (exponent ?? '') : ''
          tokens.set(leaf, `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${tail}`)
        })
        const changed = { ...frame, frame: replaced(text, tokens) }
        const found = recordsOf(transcodeFrames(context, [changed], transcoder), table.requestType)
        const expected = expectedOf(records, spots, tokens, table.newestFirst === true)
        assert.deepEqual(plain(found), plain(expected), changed.frame)
      }
    ),
    { seed: 17, numRuns: 20 }
  )
}

for (const [name, adapter] of Object.entries(adapters) as [keyof typeof adapters, ExchangeAdapter][]) {
  const fixture = fixtures[name]

  test(`${name}: any split of the same frames into batches gives the same records and outcomes`, () => {
    for (const requestType of requestTypes) {
      const frames = fixture.frames.filter(frame => frame.requestType === requestType).map(asTestFrame)
      const context = fixtureContext(name, requestType, fixture)
      const transcoder = createTranscoder()
      const whole = factsOf(new RecordBatch(transcoder.transcode(batchOf(frames), context)))
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: frames.length }), sizes => {
          const facts: unknown[] = []
          for (let from = 0, n = 0; from < frames.length; n++) {
            const to = from + (sizes[n] ?? frames.length)
            const batch = transcoder.transcode(batchOf(frames.slice(from, to), from + 1), context)
            facts.push(...factsOf(new RecordBatch(batch)))
            from = to
          }
          assert.deepEqual(facts, whole)
        }),
        { seed: 5, numRuns: 15 }
      )
    }
  })

  test(`${name}: whatever the digits of a decimal, the record has exactly those`, () => {
    const native = fixture.instruments[0]?.native ?? ''
    const tables = adapter.frames.filter((table): table is RecordTable => table.requestType !== null)
    for (const table of tables) {
      const kind = table.source === 'snapshot' ? FrameKind.snapshot : FrameKind.stream
      const text = sampleFrame(table, native, Number(fixture.channelIds?.[native] ?? 1))
      const spots = digitSpots(table, text, leavesOf(text))
      const seen = new Set(spots.map(spot => ('field' in spot ? spot.field : spot.side)))
      // Of sides that share a list, the made-up frame has a level of the last alone.
      const sides = table.requestType === 'orderbook' ? [table.fields.bids, table.fields.asks] : []
      const shared = sides[0]?.path === sides[1]?.path ? ['bids'] : []
      const wanted = decimalFieldsOf(table).filter(field => !shared.includes(field))
      assert.deepEqual(
        wanted.filter(field => !seen.has(field)),
        [],
        `${table.name}: ${text}`
      )
      checkDigits(name, fixture, table, { frame: text, kind, subscription: 0 })
    }
    for (const frame of fixture.frames) {
      // A list around the frames of a venue holds several events, each with a table of its own.
      if (frame.outcome !== 'transcoded' || (adapter.listFrames === true && frame.frame.startsWith('[')))
        continue
      const table = tables.find(
        item =>
          item.requestType === frame.requestType &&
          (item.source === 'snapshot') === (frame.isSnapshot === true) &&
          matches(item, frame.frame)
      )
      assert.ok(table, frame.name)
      checkDigits(name, fixture, table, asTestFrame(frame))
    }
  })

  test(`${name}: decoding a recording knows every kind but those said to be unknown`, () => {
    const decoder = new FrameDecoder(name, { explain: true })
    for (const frame of fixture.frames) {
      if (frame.isSnapshot === true || frame.frame.includes('\n')) continue
      const lines = decoder.decode(encoder.encode(frame.frame))
      const explanation = JSON.parse(lines.at(-1) ?? '{}') as FrameExplanation
      assert.equal(explanation.kind === 'unknown', frame.reason === 'unknown', frame.name)
    }
  })
}
