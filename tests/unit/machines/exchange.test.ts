import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createActor, SimulatedClock } from 'xstate'
import { defaultBreakerPolicy, exchangeMachine } from '../../../machines/exchange.ts'

interface Venue {
  readonly connects?: { readonly count: number; readonly windowMs: number }
  readonly random?: () => number
}

function gate({ connects = { count: 1_000, windowMs: 1_000 }, random = () => 0.5 }: Venue = {}) {
  const clock = new SimulatedClock()
  const permitted: number[] = []
  const denied: number[] = []
  const actor = createActor(exchangeMachine, {
    clock,
    input: { policy: defaultBreakerPolicy, connects, penaltyMs: 60_000, random, nowMs: () => clock.now() }
  })
  actor.on('PERMITTED', ({ key }) => permitted.push(key))
  actor.on('DENIED', ({ key }) => denied.push(key))
  actor.start()
  return {
    clock,
    request: (...keys: number[]) => {
      for (const key of keys) actor.send({ type: 'REQUEST', key })
    },
    fail: (key: number, status: number | null = null, retryAfterMs: number | null = null) =>
      actor.send({ type: 'FAILED', key, status, retryAfterMs }),
    prove: (key: number) => actor.send({ type: 'PROVED', key }),
    withdraw: (key: number) => actor.send({ type: 'WITHDRAW', key }),
    state: () => actor.getSnapshot().value,
    openMs: () => actor.getSnapshot().context.openMs,
    permitted: () => permitted.splice(0),
    denied: () => denied.splice(0)
  }
}

/** Fails five dials in a row. */
function opened(venue?: Venue) {
  const made = gate(venue)
  for (let key = 1; key <= 5; key++) {
    made.request(key)
    made.fail(key)
  }
  made.permitted()
  return made
}

test('at most four fifths of the published connects are made, the rest follows when its time has come', () => {
  const { clock, request, prove, permitted } = gate({ connects: { count: 5, windowMs: 1_000 } })
  request(1, 2, 3, 4, 5, 6, 7, 8)
  assert.deepEqual(permitted(), [1, 2, 3, 4])
  for (const key of [1, 2, 3, 4]) prove(key)
  clock.increment(999)
  assert.deepEqual(permitted(), [])
  clock.increment(1)
  assert.deepEqual(permitted(), [5, 6, 7, 8])
})

test('while nothing is proven at most five dials are under way', () => {
  const { request, prove, permitted } = gate()
  request(1, 2, 3, 4, 5, 6, 7)
  assert.deepEqual(permitted(), [1, 2, 3, 4, 5])
  prove(3)
  assert.deepEqual(permitted(), [6])
})

test('a dial that neither fails nor proves itself holds others up for a while only', () => {
  const { clock, request, permitted } = gate()
  request(1, 2, 3, 4, 5, 6)
  permitted()
  clock.increment(defaultBreakerPolicy.patienceMs)
  assert.deepEqual(permitted(), [6])
})

test('five failures in a row open the circuit, and who asks then is denied', () => {
  const { request, fail, state, permitted, denied } = gate()
  for (let key = 1; key <= 4; key++) {
    request(key)
    fail(key)
  }
  assert.equal(state(), 'closed')
  request(5)
  fail(5)
  assert.equal(state(), 'open')
  permitted()
  request(6)
  assert.deepEqual(permitted(), [])
  assert.deepEqual(denied(), [6])
})

test('a success in between starts the row anew, but half of ten attempts failing opens the circuit all the same', () => {
  const { request, fail, prove, state } = gate()
  for (let round = 0; round < 4; round++) {
    request(1)
    fail(1)
    request(2)
    prove(2)
  }
  assert.equal(state(), 'closed')
  request(1)
  fail(1)
  assert.equal(state(), 'closed')
  request(1)
  fail(1)
  assert.equal(state(), 'open')
})

test('failures older than a minute no longer count towards the share', () => {
  const { clock, request, fail, prove, state } = gate()
  for (let round = 0; round < 4; round++) {
    request(1)
    fail(1)
    request(2)
    prove(2)
  }
  clock.increment(60_001)
  request(1)
  fail(1)
  request(1)
  fail(1)
  assert.equal(state(), 'closed')
})

