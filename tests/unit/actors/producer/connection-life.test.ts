import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MessagePort } from 'node:worker_threads'
import { Accounts } from '../../../../actors/producer/accounts.ts'
import { ProducerConnection } from '../../../../actors/producer/connection.ts'
import { ConnectionLife } from '../../../../actors/producer/connection-life.ts'
import { DeadLetters } from '../../../../actors/producer/dead-letters.ts'
import { isProvenSilent } from '../../../../actors/producer/freshness.ts'
import { Intake } from '../../../../actors/producer/intake.ts'
import { showTrade } from '../../../../actors/producer/symbol-moves.ts'
import { createLogger } from '../../../../src/core/logger.ts'
import { type RequestType } from '../../../../src/domain/target.ts'
import { type ContinuityRules } from '../../../../src/exchange-kit/adapter.ts'
import { type SessionNotice } from '../../../../src/wire/session-messages.ts'
import { SharedLedger } from '../../../../src/wire/shared-ledger.ts'
import { ContinuityRig, chainedBooks, streamBooks, wholeBooks } from '../../../support/continuity-rig.ts'

/** One symbol whose connections come and go by the notices of their sessions. */
class LifeRig extends ContinuityRig {
  readonly life: ConnectionLife
  readonly announced: string[] = []
  readonly #ledger = new SharedLedger(1, 1)
  readonly #connections = new Map<number, ProducerConnection>()

  constructor(requestType: RequestType, rules: ContinuityRules) {
    super(requestType, rules)
    const letters = new DeadLetters(
      'pod',
      100,
      () => true,
      () => undefined
    )
    const intake = new Intake(new Accounts(() => undefined), this.gaps, this.continuity, letters)
    this.life = new ConnectionLife(
      this.gaps,
      this.continuity,
      intake,
      { confirmed: track => this.announced.push(track.connectionId), ended: () => undefined },
      createLogger('silent', 'test')
    )
  }

  opens(connection: number): void {
    this.nowMs++
    this.#tell(connection, { type: 'opened', atMicros: this.nowMs * 1000, previous: null })
  }

  confirms(connection: number): void {
    this.nowMs++
    this.#tell(connection, { type: 'confirmed', subscriptions: [0], atMicros: this.nowMs * 1000 })
  }

  refuses(connection: number): void {
    this.#tell(connection, { type: 'rejected', subscriptions: [0], reason: 'unknown symbol' })
  }

  loses(connection: number): void {
    this.nowMs++
    this.#tell(connection, {
      type: 'lost',
      reason: 'disconnect',
      atMicros: this.nowMs * 1000,
      lastFrameSeq: this.frameSeq
    })
  }

  closes(connection: number): void {
    this.nowMs++
    this.#tell(connection, { type: 'closed', atMicros: this.nowMs * 1000 })
  }

  get gapStates(): string[] {
    return this.gapLines().map(({ status, reason }) => `${status} ${reason}`)
  }

  #tell(number: number, notice: SessionNotice): void {
    let connection = this.#connections.get(number)
    if (connection === undefined) {
      connection = new ProducerConnection(
        null as unknown as MessagePort,
        {
          connection: number,
          version: 1,
          connectionId: `connection-${number}`,
          target: this.track.target,
          shard: 0,
          targetIndex: 0,
          instruments: [{ symbol: this.track.symbol, native: 'BTCUSDT' }],
          projection: [],
          channelIds: {}
        },
        this.#ledger.frames(0),
        this.#ledger.records(0)
      )
      connection.tracks = [this.track]
      this.#connections.set(number, connection)
    }
    this.life.take(connection, notice)
  }
}

/** A symbol that the first connection has delivered. */
function carried(requestType: RequestType, rules: ContinuityRules): LifeRig {
  const rig = new LifeRig(requestType, rules)
  rig.opens(1)
  rig.confirms(1)
  if (rig.track.book === null) rig.send({ id: '1' })
  else rig.snapshot(10)
  assert.equal(rig.published.length, 1)
  return rig
}

test('a late confirmation on the older connection leaves the symbol with the newer one', () => {
  const rig = carried('ticker', wholeBooks)
  rig.opens(2)
  rig.confirms(1)
  rig.confirms(2)
  rig.confirms(1)
  rig.closes(1)
  assert.deepEqual([rig.track.connection, rig.track.isConnected], [2, true])
  assert.deepEqual(rig.announced, ['connection-1', 'connection-2'])
  rig.send({ id: '2' })
  rig.loses(2)
  assert.deepEqual(rig.gapStates, ['open disconnect'])
})

