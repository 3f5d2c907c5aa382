import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IngestError } from '../../../../src/core/errors.ts'
import { type ExchangeAdapter } from '../../../../src/exchange-kit/adapter.ts'
import { binance } from '../../../../src/exchanges/binance.ts'
import { acknowledge, binanceFrame, exchangeRig } from './rig.ts'

const gone = new IngestError('SOCKET_FAILED', 'gone')
const refusal = '{"error":{"code":2,"msg":"Invalid request: invalid symbol"},"id":1}'
const adapter: ExchangeAdapter = { ...binance, limits: { ...binance.limits, connectionAgeMaxMs: 20_000 } }

/** A connection that is old enough for a second one to be opened beside it. */
async function rotating(symbols: readonly string[] = ['BTC-USDT']) {
  const rig = await exchangeRig({ adapter, requestType: 'trade', symbols })
  acknowledge(rig.socket())
  rig.pass(19)
  const [old, fresh] = rig.sockets
  assert.equal(rig.sockets.length, 2)
  /** Lets seconds pass in which both sockets show that they live. */
  const pass = (seconds: number): void => {
    for (let second = 0; second < seconds; second++) {
      for (const socket of [old!, fresh!]) if (!socket.isEnded) socket.receive('{"result":null,"id":999}')
      rig.pass(1)
    }
  }
  return { rig, old: old!, fresh: fresh!, pass }
}

test('a replacement whose symbols are all refused is forgotten, and another one is tried later', async () => {
  const { rig, old, fresh, pass } = await rotating()
  fresh.open()
  fresh.receive(refusal)
  assert.equal(fresh.isClosing, true)
  fresh.end()
  pass(50)
  assert.deepEqual([rig.sockets.length, rig.state()], [2, 'live'])
  pass(12)
  assert.equal(rig.sockets.length, 3)
  acknowledge(rig.socket())
  assert.deepEqual([old.isClosing, rig.state()], [true, 'live'])
  rig.close()
})

test('an old connection that is lost after its replacement was refused is dialled again', async () => {
  const { rig, old, fresh } = await rotating()
  fresh.open()
  fresh.receive(refusal)
  old.end(gone)
  fresh.end()
  rig.clock.advance(5_000)
  assert.equal(rig.sockets.length, 3)
  acknowledge(rig.socket())
  assert.equal(rig.state(), 'live')
  rig.close()
})

test('an old connection goes on while its replacement has nothing confirmed', async () => {
  const { rig, old, fresh, pass } = await rotating()
  fresh.open()
  pass(120)
  assert.equal(old.isClosing, false)
  fresh.receive('{"result":null,"id":1}')
  rig.pass(1)
  assert.equal(old.isClosing, true)
  rig.close()
})

test('a replacement that has not everything confirmed is waited for, but not for ever', async () => {
  const { rig, old, fresh, pass } = await rotating(['BTC-USDT', 'ETH-USDT'])
  fresh.open()
  fresh.receive(binanceFrame('BTCUSDT', 'trade'))
  pass(35)
  assert.equal(old.isClosing, false)
  pass(20)
  assert.equal(old.isClosing, true)
  rig.close()
})
