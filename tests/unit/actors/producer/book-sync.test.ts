import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BookSync, type WaitingDelta } from '../../../../actors/producer/book-sync.ts'
import { type DeltaBookRules } from '../../../../src/exchange-kit/adapter.ts'

const rules: DeltaBookRules = {
  mode: 'delta',
  sequence: 'first-follows-last',
  snapshot: { from: 'rest', path: native => native, weight: 1 },
  check: 'none',
  depth: null
}
const { NaN: none } = Number

function delta(first: number, last: number, bytes = 10, previous = none): WaitingDelta {
  const facts = {
    first,
    last,
    previous,
    checksum: none,
    receivedMicros: first,
    frameSeq: first,
    owner: first
  }
  return { value: new Uint8Array(bytes), ...facts }
}

function bookOf(change: Partial<DeltaBookRules> = {}, bookPendingBytes = 1000): BookSync {
  return new BookSync({ ...rules, ...change }, { bookPendingBytes, bookLevelsMax: 100 })
}

function synced(lastSequence: number): BookSync {
  const book = bookOf()
  assert.equal(book.rest(lastSequence), 'fits')
  return book
}

test('before a snapshot every delta waits', () => {
  const book = bookOf()
  assert.equal(book.decide(1, 2, none), 'wait')
  assert.equal(book.isSynced, false)
})

test('the first delta after a snapshot may overlap it, and the later ones must follow each other', () => {
  const book = synced(100)
  assert.equal(book.decide(90, 99, none), 'superseded')
  assert.equal(book.decide(95, 100, none), 'superseded')
  assert.equal(book.decide(98, 103, none), 'publish')
  assert.equal(book.decide(104, 104, none), 'publish')
  assert.equal(book.decide(104, 104, none), 'duplicate')
  assert.equal(book.decide(90, 99, none), 'duplicate')
  assert.equal(book.decide(104, 106, none), 'broken', 'an overlap is only allowed to the first')
  assert.equal(book.decide(106, 106, none), 'broken')
  assert.equal(book.lastSequence, 104)
})

test('a first delta that begins behind the snapshot breaks the book', () => {
  assert.equal(synced(100).decide(101, 102, none), 'publish')
  assert.equal(synced(100).decide(102, 103, none), 'broken')
})

test('where an update names the one before, it must be the last one, and a counter that was set back may go on', () => {
  const book = bookOf({ sequence: 'previous-equals-last', snapshot: { from: 'stream' } })
  assert.equal(book.decide(none, 5, 4), 'superseded', 'nothing waits where the snapshot comes in the stream')
  assert.equal(book.rest(10), 'fits')
  assert.equal(book.decide(none, 12, 10), 'publish')
  assert.equal(book.decide(none, 12, 12), 'duplicate', 'the venue says that nothing has changed')
  assert.equal(book.decide(none, 3, 12), 'publish', 'the counter was set back')
  assert.equal(book.decide(none, 8, 5), 'broken')
  assert.equal(book.decide(none, none, 3), 'broken')
  assert.equal(book.decide(none, 4, none), 'broken')
  assert.equal(book.rest(2), 'fits', 'a snapshot in the stream may come at any time')
  assert.equal(book.decide(none, 5, 2), 'publish')
})

test('where a snapshot is asked for, the first update behind it may begin before it, and no other', () => {
  const book = bookOf({
    sequence: 'previous-equals-last',
    snapshot: { from: 'request', frame: name => name }
  })
  assert.equal(book.decide(none, 30, 20), 'wait')
  book.hold(delta(none, 30, 10, 20))
  assert.equal(book.rest(15), 'too-old')
  assert.equal(book.rest(20), 'fits')
  assert.equal(book.decide(none, 15, 10), 'superseded')
  assert.equal(book.decide(none, 25, 18), 'publish')
  assert.equal(book.decide(none, 30, 24), 'broken')
})

test('where sequences only grow, a hole is nothing and a lower one is a new stream', () => {
  const book = bookOf({ sequence: 'increasing', snapshot: { from: 'stream' } })
  assert.equal(book.rest(10), 'fits')
  assert.equal(book.decide(none, 50, none), 'publish')
  assert.equal(book.decide(none, 50, none), 'duplicate')
  assert.equal(book.decide(none, 49, none), 'broken')
  assert.equal(book.decide(none, none, none), 'broken')
})

test('where there is no sequence every update follows', () => {
  const book = bookOf({ sequence: 'none', snapshot: { from: 'stream' } })
  assert.equal(book.decide(none, none, none), 'superseded')
  assert.equal(book.rest(none), 'fits')
  assert.equal(book.decide(none, none, none), 'publish')
})

test('a snapshot fits when it joins with the first waiting delta that it does not cover', () => {
  const cases: readonly (readonly [number, string])[] = [
    [98, 'too-old'],
    [99, 'fits'],
    [104, 'fits'],
    [110, 'fits'],
    [200, 'fits']
  ]
  for (const [lastSequence, expected] of cases) {
    const book = bookOf()
    book.hold(delta(100, 105))
    book.hold(delta(106, 110))
    assert.equal(book.rest(lastSequence), expected, String(lastSequence))
    assert.equal(book.isSynced, expected === 'fits')
  }
})

test('a snapshot for a book that is in sync is not needed, and leaves it as it is', () => {
  const book = synced(100)
  assert.equal(book.decide(101, 105, none), 'publish')
  assert.equal(book.rest(103), 'not-needed')
  assert.equal(book.decide(106, 107, none), 'publish')
})

test('a snapshot that fits is no longer wanted; one that is too old still is', () => {
  const book = bookOf()
  book.isSnapshotWanted = true
  book.hold(delta(100, 105))
  assert.equal(book.rest(50), 'too-old')
  assert.equal(book.isSnapshotWanted, true)
  assert.equal(book.rest(99), 'fits')
  assert.equal(book.isSnapshotWanted, false)
})

test('beyond the byte limit the oldest waiting deltas go, but the newest always stays', () => {
  const book = bookOf({}, 25)
  assert.deepEqual(book.hold(delta(1, 1)), [])
  assert.deepEqual(book.hold(delta(2, 2)), [])
  assert.deepEqual(
    book.hold(delta(3, 3)).map(({ first }) => first),
    [1]
  )
  assert.deepEqual(
    book.hold(delta(4, 4, 500)).map(({ first }) => first),
    [2, 3]
  )
  assert.deepEqual(
    book.waiting.map(({ first }) => first),
    [4]
  )
  assert.equal(book.rest(2), 'too-old', 'a snapshot must cover what went')
})

test('released deltas are given up, and their bytes with them', () => {
  const book = bookOf({}, 25)
  book.hold(delta(1, 1, 20))
  assert.equal(book.release().length, 1)
  assert.deepEqual([book.waiting.length, book.release().length], [0, 0])
  assert.deepEqual(book.hold(delta(2, 2, 20)), [])
})

test('an invalidated book waits again and keeps what waits', () => {
  const book = synced(100)
  book.invalidate()
  assert.equal(book.decide(101, 101, none), 'wait')
  book.hold(delta(101, 101))
  book.invalidate()
  assert.equal(book.waiting.length, 1)
})
