import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ContinuityRig, chainedBooks, type GapLine, wholeBooks } from '../../../support/continuity-rig.ts'

function contiguous(): ContinuityRig {
  const rig = new ContinuityRig('trade', chainedBooks)
  rig.open()
  return rig
}

function unique(limits?: { ids: number }): ContinuityRig {
  const rig = new ContinuityRig('trade', wholeBooks, limits)
  rig.open()
  return rig
}

function line(facts: Partial<GapLine>): GapLine {
  const nothing = { missed: null, shed: null }
  return {
    id: '1',
    status: 'open',
    reason: 'sequence',
    frames: [null, null],
    sequences: [null, null],
    ...nothing,
    ...facts
  }
}

test('contiguous ids in order are all published, without a gap', () => {
  const rig = contiguous()
  rig.trades(100, 101, 102)
  assert.deepEqual(rig.published, ['100', '101', '102'])
  assert.deepEqual(rig.gapEvents, [])
})

test('a jump in contiguous ids declares a gap at once, with the number of trades missed', () => {
  const rig = contiguous()
  rig.trades(100, 101, 105, 106)
  assert.deepEqual(rig.published, ['100', '101', '105', '106'])
  assert.deepEqual(rig.gapLines(), [
    line({ frames: [2, null], sequences: ['101', null] }),
    line({ status: 'closed', frames: [2, 3], sequences: ['101', '105'], missed: 3 })
  ])
  const [, closed] = rig.gapEvents
  assert.deepEqual([closed!.opened_ts, closed!.closed_ts], [(rig.nowMs - 2) * 1000, (rig.nowMs - 1) * 1000])
})

test('a late id is published, fills its hole and restates the gap; the same id again is a duplicate', () => {
  const rig = contiguous()
  rig.trades(100, 104, 102)
  assert.deepEqual(rig.published, ['100', '104', '102'])
  assert.equal(rig.gapEvents.at(-1)!.missed, 2)
  assert.equal(rig.send({ id: '102' }), 'duplicate')
  rig.trades(101, 103)
  const last = rig.gapLines().at(-1)
  assert.deepEqual(last, line({ status: 'closed', frames: [1, 2], sequences: ['100', '104'], missed: 0 }))
  for (const id of ['101', '102', '103']) assert.equal(rig.send({ id }), 'duplicate')
  assert.deepEqual(rig.gaps.counts, { opened: 1, closed: 1, open: 0 })
})

test('a repeated contiguous id is a duplicate, also long after and across a reconnect', () => {
  const rig = contiguous()
  rig.trades(100, 101)
  assert.equal(rig.send({ id: '101' }), 'duplicate')
  rig.settleDown()
  assert.equal(rig.send({ id: '100' }), 'duplicate')
  rig.reopen()
  assert.equal(rig.send({ id: '101' }), 'duplicate')
  assert.equal(rig.send({ id: '102' }), 'published')
  assert.deepEqual(rig.published, ['100', '101', '102'])
})

test('an id below the first ever seen is published once: it was late, not repeated', () => {
  const rig = contiguous()
  rig.trades(100, 98, 99, 98)
  assert.deepEqual(rig.published, ['100', '98', '99'])
  assert.deepEqual(rig.gapEvents, [])
})

test('the gap of a lost connection closes at the next trade, on the new connection, with what the ids say was missed', () => {
  const rig = contiguous()
  rig.trades(100, 101)
  rig.reopen()
  rig.trades(105, 106)
  const [open, closed] = rig.gapLines()
  assert.deepEqual(open, line({ reason: 'disconnect', frames: [2, null], sequences: ['101', null] }))
  assert.deepEqual(
    closed,
    line({ reason: 'disconnect', status: 'closed', frames: [2, 1], sequences: ['101', '105'], missed: 3 })
  )
  assert.equal(rig.gapEvents.length, 2)
  const { connection_id, next_connection_id } = rig.gapEvents[1]!
  assert.deepEqual([connection_id, next_connection_id], ['connection-1', 'connection-2'])
})

test('a reconnect in which no trade was missed says so: missed is 0', () => {
  const rig = contiguous()
  rig.trades(100)
  rig.reopen()
  rig.trades(101)
  assert.deepEqual(
    rig.gapLines().map(({ status, missed }) => [status, missed]),
    [
      ['open', null],
      ['closed', 0]
    ]
  )
})

test('shed trades are counted in their gap, and the ids tell how many trades they were', () => {
  const rig = contiguous()
  rig.trades(100)
  rig.gaps.open(rig.track, 'shed', rig.nowMs * 1000, { shed: 2 })
  rig.trades(104)
  assert.deepEqual(
    rig.gapLines().at(-1),
    line({ status: 'closed', reason: 'shed', frames: [1, 2], sequences: ['100', '104'], missed: 3, shed: 2 })
  )
})

test('an id that is no exact integer is published, and disturbs the count of the others in no way', () => {
  const rig = contiguous()
  rig.trades('100', 'a-b', '99999999999999999999', '101', 'a-b')
  assert.deepEqual(rig.published, ['100', 'a-b', '99999999999999999999', '101', 'a-b'])
  assert.deepEqual(rig.gapEvents, [])
})

