import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BackPressure,
  type BackPressureEvent,
  type PressureReading
} from '../../../../actors/producer/back-pressure.ts'

const calm = { unsettledBytes: 0, bufferedBytes: 0, heldUp: 0, paused: 0, shed: 0 }

/** Looks once a second at each of the readings, given as what is not calm about them. */
function eventsOf(...readings: readonly Partial<PressureReading>[]): BackPressureEvent[] {
  const events: BackPressureEvent[] = []
  const pressure = new BackPressure('pod', { creditBytes: 1000, bufferBytes: 2000 }, event =>
    events.push(event)
  )
  readings.forEach((reading, second) => {
    pressure.look({ ...calm, ...reading, nowMicros: second * 1_000_000 })
  })
  return events
}

test('an episode begins at the high watermark and ends at the low one, with one event each', () => {
  const used = [0, 740, 750, 990, 600, 501, 500, 740, 0]
  const events = eventsOf(
    ...used.map(unsettledBytes => ({ unsettledBytes, bufferedBytes: unsettledBytes / 2 }))
  )
  const common = { producer: 'pod', paused: 0, shed: 0 }
  assert.deepEqual(events, [
    { ...common, event: 'start', buffer_bytes: 375, credits: 250, ts: 2000 },
    { ...common, event: 'end', buffer_bytes: 250, credits: 500, ts: 6000 }
  ])
})

test('the memory of encoded records has watermarks of its own', () => {
  const used = [1000, 1499, 1500, 1200, 1001, 1000, 1499]
  const events = eventsOf(...used.map(bufferedBytes => ({ bufferedBytes })))
  assert.deepEqual(
    events.map(({ event, buffer_bytes, credits }) => [event, buffer_bytes, credits]),
    [
      ['start', 1500, 1000],
      ['end', 1000, 1000]
    ]
  )
})

test('frames that had to wait undecoded are an episode, however short it was', () => {
  const events = eventsOf({}, { heldUp: 3 }, { heldUp: 4 }, { heldUp: 4 })
  assert.deepEqual(
    events.map(({ event, ts }) => [event, ts]),
    [
      ['start', 1000],
      ['end', 3000]
    ]
  )
})

test('a paused connection is an episode whatever the others leave', () => {
  const events = eventsOf({}, { paused: 2 }, { paused: 1 }, {})
  assert.deepEqual(
    events.map(({ event, paused }) => [event, paused]),
    [
      ['start', 2],
      ['end', 0]
    ]
  )
})

test('an episode counts the frames that were shed in it alone, and lasts while frames are shed', () => {
  const events = eventsOf({ shed: 5 }, { shed: 7 }, { shed: 9 }, { shed: 9 }, { shed: 12 }, { shed: 12 })
  assert.deepEqual(
    events.map(({ event, shed, ts }) => [event, shed, ts]),
    [
      ['start', 2, 1000],
      ['end', 4, 3000],
      ['start', 3, 4000],
      ['end', 3, 5000]
    ]
  )
})

test('an episode that lasts is told again every ten seconds', () => {
  const events = eventsOf(...Array.from({ length: 25 }, () => ({ unsettledBytes: 2000 })), {})
  assert.deepEqual(
    events.map(({ event, credits, ts }) => [event, credits, ts]),
    [
      ['start', 0, 0],
      ['periodic', 0, 10_000],
      ['periodic', 0, 20_000],
      ['end', 1000, 25_000]
    ]
  )
})