for (const status of [418, 429, 403, 451]) {
  test(`HTTP ${status} opens the circuit at once, for at least the penalty`, () => {
    const { request, fail, state, openMs } = gate({ random: () => 0 })
    request(1)
    fail(1, status)
    assert.equal(state(), 'open')
    assert.ok(openMs() >= 60_000)
  })
}

test('the time that the server states is a floor: jitter only adds to it', () => {
  for (const draw of [0, 0.5, 0.999]) {
    const { request, fail, openMs } = gate({ random: () => draw })
    request(1)
    fail(1, 429, 120_000)
    assert.ok(openMs() >= 120_000 && openMs() <= 150_000)
  }
})

test('another HTTP status is one failure like any other', () => {
  const { request, fail, state } = gate()
  request(1)
  fail(1, 503)
  assert.equal(state(), 'closed')
})

test('half-open lets one probe through, and only its data close the circuit', () => {
  const { clock, request, prove, state, permitted } = opened()
  request(6, 7, 8)
  clock.increment(15_000)
  assert.equal(state(), 'halfOpen')
  assert.deepEqual(permitted(), [6])
  prove(99)
  assert.equal(state(), 'halfOpen')
  prove(6)
  assert.equal(state(), 'closed')
  assert.deepEqual(permitted(), [7, 8])
})

test('a probe that fails opens the circuit for twice as long, up to five minutes', () => {
  const { clock, request, fail, state, openMs } = opened()
  const times: number[] = [openMs()]
  for (let key = 6; key <= 12; key++) {
    request(key)
    clock.increment(openMs())
    assert.equal(state(), 'halfOpen')
    fail(key)
    assert.equal(state(), 'open')
    times.push(openMs())
  }
  assert.deepEqual(times, [15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000])
})

test('the time is jittered by a quarter to both sides', () => {
  assert.equal(opened({ random: () => 0 }).openMs(), 11_250)
  assert.equal(opened({ random: () => 1 }).openMs(), 18_750)
})

test('a probe on a quiet channel makes room for another one after a while', () => {
  const { clock, request, permitted, prove, state } = opened()
  request(6, 7)
  clock.increment(15_000)
  assert.deepEqual(permitted(), [6])
  clock.increment(defaultBreakerPolicy.patienceMs)
  assert.deepEqual(permitted(), [7])
  prove(6)
  assert.equal(state(), 'closed')
})

test('a probe that is stopped makes room for the next', () => {
  const { clock, request, withdraw, permitted } = opened()
  request(6, 7)
  clock.increment(15_000)
  permitted()
  withdraw(6)
  assert.deepEqual(permitted(), [7])
})

test('who withdraws is not called', () => {
  const { clock, request, withdraw, permitted } = opened()
  request(6)
  withdraw(6)
  clock.increment(15_000)
  assert.deepEqual(permitted(), [])
  request(7)
  assert.deepEqual(permitted(), [7])
})

test('dials that were under way when the circuit opened do not lengthen it, unless the venue says so', () => {
  const { request, fail, state, openMs } = gate()
  request(1, 2, 3, 4, 5)
  for (let key = 1; key <= 5; key++) fail(key)
  assert.equal(openMs(), 15_000)
  fail(1)
  assert.equal(openMs(), 15_000)
  fail(2, 429, 90_000)
  assert.equal(state(), 'open')
  assert.ok(openMs() >= 90_000)
})

for (const connections of [1, 6, 100]) {
  test(`a host that accepts and closes for 60 s is met by at most 10 connects of ${connections} connections`, () => {
    for (const draw of [0, 0.3, 0.999]) {
      const { clock, request, fail, permitted } = gate({ random: () => draw })
      let connects = 0
      for (let key = 1; key <= connections; key++) request(key)
      for (let ms = 0; ms < 60_000; ms += 10) {
        for (const key of permitted()) {
          connects++
          fail(key)
          // The worst client: it asks again without any backoff of its own.
          request(key)
        }
        clock.increment(10)
      }
      assert.ok(connects >= 6 && connects <= 10, `${connects} connects`)
    }
  })
}
