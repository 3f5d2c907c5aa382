import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessagePacer, requestsWaitingMax } from '../../../../actors/exchange/message-pacer.ts'
import { type MessageRate } from '../../../../src/exchange-kit/adapter.ts'
import { SharedLedger } from '../../../../src/wire/shared-ledger.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

/** Eight requests an hour are ours of these ten. */
const requestsOnly: MessageRate = { count: 10, windowMs: 3_600_000, counts: 'requests' }
/** Four messages a second are ours of these five. */
const everything: MessageRate = { count: 5, windowMs: 1_000, counts: 'messages' }

function rig(...limits: MessageRate[]) {
  const clock = new ManualClock()
  const account = new SharedLedger(1, 1).frames(0)
  const sent: string[] = []
  const pacer = new MessagePacer(clock, limits, account, frame => sent.push(frame))
  return { clock, account, sent, pacer, taken: () => sent.splice(0) }
}

test('pings and replies do not wait for a limit that counts only requests, nor use it up', () => {
  const { clock, pacer, taken } = rig(requestsOnly)
  for (let n = 0; n < 9; n++) pacer.send(`request ${n}`)
  assert.equal(taken().length, 8)
  for (let n = 0; n < 100; n++) {
    clock.advance(20_000)
    pacer.ping(`ping ${n}`)
    pacer.reply(`pong ${n}`)
  }
  assert.equal(taken().length, 200)
  clock.advance(3_600_000 - 2_000_000)
  assert.deepEqual(taken(), ['request 8'])
})

test('a limit that counts all messages holds everything, and lets go first what keeps the socket alive', () => {
  const { clock, pacer, taken } = rig(everything, requestsOnly)
  for (let n = 0; n < 6; n++) pacer.send(`request ${n}`)
  pacer.ping('ping')
  pacer.reply('pong')
  assert.deepEqual(taken(), ['request 0', 'request 1', 'request 2', 'request 3'])
  clock.advance(1_000)
  assert.deepEqual(taken(), ['pong', 'ping', 'request 4', 'request 5'])
})

test('a ping that waits is not held up by a request that waits longer', () => {
  const { clock, pacer, taken } = rig(everything, { count: 1, windowMs: 60_000, counts: 'requests' })
  pacer.send('request 0')
  pacer.send('request 1')
  for (let n = 0; n < 3; n++) pacer.ping(`ping ${n}`)
  pacer.ping('ping 3')
  assert.deepEqual(taken(), ['request 0', 'ping 0', 'ping 1', 'ping 2'])
  clock.advance(1_000)
  assert.deepEqual(taken(), ['ping 3'])
  clock.advance(60_000 * 1.25)
  assert.deepEqual(taken(), ['request 1'])
})

test('of pings and replies that wait only the newest of each is sent, and the others are counted', () => {
  const { clock, account, pacer, taken } = rig({ count: 1, windowMs: 100, counts: 'messages' })
  for (let n = 0; n < 1_000; n++) pacer.reply(`pong ${n}`)
  for (let n = 0; n < 10; n++) pacer.ping(`ping ${n}`)
  assert.deepEqual(taken(), ['pong 0'])
  assert.equal(account.get('keepAlivesReplaced'), 998 + 9)
  clock.advance(60_000)
  assert.deepEqual(taken(), ['pong 999', 'ping 9'])
  assert.equal(clock.pendingTimers, 0)
})

test('requests keep their order, and tell when they are on their way', () => {
  const { clock, pacer, sent } = rig(everything)
  for (let n = 0; n < 6; n++) pacer.send(`${n}`, () => sent.push(`sent ${n}`))
  assert.equal(sent.length, 8)
  clock.advance(1_000)
  assert.deepEqual(
    sent,
    ['0', '1', '2', '3', '4', '5'].flatMap(n => [n, `sent ${n}`])
  )
})

test('requests that find no room are dropped and counted, and the pacer says that it is overfull', () => {
  const { account, pacer } = rig(requestsOnly)
  for (let n = 0; n < 8 + requestsWaitingMax; n++) pacer.send('request')
  assert.equal(pacer.isOverfull, false)
  for (let n = 0; n < 3; n++) pacer.send('request')
  assert.equal(pacer.isOverfull, true)
  assert.equal(account.get('requestsDropped'), 3)
})

test('one that was stopped sends nothing more, whatever it is given', () => {
  const { clock, pacer, taken } = rig(everything)
  for (let n = 0; n < 6; n++) pacer.send('request')
  taken()
  pacer.stop()
  pacer.send('request')
  pacer.ping('ping')
  pacer.reply('pong')
  clock.advance(60_000)
  assert.deepEqual(taken(), [])
  assert.equal(clock.pendingTimers, 0)
})
