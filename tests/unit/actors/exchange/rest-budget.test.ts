import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { fetchListing } from '../../../../actors/exchange/instruments.ts'
import { type Link } from '../../../../actors/exchange/link.ts'
import { type RestAnswer, type RestRequest } from '../../../../actors/exchange/rest.ts'
import { RestBudget } from '../../../../actors/exchange/rest-budget.ts'
import { Snapshots } from '../../../../actors/exchange/snapshots.ts'
import { type IngestError } from '../../../../src/core/errors.ts'
import { type RestSnapshot } from '../../../../src/exchange-kit/adapter.ts'
import { binance } from '../../../../src/exchanges/binance.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { settledPromises } from './rig.ts'

const limits = { ...binance.limits, restWeight: { count: 50, windowMs: 60_000 } }
const rules: RestSnapshot = { from: 'rest', path: native => `/depth?symbol=${native}`, weight: 10 }
/** Of the budget above, which uses four fifths of what the venue allows. */
const snapshotsPerMinute = 4
const body: RestAnswer = { type: 'body', bytes: Buffer.from('{}') }
const unavailable: RestAnswer = {
  type: 'failed',
  message: 'HTTP status 500',
  status: 500,
  retryAfterMs: null
}

/** What the snapshots know of a link. */
class FakeLink {
  isOpen = true
  readonly got: number[] = []
  readonly failures: string[] = []
  readonly plan: { readonly connection: number; readonly instruments: readonly object[] }

  constructor(connection: number, books: number) {
    const instruments = Array.from({ length: books }, (_, i) => ({ symbol: `S${i}`, native: `N${i}` }))
    this.plan = { connection, instruments }
  }

  snapshot(_: Uint8Array, subscription: number): void {
    if (this.isOpen) this.got.push(subscription)
  }

  snapshotFailed(_: number, message: string): void {
    this.failures.push(message)
  }
}

function rig(answer: (request: RestRequest) => RestAnswer | Promise<RestAnswer> = () => body) {
  const clock = new ManualClock()
  const budget = new RestBudget(clock, limits)
  const faults: IngestError[] = []
  const urls: string[] = []
  const snapshots = new Snapshots({
    clock,
    random: () => 0.5,
    rest: async request => {
      urls.push(request.url)
      return await answer(request)
    },
    origin: 'https://venue',
    rules,
    budget,
    onFault: error => faults.push(error)
  })
  return {
    clock,
    budget,
    faults,
    urls,
    /** A connection that wants the snapshot of each of its books. */
    connect: (connection: number, books: number): FakeLink => {
      const link = new FakeLink(connection, books)
      for (let i = 0; i < books; i++) snapshots.want(link as unknown as Link, i)
      return link
    },
    want: (link: FakeLink, subscription: number) => snapshots.want(link as unknown as Link, subscription),
    /** As the exchange does it when a socket is lost. */
    lose: (link: FakeLink): void => {
      link.isOpen = false
      budget.discard()
    },
    pass: async (seconds: number): Promise<void> => {
      for (let i = 0; i < seconds; i++) {
        clock.advance(1_000)
        await settledPromises()
      }
    }
  }
}

suite('the budget of REST requests', () => {
  test('gives turns in their order, as many as a window has', async () => {
    const { budget, pass } = rig()
    const taken: string[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      void budget.turn(10).then(isWanted => taken.push(`${name} ${isWanted}`))
    }
    await settledPromises()
    assert.deepEqual(taken, ['a true', 'b true', 'c true', 'd true'])
    assert.equal(budget.waiting, 2)
    await pass(60)
    assert.deepEqual(taken.slice(4), ['e true', 'f true'])
    assert.equal(budget.waiting, 0)
  })

  test('what is not wanted any more when its turn comes costs nothing', async () => {
    const { budget, pass } = rig()
    const taken: string[] = []
    let isWanted = true
    void budget.turn(40)
    void budget.turn(40, () => isWanted).then(was => taken.push(`gone ${was}`))
    void budget.turn(40).then(was => taken.push(`next ${was}`))
    isWanted = false
    await pass(60)
    assert.deepEqual(taken, ['gone false', 'next true'])
  })

  test('a refusal holds up everybody for the time that the venue states', async () => {
    const { budget, pass } = rig()
    budget.judge({ type: 'failed', message: 'HTTP status 429', status: 429, retryAfterMs: 5_000 })
    let isTaken = false
    void budget.turn(10).then(() => {
      isTaken = true
    })
    await pass(4)
    assert.equal(isTaken, false)
    await pass(1)
    assert.equal(isTaken, true)
  })

  test('stopped, it lets everybody go who waits, leaves no timer and ends requests under way', async () => {
    const { budget, clock } = rig()
    void budget.turn(40)
    const answers = Promise.all([budget.turn(40), budget.turn(10), budget.pause(30_000)])
    budget.stop()
    assert.deepEqual(await answers, [false, false, false])
    assert.deepEqual([await budget.turn(1), await budget.pause(1)], [false, false])
    assert.equal(budget.stopped.aborted, true)
    assert.deepEqual([clock.pendingTimers, budget.waiting], [0, 0])
  })
})