const kinds = [
  ['ticker', wholeBooks],
  ['orderbook', streamBooks()],
  ['orderbook', chainedBooks]
] as const
for (const [requestType, rules] of kinds) {
  const name = rules === chainedBooks ? 'book with fetched snapshots' : requestType
  test(`after a hand-over that failed the older connection is what it was (${name})`, () => {
    const rig = carried(requestType, rules)
    const { confirmedMicros } = rig.track
    rig.opens(2)
    rig.loses(2)
    assert.deepEqual(
      [rig.track.connection, rig.track.connectionId, rig.track.isConnected, rig.track.confirmedMicros],
      [1, 'connection-1', true, confirmedMicros]
    )
    assert.deepEqual(
      [rig.gapStates, rig.snapshotsAsked, rig.resubscribesAsked],
      [[], rules === chainedBooks ? 1 : 0, 0]
    )
    if (rig.track.book === null) rig.send({ id: '2' })
    else rig.send({ first: 11, previous: 10, last: 11 })
    assert.equal(rig.published.length, 2)
    for (let second = 0; second < 30; second++) {
      rig.nowMs += 1_000
      showTrade(rig.track.moves, rig.nowMs * 1000)
    }
    assert.equal(isProvenSilent(rig.track), true)
    rig.loses(1)
    assert.deepEqual(rig.gapStates, ['open disconnect'])
  })
}

test('a confirmation on the older connection counts when it gets the symbol back', () => {
  const rig = new LifeRig('ticker', wholeBooks)
  rig.opens(1)
  rig.opens(2)
  rig.confirms(1)
  assert.equal(rig.track.confirmedMicros, 0)
  rig.loses(2)
  assert.ok(rig.track.confirmedMicros > 0)
})

test('an older connection of a book with fetched snapshots that breaks off before the newer one brings it leaves a gap', () => {
  const rig = carried('orderbook', chainedBooks)
  rig.opens(2)
  rig.loses(1)
  assert.deepEqual(rig.gapStates, ['open disconnect'])
  rig.confirms(2)
  rig.snapshot(20)
  assert.deepEqual(rig.published, ['snapshot:10', 'snapshot:20'])
  assert.deepEqual(rig.gapStates, ['open disconnect', 'closed disconnect'])
})

test('a symbol that was delivered and is refused has a gap until it comes again', () => {
  const rig = carried('ticker', wholeBooks)
  rig.refuses(1)
  assert.deepEqual(rig.gapStates, ['open disconnect'])
  rig.loses(1)
  rig.opens(2)
  rig.confirms(2)
  rig.send({ id: '2' })
  assert.deepEqual(rig.gapStates, ['open disconnect', 'closed disconnect'])
})

test('a symbol that is refused before anything of it came owes nothing', () => {
  const rig = new LifeRig('ticker', wholeBooks)
  rig.opens(1)
  rig.refuses(1)
  rig.loses(1)
  assert.deepEqual(rig.gapStates, [])
})

test('a symbol that the newer connection is refused goes on on the older one, and has a gap from its end', () => {
  const rig = carried('ticker', wholeBooks)
  rig.opens(2)
  rig.refuses(2)
  rig.send({ id: '2', connection: 1 })
  assert.deepEqual([rig.published, rig.gapStates], [['1', '2'], []])
  rig.closes(1)
  assert.deepEqual(rig.gapStates, ['open disconnect'])
})

test('a symbol that the older connection is refused goes on on the newer one', () => {
  const rig = carried('ticker', wholeBooks)
  rig.opens(2)
  rig.confirms(2)
  rig.refuses(1)
  rig.send({ id: '2' })
  rig.pass(1)
  rig.closes(1)
  assert.deepEqual([rig.published, rig.track.isConnected], [['1', '2'], true])
})

test('a symbol that the newer connection is confirmed after the end of the older one has a gap between the two', () => {
  const rig = carried('ticker', wholeBooks)
  rig.opens(2)
  rig.closes(1)
  assert.deepEqual(rig.gapStates, [])
  rig.confirms(2)
  rig.send({ id: '2' })
  assert.deepEqual(rig.gapStates, ['open disconnect', 'closed disconnect'])
})

test('a symbol that is not confirmed on the only connection that is left has a gap soon', () => {
  const rig = carried('ticker', wholeBooks)
  rig.opens(2)
  rig.closes(1)
  rig.pass(3)
  assert.deepEqual(rig.gapStates, ['open disconnect'])
})

test('connections that are both closed leave no gap, confirmed or not', () => {
  const rig = carried('ticker', wholeBooks)
  rig.opens(2)
  rig.closes(1)
  rig.closes(2)
  rig.pass(5)
  assert.deepEqual(rig.gapStates, [])
})
