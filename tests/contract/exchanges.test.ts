import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordTypes, withHeader } from '../../src/codec/avro-types.ts'
import { createTranscoder } from '../../src/codec/transcode.ts'
import { exchangeRegions, requestTypes } from '../../src/domain/target.ts'
import { type ExchangeAdapter, FrameClass, type Peeked } from '../../src/exchange-kit/adapter.ts'
import { parseJson } from '../../src/exchange-kit/json.ts'
import { sampleFrame } from '../../src/exchange-kit/sample-frame.ts'
import { SymbolTable } from '../../src/exchange-kit/symbol-table.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { FrameKind } from '../../src/wire/frame-batch.ts'
import { FrameOutcome } from '../../src/wire/record-batch.ts'
import { type FrameFixture } from '../fixtures/exchange-fixture.ts'
import { fixtures } from '../fixtures/registry.ts'
import { contextOf, recordsOf, type TestFrame, transcodeFrames, valueOf } from '../support/codec.ts'

const encoder = new TextEncoder()

function asTestFrame(fixture: FrameFixture): TestFrame {
  return fixture.isSnapshot === true
    ? { frame: fixture.frame, kind: FrameKind.snapshot, subscription: 0 }
    : { frame: fixture.frame }
}

/** The event's own content, without what every record of a connection carries, as plain objects. */
function contentOf(record: object): unknown {
  const transport = ['received_ts', 'connection_id', 'frame_seq', 'frame_index']
  return JSON.parse(
    JSON.stringify(record, (key, value: unknown) => (transport.includes(key) ? undefined : value))
  )
}

