import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameReader } from '../../../../actors/exchange/frame-reader.ts'
import { type ExchangeAdapter, FrameClass } from '../../../../src/exchange-kit/adapter.ts'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { unknownSubscription } from '../../../../src/wire/frame-batch.ts'

/** Frames that are nothing but the name or the number of their channel. */
const bare: ExchangeAdapter = {
  ...upbit,
  peek(_bytes, start, end, found) {
    found.frameClass = FrameClass.data
    found.symbolStart = start
    found.symbolEnd = end
  }
}

function reader() {
  const instruments = ['KRW-BTC', 'KRW-ETH'].map(native => ({ symbol: native, native }))
  const frames = new FrameReader(bare, instruments, 1_000)
  const subscriptionOf = (text: string): number => {
    assert.equal(frames.read(Buffer.from(text)), null)
    return frames.subscription
  }
  return { frames, subscriptionOf }
}

test('a number that the venue gives again belongs to whoever has it now', () => {
  const { frames, subscriptionOf } = reader()
  frames.renumber({ 17: 0, 18: 1 })
  assert.deepEqual([subscriptionOf('17'), subscriptionOf('18')], [0, 1])
  frames.renumber({ 17: 1, 18: 1 })
  assert.deepEqual([subscriptionOf('17'), subscriptionOf('18')], [1, 1])
})

test('a number that was forgotten names nothing, and names stay', () => {
  const { frames, subscriptionOf } = reader()
  frames.renumber({ 17: 0 })
  frames.renumber({ 18: 0 })
  assert.equal(subscriptionOf('17'), unknownSubscription)
  assert.deepEqual([subscriptionOf('18'), subscriptionOf('KRW-ETH')], [0, 1])
})
