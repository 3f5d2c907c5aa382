import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type SubscriptionEvents,
  SubscriptionState,
  Subscriptions
} from '../../../../actors/exchange/subscriptions.ts'
import { type ExchangeAdapter, type SubscriptionChange } from '../../../../src/exchange-kit/adapter.ts'
import { binance } from '../../../../src/exchanges/binance.ts'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

interface Sent {
  readonly op: 'options' | 'subscribe' | 'unsubscribe'
  readonly id: number | null
  readonly natives: readonly string[]
}

const { wanted, confirmed, rejected } = SubscriptionState

/** A venue that takes lists of symbols, with ids or without, and channels by number where it has given some. */
function venue(options: {
  hasIds: boolean
  perRequest?: number
  opening?: readonly string[]
}): ExchangeAdapter {
  const { hasIds, perRequest = 100, opening = [] } = options
  function requests(change: SubscriptionChange) {
    const frames = change.removed.map(native => ({
      frame: JSON.stringify({ op: 'unsubscribe', id: null, natives: [change.channelIdOf(native) ?? native] }),
      id: null,
      natives: []
    }))
    const asked: { frame: string; id: string | null; natives: readonly string[] }[] = [...frames]
    for (let at = 0; at < change.added.length; at += perRequest) {
      const natives = change.added.slice(at, at + perRequest)
      const id = hasIds ? change.nextId() : null
      asked.push({
        frame: JSON.stringify({ op: 'subscribe', id, natives }),
        id: id === null ? null : String(id),
        natives
      })
    }
    return asked
  }
  return { ...binance, subscriptions: { confirmedBy: 'ack', opening, requests } }
}

class Rig {
  readonly sent: Sent[] = []
  readonly confirmed: (readonly number[])[] = []
  readonly rejected: { readonly subscriptions: readonly number[]; readonly reason: string }[] = []
  readonly numbered: (readonly [string, number])[] = []
  readonly asked: { readonly subscriptions: readonly number[] | null; readonly isAnew: boolean }[] = []
  readonly held: (() => void)[] = []
  /** The venue's limits hold every frame back. */
  isPaced = false
  readonly clock = new ManualClock()
  completions = 0
  readonly subscriptions: Subscriptions

  constructor(adapter: ExchangeAdapter, count: number) {
    const instruments = Array.from({ length: count }, (_, n) => ({ symbol: `S${n}-USDT`, native: `S${n}` }))
    const events: SubscriptionEvents = {
      send: (frame, onSent) => {
        this.sent.push(JSON.parse(frame) as Sent)
        if (this.isPaced) this.held.push(onSent!)
        else onSent?.()
      },
      confirmed: subscriptions => this.confirmed.push(subscriptions),
      rejected: (subscriptions, reason) => this.rejected.push({ subscriptions, reason }),
      complete: () => this.completions++,
      asked: (subscriptions, isAnew) => this.asked.push({ subscriptions, isAnew }),
      numbered: (channelId, subscription) => this.numbered.push([channelId, subscription])
    }
    this.subscriptions = new Subscriptions(adapter, 'trade', instruments, events, this.clock)
    this.subscriptions.subscribeAll()
  }

  /** Symbols of the frames sent since the last look. */
  taken(): string[] {
    return this.sent.splice(0).map(({ op, natives }) => `${op} ${natives.join(' ')}`)
  }

  confirm(change: { id?: number; natives?: readonly string[]; channelId?: string }): void {
    const { id, natives = [], channelId = null } = change
    const idText = id === undefined ? null : String(id)
    this.subscriptions.answered({ type: 'confirmed', id: idText, natives, channelId })
  }

  refuse(change: { id?: number; natives?: readonly string[]; isWholeRequest?: boolean }): void {
    const { id, natives = [], isWholeRequest = false } = change
    const idText = id === undefined ? null : String(id)
    this.subscriptions.answered({ type: 'rejected', id: idText, natives, reason: 'unknown', isWholeRequest })
  }

  refuseForNow(change: { id?: number; natives?: readonly string[] }): readonly string[] {
    const { id, natives = [] } = change
    const idText = id === undefined ? null : String(id)
    return this.subscriptions.refusedForNow({ type: 'refused', id: idText, natives, reason: 'busy' })
  }

