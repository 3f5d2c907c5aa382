import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Supervisor } from '../../../../actors/supervisor/actor.ts'
import {
  type Child,
  type ChildSpec,
  type ExitReason,
  type RestartKind
} from '../../../../actors/supervisor/child-spec.ts'
import { IngestError } from '../../../../src/core/errors.ts'
import { createLogger } from '../../../../src/core/logger.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

const crash = new IngestError('THREAD_EXITED', 'it crashed')

/** Children without threads: they start at once, and end when a test says so. */
class Nursery {
  readonly clock = new ManualClock()
  /** `start a`, `stop a`, in the order in which it happened. */
  readonly log: string[] = []
  readonly exhausted: IngestError[] = []
  readonly supervisor: Supervisor
  /** Starts of this child that are still to fail. */
  readonly failingStarts = new Map<string, number>()
  readonly #ends = new Map<string, (reason: ExitReason) => void>()

  constructor(intensity = 3, periodMs = 1000) {
    const logger = createLogger('silent', 'test')
    const onExhausted = (error: IngestError): number => this.exhausted.push(error)
    this.supervisor = new Supervisor({ clock: this.clock, logger, intensity, periodMs, onExhausted })
  }

  spec(id: string, restart: RestartKind = 'permanent', beforeStart?: () => Promise<void>): ChildSpec {
    return {
      id,
      restart,
      shutdownMs: 500,
      start: async () => {
        this.log.push(`start ${id}`)
        await beforeStart?.()
        const failing = this.failingStarts.get(id) ?? 0
        this.failingStarts.set(id, failing - 1)
        if (failing > 0) throw new IngestError('SOCKET_FAILED', `${id} cannot start`)
        return this.#child(id)
      }
    }
  }

  /** Ends a child, and gives the supervisor the time to see it. */
  async end(id: string, reason: ExitReason): Promise<void> {
    this.#ends.get(id)?.(reason)
    await turn()
  }

  #child(id: string): Child {
    let end: (reason: ExitReason) => void = () => undefined
    const exited = new Promise<ExitReason>(resolve => {
      end = resolve
    })
    this.#ends.set(id, end)
    return {
      exited,
      stop: async deadlineMs => {
        assert.equal(deadlineMs, 500)
        this.log.push(`stop ${id}`)
        end(null)
      }
    }
  }
}