for (const [name, adapter] of Object.entries(adapters) as [keyof typeof adapters, ExchangeAdapter][]) {
  const fixture = fixtures[name]

  for (const frame of fixture.frames) {
    test(`${name}: ${frame.name}`, () => {
      const bytes = encoder.encode(`..${frame.frame}`)
      const found: Peeked = { frameClass: FrameClass.unclear, symbolStart: 9, symbolEnd: 9 }
      adapter.peek(bytes, 2, bytes.length, found)
      assert.equal(found.frameClass, FrameClass[frame.peek.frameClass])
      const symbol = new TextDecoder().decode(bytes.subarray(found.symbolStart, found.symbolEnd))
      assert.equal(symbol, frame.peek.symbol ?? '')

      if (frame.reason !== 'malformed json' && frame.isSnapshot !== true) {
        assert.deepEqual(adapter.control(parseJson(bytes, 2, bytes.length)), frame.control ?? [])
      }

      const context = contextOf(name, frame.requestType, fixture.instruments)
      const batch = transcodeFrames(context, [asTestFrame(frame)])
      assert.equal(batch.outcome(0), FrameOutcome[frame.outcome])
      assert.equal(batch.reason(0), frame.reason ?? 'none')
      assert.equal(batch.recordsOf(0), frame.events.length)
      assert.deepEqual(recordsOf(batch, frame.requestType).map(contentOf), frame.events)
    })
  }

  test(`${name}: the peeked symbol leads to the subscription of the record`, () => {
    for (const frame of fixture.frames.filter(item => item.outcome === 'transcoded')) {
      if (frame.peek.symbol === undefined) continue
      const table = new SymbolTable()
      fixture.instruments.forEach((instrument, index) => {
        table.add(instrument.native, index)
        table.add(adapter.instruments.streamNameOf(instrument.native), index)
      })
      const bytes = encoder.encode(frame.peek.symbol)
      const subscription = table.find(bytes, 0, bytes.length, -1)
      const batch = transcodeFrames(contextOf(name, frame.requestType, fixture.instruments), [frame.frame])
      assert.equal(batch.subscription(0), subscription)
      assert.equal(batch.frameSubscription(0), subscription)
    }
  })

  test(`${name}: every record is byte for byte what avsc writes`, () => {
    for (const frame of fixture.frames) {
      const context = contextOf(name, frame.requestType, fixture.instruments)
      const batch = transcodeFrames(context, [asTestFrame(frame)])
      recordsOf(batch, frame.requestType).forEach((record, row) => {
        const expected = withHeader(
          context.encoding.schemaId,
          recordTypes[frame.requestType].toBuffer(record)
        )
        assert.deepEqual(Buffer.from(valueOf(batch, row)), expected)
      })
    }
  })

  test(`${name}: a data frame cut anywhere is dead and leaves nothing behind`, () => {
    const transcoder = createTranscoder()
    for (const frame of fixture.frames.filter(item => item.outcome === 'transcoded')) {
      const context = contextOf(name, frame.requestType, fixture.instruments)
      const whole = asTestFrame(frame)
      const cuts = Array.from({ length: frame.frame.length }, (_, length) => ({
        ...whole,
        frame: frame.frame.slice(0, length)
      }))
      const batch = transcodeFrames(context, [...cuts, whole], transcoder)
      for (let row = 0; row < cuts.length; row++) {
        assert.equal(batch.outcome(row), FrameOutcome.dead)
        assert.equal(batch.reason(row), 'malformed json')
      }
      assert.equal(batch.outcome(cuts.length), FrameOutcome.transcoded)
      assert.equal(batch.records, frame.events.length)
    }
  })

  test(`${name}: every field a table needs is missed when it is gone`, () => {
    const native = fixture.instruments[0]?.native ?? ''
    for (const table of adapter.frames) {
      if (table.requestType === null) continue
      const kind = table.source === 'snapshot' ? FrameKind.snapshot : FrameKind.stream
      const context = contextOf(name, table.requestType, fixture.instruments)
      const text = sampleFrame(table, native)
      const whole = transcodeFrames(context, [{ frame: text, kind, subscription: 0 }])
      assert.equal(whole.records, 1, `${table.name}: ${text}`)
      const keys = [...text.matchAll(/"([A-Za-z_0-9]+)":/g)].map(match => match[1] ?? '')
      for (const key of keys) {
        const frame = text.replace(`"${key}":`, '"renamed_by_the_venue":')
        const without = transcodeFrames(context, [{ frame, kind, subscription: 0 }])
        // An envelope or a guard that is gone makes the frame one of another kind; it must never make a record with nulls.
        assert.equal(without.records, 0, `${table.name} without ${key}`)
      }
    }
  })

  test(`${name}: a projection carries every field of its closed list`, () => {
    for (const requestType of requestTypes) {
      for (const frame of fixture.frames) {
        if (frame.requestType !== requestType || frame.outcome !== 'transcoded') continue
        const names = adapter.frames.flatMap(table =>
          table.requestType === requestType ? Object.keys(table.raw ?? {}) : []
        )
        const context = contextOf(name, requestType, fixture.instruments, { projection: [...new Set(names)] })
        const batch = transcodeFrames(context, [asTestFrame(frame)])
        recordsOf(batch, requestType).forEach((record, row) => {
          const expected = withHeader(context.encoding.schemaId, recordTypes[requestType].toBuffer(record))
          assert.deepEqual(Buffer.from(valueOf(batch, row)), expected)
          for (const value of Object.values(record.extras ?? {})) {
            assert.ok(frame.frame.includes(value), `${value} is not in the frame`)
          }
        })
      }
    }
  })

  for (const subscription of fixture.subscriptions) {
    test(`${name}: ${subscription.name}`, () => {
      let id = 0
      const requests = adapter.subscriptions.requests({
        requestType: subscription.requestType,
        desired: subscription.desired,
        added: subscription.added,
        removed: subscription.removed,
        channelIdOf: native => fixture.channelIds?.[native] ?? null,
        nextId: () => ++id
      })
      const parsed = requests.map(request => ({ ...request, frame: JSON.parse(request.frame) as unknown }))
      assert.deepEqual(parsed, subscription.requests)
    })
  }

  test(`${name}: the listing is read, and what is not tradable or odd is left out`, () => {
    const bytes = encoder.encode(fixture.listing.body)
    const instruments = adapter.instruments.listing?.parse(parseJson(bytes, 0, bytes.length))
    assert.deepEqual(instruments, fixture.listing.instruments)
    assert.deepEqual(adapter.instruments.listing?.parse([]), [])
    assert.deepEqual(adapter.instruments.listing?.parse('down for maintenance'), [])
  })

  test(`${name}: symbols by rule`, () => {
    for (const { native, canonical } of fixture.symbols) {
      assert.equal(adapter.instruments.canonicalOf(native), canonical)
      if (canonical !== null) assert.equal(adapter.instruments.nativeOf(canonical), native)
    }
  })

  test(`${name}: the adapter is complete and lives where the exchange does`, () => {
    assert.equal(adapter.name, name)
    assert.equal(adapter.region, exchangeRegions[name])
    const names = adapter.frames.map(table => table.name)
    assert.equal(new Set(names).size, names.length)
    for (const requestType of requestTypes) {
      const url = new URL(adapter.endpoints.websocket[requestType])
      assert.equal(url.protocol, 'wss:')
      assert.ok(adapter.endpoints.allowedHosts.includes(url.hostname))
      assert.ok(adapter.frames.some(table => table.requestType === requestType))
      assert.ok(
        fixture.frames.some(frame => frame.requestType === requestType && frame.outcome === 'transcoded')
      )
    }
    for (const outcome of ['ignored', 'dead', 'control'] as const) {
      assert.ok(
        fixture.frames.some(frame => frame.outcome === outcome),
        `no fixture frame is ${outcome}`
      )
    }
  })
}