  /** Looks once a second; what was asked for again, by the second in which it was. */
  pass(seconds: number): Record<number, string[]> {
    const again: Record<number, string[]> = {}
    this.taken()
    for (let second = 1; second <= seconds; second++) {
      this.clock.advance(1_000)
      this.subscriptions.askAgain(this.clock.nowMicros())
      const taken = this.taken()
      if (taken.length > 0) again[second] = taken
    }
    return again
  }

  get states(): number[] {
    return [...this.subscriptions.states]
  }
}

test('options of the connection go out once, in front of the requests', () => {
  const rig = new Rig(venue({ hasIds: true, opening: ['{"op":"options","id":null,"natives":[]}'] }), 2)
  assert.deepEqual(rig.taken(), ['options ', 'subscribe S0 S1'])
  rig.subscriptions.resubscribe([0])
  assert.deepEqual(rig.taken(), ['unsubscribe S0', 'subscribe S0'])
})

test('a refused request of several symbols is asked again in halves, until the guilty one stands alone', () => {
  const rig = new Rig(venue({ hasIds: true }), 8)
  const guilty = 'S5'
  for (let rounds = 0; rig.sent.length > 0; rounds++) {
    assert.ok(rounds < 20, 'it ends')
    for (const { id, natives } of rig.sent.splice(0)) {
      if (natives.includes(guilty)) rig.refuse({ id: id! })
      else rig.confirm({ id: id! })
    }
  }
  assert.deepEqual(rig.states, [1, 1, 1, 1, 1, rejected, 1, 1])
  assert.deepEqual(rig.rejected, [{ subscriptions: [5], reason: 'unknown' }])
  assert.equal(rig.completions, 1)
})

test('of a request that is refused only what is still wanted is asked for again', () => {
  const rig = new Rig(venue({ hasIds: true }), 4)
  rig.taken()
  rig.subscriptions.dataFor(1)
  rig.refuse({ id: 1 })
  assert.deepEqual(rig.taken(), ['subscribe S0 S2', 'subscribe S3'])
  rig.refuse({ id: 1 })
  assert.deepEqual(rig.taken(), [], 'a second refusal of the same request says nothing new')
  rig.refuse({ id: 3 })
  assert.deepEqual(rig.states, [wanted, confirmed, wanted, rejected])
})

test('a refusal of one symbol that takes the whole request with it leaves the others to be asked again', () => {
  for (const hasIds of [true, false]) {
    const rig = new Rig(venue({ hasIds, perRequest: 3 }), 6)
    assert.deepEqual(rig.taken(), ['subscribe S0 S1 S2', 'subscribe S3 S4 S5'])
    rig.refuse({ ...(hasIds ? { id: 2 } : {}), natives: ['S4'], isWholeRequest: true })
    assert.deepEqual(rig.taken(), ['subscribe S3 S5'])
    assert.deepEqual(rig.states, [wanted, wanted, wanted, wanted, rejected, wanted])
    rig.refuse({ natives: ['S3'], isWholeRequest: true })
    assert.deepEqual(rig.taken(), ['subscribe S5'], 'it stood in the request made last')
  }
})

test('a refusal of one symbol alone leaves the others of its request as they are', () => {
  const rig = new Rig(venue({ hasIds: true }), 3)
  rig.taken()
  rig.refuse({ id: 1, natives: ['S1'] })
  assert.deepEqual(rig.taken(), [])
  rig.confirm({ id: 1 })
  assert.deepEqual(rig.states, [confirmed, rejected, confirmed])
})

test('a refusal that names nothing means the symbol that was acknowledged last, not one that only sent data', () => {
  const rig = new Rig(venue({ hasIds: false, perRequest: 1 }), 3)
  assert.equal(rig.subscriptions.refusedLast('invalid'), false, 'nothing was acknowledged')
  rig.confirm({ natives: ['S0'] })
  rig.confirm({ natives: ['S1'] })
  rig.subscriptions.dataFor(0)
  rig.subscriptions.dataFor(2)
  assert.equal(rig.subscriptions.refusedLast('invalid'), true)
  assert.deepEqual(rig.states, [confirmed, rejected, confirmed])
  assert.deepEqual(rig.subscriptions.confirmed, [0, 2])
  assert.equal(rig.subscriptions.refusedLast('invalid'), false, 'it does not mean another one')
})

