import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Accounts, controlOwner } from '../../../../actors/producer/accounts.ts'
import { type ProducerConnection } from '../../../../actors/producer/connection.ts'
import { Fifo } from '../../../../actors/producer/fifo.ts'

function newConnection(connectionId: string): ProducerConnection {
  return {
    context: { connectionId },
    unsettled: new Fifo(),
    settledFrameSeq: 0
  } as unknown as ProducerConnection
}
const connections = ['a', 'b'].map(newConnection)

test('a batch is settled once, when its own share and all its records are done', () => {
  const settled: unknown[] = []
  const accounts = new Accounts((connection, bytes) =>
    settled.push([connection, bytes, connection.settledFrameSeq])
  )
  const owner = accounts.begin(connections[0]!, 100, 7, 3)
  accounts.release(owner, 2)
  accounts.release(owner, 1)
  assert.deepEqual([settled, accounts.open], [[], 1])
  accounts.release(owner, 1)
  assert.deepEqual([settled, accounts.open], [[[connections[0], 100, 7]], 0])
})

test('what is told as settled never runs ahead of a batch that is not', () => {
  const connection = newConnection('c')
  const accounts = new Accounts(() => undefined)
  const owners = [10, 20, 30].map(frameSeq => accounts.begin(connection, 1, frameSeq, 0))
  accounts.release(owners[1]!, 1)
  assert.equal(connection.settledFrameSeq, 0)
  accounts.release(owners[0]!, 1)
  assert.equal(connection.settledFrameSeq, 20)
  accounts.release(owners[2]!, 1)
  assert.equal(connection.settledFrameSeq, 30)
})

test('a batch without records is settled as soon as it is decided', () => {
  let settled = 0
  const accounts = new Accounts(() => settled++)
  accounts.release(accounts.begin(connections[0]!, 1, 1, 0), 1)
  assert.equal(settled, 1)
})

test('however batches interleave, each is settled once with its own facts, and numbers are used again', () => {
  const step = fc.tuple(fc.constantFrom('begin', 'release'), fc.nat(100), fc.nat(4))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), steps => {
      const open = new Map<number, { remaining: number; facts: readonly unknown[] }>()
      const expected: unknown[] = []
      const settled: unknown[] = []
      const accounts = new Accounts((...facts) => settled.push(facts))
      let mostOpen = 0
      for (const [type, pick, records] of steps) {
        const owners = [...open.keys()]
        const owner = owners[pick % Math.max(1, owners.length)]
        if (type === 'begin') {
          const facts = [connections[pick % 2]!, pick, settled.length] as const
          const begun = accounts.begin(...facts, records)
          assert.ok(!open.has(begun) && begun !== controlOwner)
          open.set(begun, { remaining: 1 + records, facts })
        } else if (owner !== undefined) {
          const batch = open.get(owner)!
          const shares = Math.min(batch.remaining, 1 + records)
          accounts.release(owner, shares)
          batch.remaining -= shares
          if (batch.remaining === 0) {
            open.delete(owner)
            expected.push(batch.facts.slice(0, 2))
          }
        }
        mostOpen = Math.max(mostOpen, open.size)
        for (const number of open.keys()) assert.ok(number < mostOpen)
        assert.equal(accounts.open, open.size)
        assert.deepEqual(settled, expected)
      }
    })
  )
})