test('a listing that is being fetched is given up when the budget is stopped, and no timer stays', async () => {
  const clock = new ManualClock()
  const budget = new RestBudget(clock, binance.limits)
  const rest = (): Promise<RestAnswer> => Promise.resolve({ ...unavailable, status: null })
  const source = { adapter: binance, origin: 'https://venue', rest, budget, clock, random: () => 0.5 }
  const answer = fetchListing(source, binance.instruments.listing!)
  await settledPromises()
  // It waits for its second attempt.
  assert.equal(budget.waiting, 1)
  budget.stop()
  assert.deepEqual(await answer, {
    type: 'failed',
    why: 'the service stops',
    status: null,
    retryAfterMs: null
  })
  assert.equal(clock.pendingTimers, 0)
})

suite('book snapshots over REST', () => {
  test('of connections that were lost use up nothing of what the next one needs', async () => {
    const { connect, lose, pass, urls } = rig()
    const books = 3 * snapshotsPerMinute
    for (let life = 1; life <= 3; life++) {
      const lost = connect(life, books)
      await pass(1)
      lose(lost)
    }
    // The first connection has used up the first minute.
    const last = connect(4, books)
    await pass(3 * 60)
    assert.equal(last.got.length, books)
    assert.equal(urls.length, books + snapshotsPerMinute)
  })

  test('wait at most once for each subscription of an open connection, however often sockets are lost', async () => {
    const { budget, connect, lose, pass, want } = rig()
    const books = 100
    // Its wishes stand in the queue before all others.
    const steady = connect(1, books)
    for (let life = 2; life < 50; life++) {
      const flapping = connect(life, books)
      for (let i = 0; i < books; i++) want(flapping, i)
      await pass(1)
      assert.ok(budget.waiting <= 2 * books)
      lose(flapping)
      assert.ok(budget.waiting <= books)
    }
    assert.equal(steady.got.length, snapshotsPerMinute)
  })

  test('that failed wait for the next attempt no longer than their connection lives', async () => {
    const { budget, clock, connect, lose, pass, faults, urls } = rig(() => unavailable)
    const link = connect(1, 3)
    await settledPromises()
    assert.deepEqual([faults.length, link.failures.length, budget.waiting], [3, 3, 3])
    assert.match(faults[0]!.message, /the book snapshot of S0 could not be fetched: HTTP status 500/)
    lose(link)
    assert.deepEqual([budget.waiting, clock.pendingTimers], [0, 0])
    await pass(120)
    assert.equal(urls.length, 3)
  })

  test('that fail after their connection has ended are nobody’s business', async () => {
    let answer: (answer: RestAnswer) => void = () => undefined
    const answered = new Promise<RestAnswer>(resolve => {
      answer = resolve
    })
    const { connect, lose, faults, budget } = rig(() => answered)
    const link = connect(1, 1)
    await settledPromises()
    lose(link)
    answer(unavailable)
    await settledPromises()
    assert.deepEqual([faults, link.failures, budget.waiting], [[], [], 0])
  })

  test('are asked for again when they fail, and may be wanted anew once they are there', async () => {
    const answers = [unavailable, body, body]
    const { connect, pass, want, urls } = rig(() => answers.shift()!)
    const link = connect(1, 1)
    want(link, 0)
    await pass(2)
    assert.deepEqual([link.got, urls.length], [[0], 2])
    want(link, 0)
    await pass(1)
    assert.deepEqual([link.got, urls.length], [[0, 0], 3])
  })
})
