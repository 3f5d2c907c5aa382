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
import { badInputCases } from '../fixtures/exchange-fixture.ts'
import { fixtures } from '../fixtures/registry.ts'
import { asTestFrame, fixtureContext, recordsOf, transcodeFrames, valueOf } from '../support/codec.ts'
import { isNeeded } from '../support/table-paths.ts'

const encoder = new TextEncoder()

/** The event's own content, without what every record of a connection carries, as plain objects. */
function contentOf(record: object): unknown {
  const transport = ['received_ts', 'connection_id', 'frame_seq', 'frame_index']
  return JSON.parse(
    JSON.stringify(record, (key, value: unknown) => (transport.includes(key) ? undefined : value))
  )
}

/** The JSON text without each of its members and elements in turn; behind an element that is gone nothing is left. */
function withoutEach(text: string): { readonly path: readonly string[]; readonly frame: string }[] {
  const root = JSON.parse(text) as unknown
  const variants: { readonly path: readonly string[]; readonly frame: string }[] = []
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, child] of Object.entries(value)) {
      walk(child, [...path, key])
      const copy = structuredClone(root) as Record<string, unknown>
      let parent: unknown = copy
      for (const step of path) parent = (parent as Record<string, unknown>)[step]
      if (Array.isArray(parent)) {
        // Without its first element a list would be an empty one, which is a frame of its own right.
        if (key === '0') parent[0] = null
        else parent.length = Number(key)
      } else {
        const members = parent as Record<string, unknown>
        members[`renamed_${key}`] = child
        delete members[key]
      }
      variants.push({ path: [...path, key], frame: JSON.stringify(copy) })
    }
  }
  walk(root, [])
  return variants
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

      // A heartbeat that says nothing else is never parsed; it need not be JSON.
      const isParsed = frame.reason !== 'malformed json' && frame.peek.frameClass !== 'alive'
      if (isParsed && frame.isSnapshot !== true) {
        assert.deepEqual(adapter.control(parseJson(bytes, 2, bytes.length)), frame.control ?? [])
      }

      const context = fixtureContext(name, frame.requestType, fixture)
      const batch = transcodeFrames(context, [asTestFrame(frame)])
      assert.equal(batch.outcome(0), FrameOutcome[frame.outcome])
      assert.equal(batch.reason(0), frame.reason ?? 'none')
      assert.equal(batch.recordsOf(0), frame.events.length)
      assert.deepEqual(recordsOf(batch, frame.requestType).map(contentOf), frame.events)
    })
  }

  test(`${name}: the peeked symbol leads to the subscription of the record`, () => {
    const table = new SymbolTable()
    fixture.instruments.forEach((instrument, index) => {
      // Where the venue numbers its channels, the number is what a frame names.
      const channelId = fixture.channelIds?.[instrument.native]
      table.add(channelId ?? instrument.native, index)
      table.add(channelId ?? adapter.instruments.streamNameOf(instrument.native), index)
    })
    for (const frame of fixture.frames.filter(item => item.outcome === 'transcoded')) {
      if (frame.peek.symbol === undefined) continue
      const bytes = encoder.encode(frame.peek.symbol)
      const subscription = table.find(bytes, 0, bytes.length, -1)
      const batch = transcodeFrames(fixtureContext(name, frame.requestType, fixture), [frame.frame])
      assert.equal(batch.subscription(0), subscription)
      assert.equal(batch.frameSubscription(0), subscription)
    }
  })

  test(`${name}: every record is byte for byte what avsc writes`, () => {
    for (const frame of fixture.frames) {
      const context = fixtureContext(name, frame.requestType, fixture)
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
      const context = fixtureContext(name, frame.requestType, fixture)
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
      if ('ignore' in table) continue
      const kind = table.source === 'snapshot' ? FrameKind.snapshot : FrameKind.stream
      const requestType = table.requestType ?? 'orderbook'
      const context = fixtureContext(name, requestType, fixture)
      const whole = sampleFrame(table, native, Number(fixture.channelIds?.[native] ?? 1))
      const transcode = (frame: string) => transcodeFrames(context, [{ frame, kind, subscription: 0 }])
      const makesSomething = (frame: string) => {
        const batch = transcode(frame)
        return batch.records > 0 || batch.hasChecksum(0)
      }
      assert.ok(makesSomething(whole), `${table.name}: ${whole}`)
      for (const { path, frame } of withoutEach(whole)) {
        // An envelope or a guard that is gone makes the frame one of another kind; it must never make a record with nulls.
        if (isNeeded(table, path))
          assert.ok(!makesSomething(frame), `${table.name} without ${path.join('.')}`)
        assert.notEqual(transcode(frame).reason(0), 'codec failed')
      }
    }
  })

  test(`${name}: every kind of bad input has its answer`, () => {
    const missing = badInputCases.filter(item => !fixture.frames.some(frame => frame.case === item))
    assert.deepEqual(missing, [])
  })

  test(`${name}: a conversation confirms, refuses and feeds every instrument`, () => {
    const { acks, strayAck, refusal, data } = fixture.conversation
    const eventsOf = (frame: string) =>
      adapter.control(parseJson(encoder.encode(frame), 0, encoder.encode(frame).length))
    const typesOf = (frame: string) => eventsOf(frame).map(event => event.type)
    const confirmed = acks.flatMap(eventsOf).flatMap(event => (event.type === 'confirmed' ? [event] : []))
    assert.equal(confirmed.length > 0, adapter.subscriptions.confirmedBy === 'ack')
    assert.ok(confirmed.every(event => event.id !== null || event.natives.length > 0))
    const numbered = confirmed.filter(event => event.channelId !== null).map(event => event.channelId)
    assert.deepEqual(numbered, Object.values(fixture.channelIds ?? {}))
    if (strayAck !== null) assert.ok(typesOf(strayAck).includes('confirmed'))
    if (refusal !== null) assert.ok(typesOf(refusal).some(type => type.startsWith('rejected')))
    const batch = transcodeFrames(fixtureContext(name, 'trade', fixture), data)
    fixture.instruments.forEach((_, index) => {
      assert.equal(batch.outcome(index), FrameOutcome.transcoded)
      assert.equal(batch.frameSubscription(index), index)
    })
    assert.equal(batch.frames, fixture.instruments.length)
  })

  test(`${name}: a projection carries every field of its closed list`, () => {
    for (const requestType of requestTypes) {
      for (const frame of fixture.frames) {
        if (frame.requestType !== requestType || frame.outcome !== 'transcoded') continue
        const names = adapter.frames.flatMap(table =>
          table.requestType === requestType ? Object.keys(table.raw ?? {}) : []
        )
        const context = fixtureContext(name, requestType, fixture, { projection: [...new Set(names)] })
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

  test(`${name}: the listing is read, halted markets too, and what is gone or odd is left out`, () => {
    const { listing } = adapter.instruments
    if (listing === null) return assert.deepEqual(fixture.listing.instruments, [])
    const bytes = encoder.encode(fixture.listing.body)
    assert.deepEqual(listing.parse(parseJson(bytes, 0, bytes.length)), fixture.listing.instruments)
    for (const body of [[], {}, null, 'down for maintenance', [null], [[null]]] as const) {
      assert.deepEqual(listing.parse(body), [])
    }
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
