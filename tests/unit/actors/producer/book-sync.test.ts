import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BookSync, type WaitingDelta } from '../../../../actors/producer/book-sync.ts'

function delta(first: number, last: number, bytes = 10): WaitingDelta {
  return { value: new Uint8Array(bytes), first, last, receivedMicros: first, frameSeq: first, owner: first }
}

function synced(lastSequence: number): BookSync {
  const book = new BookSync(1000)
  assert.equal(book.rest(lastSequence), 'fits')
  return book
}

test('before a snapshot every delta waits', () => {
  const book = new BookSync(1000)
  assert.equal(book.decide(1, 2), 'wait')
  assert.equal(book.isSynced, false)
})

test('the first delta after a snapshot may overlap it, and the later ones must follow each other', () => {
  const book = synced(100)
  assert.equal(book.decide(90, 99), 'superseded')
  assert.equal(book.decide(95, 100), 'superseded')
  assert.equal(book.decide(98, 103), 'publish')
  assert.equal(book.decide(104, 104), 'publish')
  assert.equal(book.decide(104, 104), 'duplicate')
  assert.equal(book.decide(90, 99), 'duplicate')
  assert.equal(book.decide(104, 106), 'broken', 'an overlap is only allowed to the first')
  assert.equal(book.decide(106, 106), 'broken')
  assert.equal(book.lastSequence, 104)
})

test('a first delta that begins behind the snapshot breaks the book', () => {
  assert.equal(synced(100).decide(101, 102), 'publish')
  assert.equal(synced(100).decide(102, 103), 'broken')
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
    const book = new BookSync(1000)
    book.hold(delta(100, 105))
    book.hold(delta(106, 110))
    assert.equal(book.rest(lastSequence), expected, String(lastSequence))
    assert.equal(book.isSynced, expected === 'fits')
  }
})

test('a snapshot for a book that is in sync is not needed, and leaves it as it is', () => {
  const book = synced(100)
  assert.equal(book.decide(101, 105), 'publish')
  assert.equal(book.rest(103), 'not-needed')
  assert.equal(book.decide(106, 107), 'publish')
})

test('a snapshot that fits is no longer wanted; one that is too old still is', () => {
  const book = new BookSync(1000)
  book.isSnapshotWanted = true
  book.hold(delta(100, 105))
  assert.equal(book.rest(50), 'too-old')
  assert.equal(book.isSnapshotWanted, true)
  assert.equal(book.rest(99), 'fits')
  assert.equal(book.isSnapshotWanted, false)
})

test('beyond the byte limit the oldest waiting deltas go, but the newest always stays', () => {
  const book = new BookSync(25)
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
  const book = new BookSync(25)
  book.hold(delta(1, 1, 20))
  assert.equal(book.release().length, 1)
  assert.deepEqual([book.waiting.length, book.release().length], [0, 0])
  assert.deepEqual(book.hold(delta(2, 2, 20)), [])
})

test('an invalidated book waits again and keeps what waits', () => {
  const book = synced(100)
  book.invalidate()
  assert.equal(book.decide(101, 101), 'wait')
  book.hold(delta(101, 101))
  book.invalidate()
  assert.equal(book.waiting.length, 1)
})