test('children stop in the reverse order of their start, and are not started again', async () => {
  const nursery = new Nursery()
  for (const id of ['a', 'b', 'c']) await nursery.supervisor.start(nursery.spec(id))
  await nursery.supervisor.stop()
  await turn()
  assert.deepEqual(nursery.log, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
})

test('a child that was restarted keeps its place in the order of stopping', async () => {
  const nursery = new Nursery()
  for (const id of ['a', 'b', 'c']) await nursery.supervisor.start(nursery.spec(id))
  await nursery.end('a', crash)
  await nursery.supervisor.stop()
  assert.deepEqual(nursery.log.slice(3), ['start a', 'stop c', 'stop b', 'stop a'])
})

test('stopping twice stops every child once', async () => {
  const nursery = new Nursery()
  await nursery.supervisor.start(nursery.spec('a'))
  await Promise.all([nursery.supervisor.stop(), nursery.supervisor.stop()])
  assert.deepEqual(nursery.log, ['start a', 'stop a'])
})

const kinds: readonly (readonly [RestartKind, ExitReason, boolean])[] = [
  ['permanent', crash, true],
  ['permanent', null, true],
  ['transient', crash, true],
  ['transient', null, false],
  ['temporary', crash, false],
  ['temporary', null, false]
]
for (const [kind, reason, isRestarted] of kinds) {
  const how = reason === null ? 'ends by itself' : 'fails'
  test(`a ${kind} child that ${how} is ${isRestarted ? 'started again' : 'let go'}, alone`, async () => {
    const nursery = new Nursery()
    await nursery.supervisor.start(nursery.spec('a', kind))
    await nursery.supervisor.start(nursery.spec('b'))
    await nursery.end('a', reason)
    assert.deepEqual(nursery.log, isRestarted ? ['start a', 'start b', 'start a'] : ['start a', 'start b'])
    assert.equal(nursery.supervisor.restarts.get('a') ?? 0, isRestarted ? 1 : 0)
  })
}

test('a child that fails more often than the intensity allows ends the service, and the error says why', async () => {
  const nursery = new Nursery(2, 1000)
  await nursery.supervisor.start(nursery.spec('a'))
  for (let n = 0; n < 3; n++) await nursery.end('a', crash)
  assert.deepEqual(nursery.log, ['start a', 'start a', 'start a'])
  const [error, ...others] = nursery.exhausted
  assert.deepEqual(others, [])
  assert.equal(error?.code, 'RESTARTS_EXHAUSTED')
  assert.equal(error.cause, crash)
  assert.match(error.message, /^a failed more than 2 times in 1 s: it crashed/)
})

test('failures further apart than the period do not add up, and each child has a window of its own', async () => {
  const nursery = new Nursery(1, 1000)
  await nursery.supervisor.start(nursery.spec('a'))
  await nursery.supervisor.start(nursery.spec('b'))
  for (let n = 0; n < 5; n++) {
    await nursery.end('a', crash)
    await nursery.end('b', crash)
    nursery.clock.advance(1000)
  }
  assert.deepEqual(nursery.exhausted, [])
  assert.equal(nursery.supervisor.restarts.get('a'), 5)
})

test('a first start that fails is told to the caller, and nothing runs', async () => {
  const nursery = new Nursery()
  nursery.failingStarts.set('a', 1)
  await assert.rejects(nursery.supervisor.start(nursery.spec('a')), /a cannot start/)
  await nursery.supervisor.stop()
  assert.deepEqual(nursery.log, ['start a'])
})

test('a restart that fails is tried again, and counts against the window', async () => {
  const nursery = new Nursery(3, 1000)
  await nursery.supervisor.start(nursery.spec('a'))
  nursery.failingStarts.set('a', 2)
  await nursery.end('a', crash)
  assert.deepEqual(nursery.log, ['start a', 'start a', 'start a', 'start a'])
  assert.equal(nursery.supervisor.restarts.get('a'), 3)
  await nursery.end('a', crash)
  assert.equal(nursery.exhausted.length, 1)
})

test('restarts that never succeed exhaust the window, with the last failure as the cause', async () => {
  const nursery = new Nursery(2, 1000)
  await nursery.supervisor.start(nursery.spec('a'))
  nursery.failingStarts.set('a', 100)
  await nursery.end('a', crash)
  assert.match(nursery.exhausted[0]?.message ?? '', /a cannot start/)
})

test('one child may be stopped alone; it is not started again, and the others run on', async () => {
  const nursery = new Nursery()
  for (const id of ['a', 'b']) await nursery.supervisor.start(nursery.spec(id))
  await nursery.supervisor.stop('a')
  await turn()
  await nursery.end('b', crash)
  assert.deepEqual(nursery.log, ['start a', 'start b', 'stop a', 'start b'])
})

test('a child that is being started again while all are stopped is stopped as well', async () => {
  const nursery = new Nursery()
  let mayStart: () => void = () => undefined
  let starts = 0
  const slowRestart = async (): Promise<void> => {
    if (++starts === 1) return
    await new Promise<void>(resolve => {
      mayStart = resolve
    })
  }
  await nursery.supervisor.start(nursery.spec('a', 'permanent', slowRestart))
  await nursery.end('a', crash)
  const stopped = nursery.supervisor.stop()
  mayStart()
  await stopped
  assert.deepEqual(nursery.log, ['start a', 'start a', 'stop a'])
})

test('a restart that never comes to an end holds up the stop no longer than the child may take to stop', async () => {
  const nursery = new Nursery()
  let starts = 0
  const hangs = async (): Promise<void> => {
    if (++starts > 1) await new Promise<void>(() => undefined)
  }
  await nursery.supervisor.start(nursery.spec('a', 'permanent', hangs))
  await nursery.end('a', crash)
  const stopped = nursery.supervisor.stop()
  await turn()
  assert.equal(nursery.clock.pendingTimers, 1)
  nursery.clock.advance(500)
  await stopped
})
