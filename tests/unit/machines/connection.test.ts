import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createActor, SimulatedClock } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import { connectionStateOf } from '../../../actors/exchange/connection-state.ts'
import { type ConnectionEvent, connectionMachine, defaultTimings } from '../../../machines/connection.ts'

function connection(random: () => number = () => 0.5, backoffFloorMs = 0) {
  const clock = new SimulatedClock()
  const done: string[] = []
  const note = (action: string) => () => {
    done.push(action)
  }
  const machine = connectionMachine.provide({
    actions: {
      requestDial: note('requestDial'),
      withdrawDial: note('withdrawDial'),
      dial: note('dial'),
      subscribe: note('subscribe'),
      reportUnconfirmed: note('reportUnconfirmed'),
      probe: note('probe'),
      close: note('close'),
      terminate: (_, { reason }) => {
        done.push(`terminate ${reason}`)
      }
    }
  })
  const actor = createActor(machine, {
    clock,
    input: { timings: { ...defaultTimings, backoffFloorMs }, random }
  })
  actor.start()
  return {
    clock,
    actor,
    send: (...types: (Exclude<ConnectionEvent['type'], 'SOCKET_LOST'> | { lostAfterMs: number })[]) => {
      for (const type of types) {
        if (typeof type === 'string') actor.send({ type })
        else actor.send({ type: 'SOCKET_LOST', dataMs: type.lostAfterMs })
      }
    },
    state: () => connectionStateOf(actor.getSnapshot().value),
    taken: () => done.splice(0),
    delayMs: () => actor.getSnapshot().context.delayMs
  }
}

function live(random?: () => number, backoffFloorMs?: number) {
  const made = connection(random, backoffFloorMs)
  made.send('START', 'DIAL', 'SOCKET_OPENED', 'SUBSCRIBED')
  made.taken()
  return made
}

test('a connection asks before it dials, subscribes when the socket is open, and is live when all is confirmed', () => {
  const { send, state, taken } = connection()
  assert.equal(state(), 'idle')
  send('START')
  assert.equal(state(), 'connecting')
  assert.deepEqual(taken(), ['requestDial'])
  send('DIAL')
  assert.equal(state(), 'connecting')
  assert.deepEqual(taken(), ['dial'])
  send('SOCKET_OPENED')
  assert.equal(state(), 'subscribing')
  assert.deepEqual(taken(), ['subscribe'])
  send('SUBSCRIBED')
  assert.equal(state(), 'live')
})

test('a handshake that does not end is terminated after 10 s', () => {
  const { clock, send, state, taken } = connection()
  send('START', 'DIAL')
  taken()
  clock.increment(9_999)
  assert.deepEqual(taken(), [])
  clock.increment(1)
  assert.deepEqual(taken(), ['terminate handshake'])
  send({ lostAfterMs: 0 })
  assert.equal(state(), 'backoff')
})

test('what is not confirmed after 10 s is reported and the rest goes on', () => {
  const { clock, send, state, taken } = connection()
  send('START', 'DIAL', 'SOCKET_OPENED')
  taken()
  clock.increment(10_000)
  assert.equal(state(), 'live')
  assert.deepEqual(taken(), ['reportUnconfirmed'])
})

test('waiting in the queue of the gate is no handshake: it does not time out', () => {
  const { clock, send, state, taken } = connection()
  send('START')
  taken()
  clock.increment(600_000)
  assert.equal(state(), 'connecting')
  assert.deepEqual(taken(), [])
})

test('a silent socket is probed, and lives on when something comes', () => {
  const { clock, send, state, taken } = live()
  send('SILENT')
  assert.equal(state(), 'stale')
  assert.deepEqual(taken(), ['probe'])
  send('ALIVE')
  assert.equal(state(), 'live')
  clock.increment(60_000)
  assert.deepEqual(taken(), [])
})

test('a silent socket that answers no probe is terminated and dialled again', () => {
  const { clock, send, state, taken } = live()
  send('SILENT')
  clock.increment(5_000)
  assert.deepEqual(taken(), ['probe', 'terminate stale'])
  send({ lostAfterMs: 0 })
  assert.equal(state(), 'backoff')
  clock.increment(500)
  assert.equal(state(), 'connecting')
  assert.deepEqual(taken(), ['requestDial'])
})

test('an open circuit holds the connection until it is let through', () => {
  const { clock, send, state, taken } = connection()
  send('START', 'CIRCUIT_OPEN')
  assert.equal(state(), 'open')
  clock.increment(3_600_000)
  assert.equal(state(), 'open')
  taken()
  send('DIAL')
  assert.equal(state(), 'connecting')
  assert.deepEqual(taken(), ['dial'])
})

