import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Sequencer } from '../../../../actors/producer/sequencer.ts'

test('an item with nothing before it is handed on at once', () => {
  const seen: string[] = []
  const sequencer = new Sequencer<string>(item => seen.push(item))
  sequencer.ready('a')
  assert.deepEqual(seen, ['a'])
  assert.equal(sequencer.waiting, 0)
})

test('what is ready waits for what was reserved before it', () => {
  const seen: string[] = []
  const sequencer = new Sequencer<string>(item => seen.push(item))
  const fill = sequencer.reserve()
  sequencer.ready('b')
  assert.deepEqual([seen, sequencer.waiting], [[], 2])
  fill('a')
  assert.deepEqual([seen, sequencer.waiting], [['a', 'b'], 0])
})

test('whatever the order of completion, items leave in the order in which they came, and none early or late', () => {
  const operation = fc.oneof(
    fc.constant({ type: 'ready' as const }),
    fc.constant({ type: 'reserve' as const }),
    fc.nat(20).map(which => ({ type: 'fill' as const, which }))
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), operations => {
      const seen: number[] = []
      const sequencer = new Sequencer<number>(item => seen.push(item))
      const open: { number: number; fill: (item: number) => void }[] = []
      let count = 0
      for (const one of operations) {
        if (one.type === 'ready') sequencer.ready(count++)
        else if (one.type === 'reserve') open.push({ number: count++, fill: sequencer.reserve() })
        else if (open.length > 0) {
          const [place] = open.splice(one.which % open.length, 1)
          place!.fill(place!.number)
        }
        const expected = open.length === 0 ? count : Math.min(...open.map(place => place.number))
        assert.deepEqual(
          seen,
          Array.from({ length: expected }, (_, i) => i)
        )
        assert.equal(sequencer.waiting, count - expected)
      }
    })
  )
})

test('an item that arrives while others are handed on goes behind them', () => {
  const seen: string[] = []
  const sequencer = new Sequencer<string>(item => {
    seen.push(item)
    if (item === 'a') sequencer.ready('late')
  })
  const fill = sequencer.reserve()
  sequencer.ready('b')
  fill('a')
  assert.deepEqual(seen, ['a', 'b', 'late'])
})
