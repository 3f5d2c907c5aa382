import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContinuityRig, wholeBooks } from '../../../support/continuity-rig.ts'

for (const requestType of ['ticker', 'orderbook'] as const) {
  const what = requestType === 'ticker' ? 'ticker' : 'whole book'

  function opened(): ContinuityRig {
    const rig = new ContinuityRig(requestType, wholeBooks)
    rig.open()
    rig.send({ id: '10', exchangeMs: 1000 })
    rig.send({ id: '11', exchangeMs: 2000 })
    return rig
  }

  test(`a ${what} that a new subscription repeats is dropped, and closes the gap`, () => {
    const rig = opened()
    rig.settleDown()
    rig.reopen()
    assert.equal(rig.send({ id: '11', exchangeMs: 2000 }), 'duplicate')
    assert.equal(rig.send({ id: '10', exchangeMs: 1000 }), 'duplicate', 'the one before it as well')
    assert.deepEqual(
      rig.gapLines().map(({ status, reason, frames }) => [status, reason, frames]),
      [
        ['open', 'disconnect', [2, null]],
        ['closed', 'disconnect', [2, 1]]
      ]
    )
    assert.deepEqual(rig.published, ['10', '11'])
  })

  test(`a ${what} with a newer event time is published, even when nothing else changed`, () => {
    const rig = opened()
    rig.reopen()
    assert.equal(rig.send({ id: '11', exchangeMs: 2001 }), 'published')
  })

  test(`a ${what} of the same event time but with other content is published`, () => {
    const rig = opened()
    rig.reopen()
    assert.equal(rig.send({ id: '12', exchangeMs: 2000 }), 'published')
    assert.equal(rig.send({ id: '12', exchangeMs: 2000 }), 'duplicate')
    assert.equal(rig.send({ id: '123456', exchangeMs: 2000 }), 'published', 'also when its length differs')
  })

  test(`an older ${what} is news in a stream, even after a subscription, and a repetition in a snapshot`, () => {
    const rig = opened()
    rig.reopen()
    assert.equal(rig.send({ id: '12', exchangeMs: 1500 }), 'published', 'the venue swapped two of them')
    assert.equal(rig.send({ id: '13', exchangeMs: 1500, isSnapshot: true }), 'duplicate')
    assert.deepEqual(rig.published, ['10', '11', '12'])
  })

  test(`the newest ${what} is known again when it came before an older one`, () => {
    const rig = opened()
    rig.send({ id: '13', exchangeMs: 3000 })
    rig.send({ id: '12', exchangeMs: 3000 })
    rig.reopen()
    assert.equal(rig.send({ id: '13', exchangeMs: 3000, isSnapshot: true }), 'duplicate')
    assert.equal(rig.send({ id: '14', exchangeMs: 3000 }), 'published')
    assert.equal(rig.send({ id: '13', exchangeMs: 3000 }), 'published', 'only the last two are remembered')
  })

  test(`long after a subscription no ${what} is taken for a repetition, unless it is marked as a snapshot`, () => {
    const rig = opened()
    rig.settleDown()
    assert.equal(rig.send({ id: '11', exchangeMs: 2000 }), 'published')
    assert.equal(rig.send({ id: '10', exchangeMs: 1500 }), 'published')
    assert.equal(rig.send({ id: '10', exchangeMs: 1500, isSnapshot: true }), 'duplicate')
    assert.deepEqual(rig.gapEvents, [])
  })

  test(`a ${what} without event time is compared by its content alone`, () => {
    const rig = new ContinuityRig(requestType, wholeBooks)
    rig.open()
    assert.equal(rig.send({ id: '10', exchangeMs: null }), 'published')
    assert.equal(rig.send({ id: '10', exchangeMs: null }), 'duplicate')
    assert.equal(rig.send({ id: '11', exchangeMs: null }), 'published')
    assert.equal(rig.send({ id: '10', exchangeMs: null }), 'published')
  })

  test(`the first ${what} of all is published, marked as a snapshot or not`, () => {
    const rig = new ContinuityRig(requestType, wholeBooks)
    rig.open()
    assert.equal(rig.send({ id: '10', exchangeMs: 0, isSnapshot: true }), 'published')
  })

  test(`content larger than any ${what} before it is remembered whole`, () => {
    const rig = opened()
    const long = '1'.repeat(60)
    const specs = ['1', '2'].map(last => ({ id: `${long}${last}`, exchangeMs: 3000 }))
    assert.deepEqual(
      [specs[0]!, specs[0]!, specs[1]!, specs[1]!].map(spec => rig.send(spec)),
      ['published', 'duplicate', 'published', 'duplicate']
    )
  })
}

test('whole books ask for no snapshot', () => {
  const rig = new ContinuityRig('orderbook', wholeBooks)
  rig.open()
  rig.send({ id: '10' })
  rig.reopen()
  assert.equal(rig.snapshotsAsked, 0)
})

test('a ticker whose last trade changed shows its sibling channels that the symbol trades', () => {
  const rig = new ContinuityRig('ticker', wholeBooks)
  rig.open()
  for (const evidence of [5, 5, 6, 7]) rig.send({ id: '10', evidence })
  assert.equal(rig.track.moves.count, 2)
  assert.equal(rig.track.movesSeen, 2, 'and the ticker itself was heard')
})

test('a trade shows itself to its sibling channels, a duplicate does not', () => {
  const rig = new ContinuityRig('trade', wholeBooks)
  rig.open()
  rig.trades(1, 2, 2)
  assert.equal(rig.track.moves.count, 2)
})

test('a record or a confirmation ends the healing of a silent channel', () => {
  const rig = new ContinuityRig('ticker', wholeBooks)
  rig.open()
  rig.track.isHealing = true
  rig.send({ id: '10' })
  assert.equal(rig.track.isHealing, false)
  rig.track.isHealing = true
  rig.open()
  assert.equal(rig.track.isHealing, false)
})

test('a gap stays open while a silent symbol is subscribed anew, since its old subscription may still bring something', () => {
  const rig = new ContinuityRig('ticker', wholeBooks)
  rig.open()
  rig.send({ id: '10' })
  rig.gaps.open(rig.track, 'stale', rig.nowMs * 1000, {})
  rig.continuity.healed(rig.track, rig.nowMs * 1000)
  rig.send({ id: '11' })
  assert.deepEqual(rig.gaps.counts, { opened: 1, closed: 0, open: 1 })
  rig.pass(2)
  rig.send({ id: '12' })
  assert.deepEqual(rig.gaps.counts, { opened: 1, closed: 1, open: 0 })
  assert.deepEqual(rig.published, ['10', '11', '12'])
})