test('sessions that end before data meet growing delays', () => {
  const { clock, send, delayMs } = connection(() => 0.999)
  const delays: number[] = []
  send('START')
  for (let n = 0; n < 9; n++) {
    send('DIAL', 'SOCKET_OPENED', 'SUBSCRIBED', { lostAfterMs: 0 })
    delays.push(Math.round(delayMs() / 999))
    clock.increment(60_000)
  }
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60])
})

test('the first retry comes within 250 ms only after 60 s of data', () => {
  for (const [dataMs, boundMs] of [
    [59_999, 1_000],
    [60_000, 250]
  ] as const) {
    const { send, delayMs } = live(() => 0.999)
    send({ lostAfterMs: dataMs })
    assert.equal(Math.ceil(delayMs() / boundMs), 1)
    assert.ok(delayMs() > boundMs * 0.99)
  }
})

test('failures are forgotten after 30 s of data, not when the socket opens', () => {
  const { clock, send, delayMs } = connection(() => 0.999)
  send('START')
  const session = (dataMs: number): number => {
    send('DIAL', 'SOCKET_OPENED', 'SUBSCRIBED', { lostAfterMs: dataMs })
    const bound = Math.ceil(delayMs() / 1_000)
    clock.increment(60_000)
    return bound
  }
  assert.deepEqual([session(0), session(0), session(0)], [1, 2, 4])
  assert.equal(session(20_000), 4)
  assert.equal(session(10_000), 1)
})

test("no delay is shorter than the venue's floor", () => {
  const { send, delayMs } = live(() => 0, 5_000)
  send({ lostAfterMs: 120_000 })
  assert.equal(delayMs(), 5_000)
})

test('stopping closes the socket, gives the closing handshake 2 s and then terminates it', () => {
  const { clock, send, state, taken } = live()
  send('STOP')
  assert.equal(state(), 'stopping')
  assert.deepEqual(taken(), ['close'])
  clock.increment(2_000)
  assert.deepEqual(taken(), ['terminate stopping'])
  send({ lostAfterMs: 0 })
  assert.equal(state(), 'stopped')
})

test('a connection can be stopped in every state and never dials afterwards', () => {
  const ways: Record<string, Parameters<ReturnType<typeof connection>['send']>> = {
    idle: [],
    queued: ['START'],
    dialling: ['START', 'DIAL'],
    subscribing: ['START', 'DIAL', 'SOCKET_OPENED'],
    live: ['START', 'DIAL', 'SOCKET_OPENED', 'SUBSCRIBED'],
    stale: ['START', 'DIAL', 'SOCKET_OPENED', 'SUBSCRIBED', 'SILENT'],
    backoff: ['START', 'DIAL', { lostAfterMs: 0 }],
    open: ['START', 'CIRCUIT_OPEN']
  }
  for (const [name, way] of Object.entries(ways)) {
    const { actor, clock, send, state, taken } = connection()
    send(...way)
    taken()
    send('STOP')
    if (state() === 'stopping') send({ lostAfterMs: 0 })
    assert.equal(state(), 'stopped', name)
    assert.equal(actor.getSnapshot().status, 'done', name)
    clock.increment(600_000)
    assert.ok(!taken().includes('dial'), name)
  }
})

test('who waits at the gate takes itself off the list when stopped', () => {
  for (const way of [['START'], ['START', 'CIRCUIT_OPEN']] as const) {
    const { send, taken } = connection()
    send(...way)
    taken()
    send('STOP')
    assert.deepEqual(taken(), ['withdrawDial'])
  }
})

test('every state of the design can be reached by events and timers alone', () => {
  const events = [
    'START',
    'DIAL',
    'CIRCUIT_OPEN',
    'SOCKET_OPENED',
    'SUBSCRIBED',
    'SILENT',
    'ALIVE',
    'STOP'
  ] as const
  const paths = getShortestPaths(connectionMachine, {
    input: { timings: { ...defaultTimings, backoffFloorMs: 0 }, random: () => 0.5 },
    events: [...events.map(type => ({ type })), { type: 'SOCKET_LOST', dataMs: 0 } as const],
    serializeState: state => JSON.stringify(state.value),
    limit: 1_000
  })
  const reached = new Set(paths.map(path => connectionStateOf(path.state.value)))
  assert.deepEqual(
    [...reached].sort(),
    ['backoff', 'connecting', 'idle', 'live', 'open', 'stale', 'stopped', 'stopping', 'subscribing'].sort()
  )
})