test('a symbol is taken off by the latest number of its channel, and all its numbers lead to it', () => {
  const rig = new Rig(venue({ hasIds: false, perRequest: 1 }), 2)
  rig.confirm({ natives: ['S0'], channelId: '500' })
  rig.confirm({ natives: ['S1'], channelId: '40' })
  rig.taken()
  rig.subscriptions.resubscribe([0])
  assert.deepEqual(rig.taken(), ['unsubscribe 500', 'subscribe S0'])
  // Numbers have no order: a later one may well be lower.
  rig.confirm({ natives: ['S0'], channelId: '7' })
  rig.confirm({ natives: ['S0'], channelId: '7' })
  assert.deepEqual(rig.subscriptions.channelIds, { '7': 0, '40': 1, '500': 0 })
  rig.subscriptions.resubscribe([0])
  assert.deepEqual(rig.taken(), ['unsubscribe 7', 'subscribe S0'])
  assert.deepEqual(rig.numbered, [
    ['500', 0],
    ['40', 1],
    ['7', 0]
  ])
})

test('of the numbers that one symbol has had only the latest are kept', () => {
  const rig = new Rig(venue({ hasIds: false, perRequest: 1 }), 1)
  for (let number = 1; number <= 100; number++) {
    rig.subscriptions.resubscribe([0])
    rig.confirm({ natives: ['S0'], channelId: String(number) })
  }
  assert.deepEqual(Object.keys(rig.subscriptions.channelIds), [
    '93',
    '94',
    '95',
    '96',
    '97',
    '98',
    '99',
    '100'
  ])
})

test('requests that the venue never answers are remembered within a limit', () => {
  const rig = new Rig(venue({ hasIds: false, perRequest: 1 }), 2)
  for (let times = 0; times < 5_000; times++) rig.subscriptions.resubscribe([0])
  rig.taken()
  rig.refuse({ natives: ['S1'], isWholeRequest: true })
  assert.deepEqual([rig.taken(), rig.states], [[], [wanted, rejected]])
})

test('many symbols are taken off and subscribed again in as few frames as the venue has for them', () => {
  const rig = new Rig(venue({ hasIds: true, perRequest: 100 }), 4)
  rig.confirm({ id: 1 })
  rig.refuse({ natives: ['S3'] })
  rig.taken()
  rig.subscriptions.resubscribe([0, 2, 3])
  assert.deepEqual(rig.taken(), ['unsubscribe S0', 'unsubscribe S2', 'subscribe S0 S2'])
  assert.deepEqual(rig.states, [wanted, confirmed, wanted, rejected])
  assert.deepEqual(rig.asked, [
    { subscriptions: null, isAnew: false },
    { subscriptions: [0, 2], isAnew: true }
  ])
  rig.subscriptions.resubscribe([3])
  assert.deepEqual([rig.taken(), rig.asked.length], [[], 2], 'nothing is asked of what is refused for good')
})

test('what is never answered is asked for again, ever more rarely, and nothing else is', () => {
  const rig = new Rig(venue({ hasIds: true, perRequest: 100 }), 3)
  rig.confirm({ id: 1, natives: ['S1'] })
  const again = rig.pass(1_300)
  assert.deepEqual(Object.keys(again).map(Number), [10, 30, 70, 150, 310, 610, 910, 1_210])
  assert.deepEqual(new Set(Object.values(again).flat()), new Set(['subscribe S0 S2']))
  assert.deepEqual(rig.asked.at(-1), { subscriptions: [0, 2], isAnew: false })
  rig.confirm({ id: rig.subscriptions.lastId })
  assert.deepEqual(rig.pass(1_000), {})
  rig.subscriptions.resubscribe([2])
  assert.deepEqual(Object.keys(rig.pass(40)).map(Number), [10, 30], 'a new wish begins anew')
})

test('a request that waits for its turn is not made a second time', () => {
  const rig = new Rig(venue({ hasIds: true }), 1)
  rig.confirm({ id: 1 })
  rig.isPaced = true
  rig.subscriptions.resubscribe([0])
  const [unsubscribed, subscribed] = rig.held.splice(0)
  unsubscribed?.()
  assert.deepEqual(rig.pass(600), {})
  subscribed?.()
  assert.deepEqual(rig.pass(12), { 10: ['subscribe S0'] })
})