test('after more holes than are remembered the newest can still be filled', () => {
  const rig = contiguous()
  for (let id = 100; id <= 400; id += 2) rig.trades(id)
  assert.equal(rig.send({ id: '399' }), 'published')
  assert.equal(rig.send({ id: '101' }), 'duplicate', 'its hole is forgotten, and stays declared')
  assert.equal(rig.send({ id: '99' }), 'published', 'what lies before the first trade is no declared hole')
  assert.equal(rig.gapEvents.at(-1)!.first_sequence, '400')
})

test('whatever arrives late, twice or never: each id is published once, and the gaps count exactly the missing ones', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }).map(jump => ({ jump })) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 12 }).map(back => ({ back })) },
    { weight: 1, arbitrary: fc.constant('reopen' as const) }
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), steps => {
      const rig = contiguous()
      let head = 1000
      rig.trades(head)
      for (const one of steps) {
        if (one === 'reopen') rig.reopen()
        else if ('jump' in one) rig.trades((head += one.jump))
        else rig.trades(Math.max(1000, head - one.back))
      }
      const seen = new Set(rig.published)
      assert.equal(seen.size, rig.published.length)
      const missing = Array.from({ length: head - 999 }, (_, i) => String(1000 + i)).filter(
        id => !seen.has(id)
      )
      const lastState = new Map(rig.gapEvents.map(gap => [gap.gap_id, gap]))
      const declared = [...lastState.values()].reduce((sum, gap) => sum + (gap.missed ?? 0), 0)
      assert.equal(declared, missing.length)
    })
  )
})

test('unique ids tell no order: a lower id and a jump are published without a gap', () => {
  const rig = unique()
  rig.trades('17636400000000005', '17636400000000001', '17636400000000900')
  assert.equal(rig.published.length, 3)
  assert.deepEqual(rig.gapEvents, [])
})

test('a repeated unique id is a duplicate in the time after a subscribe, compared beyond 2^53', () => {
  const rig = unique()
  rig.trades('17636400000000000', '17636400000000001')
  assert.equal(rig.send({ id: '17636400000000000' }), 'duplicate')
  assert.deepEqual(rig.published, ['17636400000000000', '17636400000000001'])
})

test('later a repeated unique id is only looked for in snapshot frames', () => {
  const rig = unique()
  rig.trades('17636400000000001')
  rig.settleDown()
  assert.equal(rig.send({ id: '17636400000000001', isSnapshot: true }), 'duplicate')
  assert.equal(rig.send({ id: '17636400000000001' }), 'published')
})

test('the last trade that a venue repeats after a reconnect is dropped, and closes the gap; a newer one is published', () => {
  const rig = unique()
  rig.trades('17636400000000001')
  rig.settleDown()
  rig.reopen()
  assert.equal(rig.send({ id: '17636400000000001', isSnapshot: true }), 'duplicate')
  assert.equal(rig.send({ id: '17636400000000002' }), 'published')
  assert.deepEqual(rig.gapLines(), [
    line({ reason: 'disconnect', frames: [1, null] }),
    line({ reason: 'disconnect', status: 'closed', frames: [1, 1] })
  ])
})

test('as many unique ids as the limit are remembered', () => {
  const rig = unique({ ids: 3 })
  rig.trades('17636400000000001', '17636400000000002', '17636400000000003', '17636400000000004')
  assert.equal(rig.send({ id: '17636400000000002' }), 'duplicate')
  assert.equal(rig.send({ id: '17636400000000001' }), 'published', 'it is forgotten')
})

test('of the trades that a new subscription is shown only those newer than what was published are news', () => {
  const rig = unique()
  const at = rig.nowMs
  const shown = (id: string, exchangeMs: number) => rig.send({ id, isSnapshot: true, exchangeMs })
  assert.equal(shown('early', at - 5_000), 'published', 'the first of all')
  assert.equal(rig.send({ id: 'live', exchangeMs: at }), 'published')
  rig.lose()
  rig.open()
  assert.equal(
    shown('lost before', at - 1_000),
    'duplicate',
    'it was lost and declared, and would come out of order'
  )
  assert.equal(shown('live', at), 'duplicate')
  assert.equal(shown('missed', at + 1_000), 'published')
})

test('trades that are shown again in one frame need not be in the order of their times', () => {
  const rig = unique()
  const at = rig.nowMs
  const shown = (id: string, exchangeMs: number, isSameFrame: boolean) =>
    rig.send({ id, isSnapshot: true, exchangeMs, isSameFrame })
  assert.equal(rig.send({ id: 'live', exchangeMs: at }), 'published')
  rig.lose()
  rig.open()
  assert.equal(shown('old', at - 1, false), 'duplicate')
  assert.equal(shown('second', at + 2, true), 'published')
  assert.equal(shown('first', at + 1, true), 'published')
  assert.equal(shown('older than what is published now', at + 1, false), 'duplicate')
})

test('holes in contiguous ids are bounded, and each that is forgotten is counted', () => {
  const rig = new ContinuityRig('trade', chainedBooks)
  rig.open()
  for (let id = 10; id <= 10 + 2 * 70; id += 2) rig.trades(id)
  assert.equal(rig.continuity.limitHits.tradeHolesPerSymbol, 7)
  assert.equal(rig.send({ id: '11' }), 'duplicate', 'its hole is declared, and forgotten')
  assert.equal(rig.send({ id: '149' }), 'published')
})