test('where a request replaces the subscription, one frame with everything asks again for what is silent', () => {
  const rig = new Rig(upbit, 2)
  rig.subscriptions.dataFor(0)
  rig.sent.length = 0
  rig.clock.advance(10_000)
  assert.deepEqual(rig.subscriptions.askAgain(rig.clock.nowMicros()), [1])
  const [frame, ...more] = rig.sent as unknown as readonly (readonly Record<string, unknown>[])[]
  assert.deepEqual([frame![1]!['codes'], more.length], [['S0', 'S1'], 0])
})

test('a refusal that passes leaves its symbols wanted, and asks for them again in their time', () => {
  const rig = new Rig(venue({ hasIds: true, perRequest: 100 }), 3)
  assert.deepEqual(rig.refuseForNow({ id: 1, natives: ['S1'] }), ['S1-USDT'])
  rig.confirm({ id: 1, natives: ['S0'] })
  rig.confirm({ id: 1, natives: ['S2'] })
  for (let times = 0; times < 20; times++) {
    assert.deepEqual(rig.states, [confirmed, wanted, confirmed])
    assert.deepEqual(Object.values(rig.pass(300)).flat().at(-1), 'subscribe S1')
    rig.refuseForNow({ natives: ['S1'] })
  }
  assert.deepEqual([rig.rejected, rig.completions], [[], 0])
  rig.confirm({ natives: ['S1'] })
  assert.deepEqual([rig.states, rig.completions], [[confirmed, confirmed, confirmed], 1])
})

test('a refusal that passes undoes what data that was on its way had confirmed', () => {
  const rig = new Rig(venue({ hasIds: true }), 2)
  rig.confirm({ id: 1 })
  rig.subscriptions.resubscribe([0])
  rig.subscriptions.dataFor(0)
  rig.refuseForNow({ id: 2 })
  assert.deepEqual(rig.states, [wanted, confirmed])
  assert.deepEqual(rig.pass(12), { 10: ['subscribe S0'] })
})

test('of a request that is refused for a cause nobody knows the good symbols come through', () => {
  const rig = new Rig(venue({ hasIds: true, perRequest: 200 }), 200)
  const guilty = 'S77'
  let seconds = 0
  let requests = 0
  let open = rig.sent.splice(0)
  while (rig.subscriptions.confirmed.length < 199) {
    for (const { id, natives } of open) {
      requests++
      if (natives.includes(guilty)) rig.refuseForNow({ id: id! })
      else rig.confirm({ id: id! })
    }
    rig.clock.advance(1_000)
    rig.subscriptions.askAgain(rig.clock.nowMicros())
    open = rig.sent.splice(0)
    assert.ok(++seconds < 200, 'it ends')
  }
  assert.deepEqual([rig.subscriptions.wanted, rig.rejected], [[77], []])
  assert.ok(requests < 30, `${requests} requests`)
})

test('requests whose answers carry no id are forgotten once their symbols are confirmed', () => {
  const rig = new Rig(venue({ hasIds: false, perRequest: 3 }), 3)
  rig.confirm({ natives: ['S0', 'S1', 'S2'] })
  rig.taken()
  rig.subscriptions.resubscribe([2])
  assert.deepEqual(rig.taken(), ['unsubscribe S2', 'subscribe S2'])
  // The older request, in which S0 and S1 stood as well, was answered: this refusal is not about them.
  rig.subscriptions.resubscribe([0])
  rig.confirm({ natives: ['S2'] })
  rig.taken()
  rig.refuse({ natives: ['S1'], isWholeRequest: true })
  assert.deepEqual([rig.taken(), rig.states], [[], [wanted, rejected, confirmed]])
})

test('a list that is refused for one symbol is asked for without it, whatever data of the others was on its way', () => {
  for (const natives of [['S1'], []]) {
    const rig = new Rig(venue({ hasIds: true, perRequest: 100 }), 3)
    rig.confirm({ id: 1 })
    rig.subscriptions.resubscribe([0, 1, 2])
    for (const index of [0, 1, 2]) rig.subscriptions.dataFor(index)
    rig.taken()
    rig.refuse({ id: 2, natives, isWholeRequest: true })
    const asked = natives.length > 0 ? ['subscribe S0 S2'] : ['subscribe S0 S1', 'subscribe S2']
    assert.deepEqual(rig.taken(), asked)
    assert.deepEqual(rig.states, [wanted, natives.length > 0 ? rejected : wanted, wanted])
  }
})
