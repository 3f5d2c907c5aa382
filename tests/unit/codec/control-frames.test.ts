import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameDecoder } from '../../../src/codec/decode.ts'
import { createTranscoder } from '../../../src/codec/transcode.ts'
import { FrameKind } from '../../../src/wire/frame-batch.ts'
import { FrameOutcome } from '../../../src/wire/record-batch.ts'
import { batchOf, contextOf, transcodeFrames } from '../../support/codec.ts'

const instruments = [
  { symbol: 'BTC-USD', native: 'tBTCUSD' },
  { symbol: 'ETH-USD', native: 'tETHUSD' }
]
const channelIds = { 17: 0, 42: 1 }
const update = '[42,[3000.5,2,-1.25],8,1790000000614]'
const checksum = '[42,"cs",-1216592379,9,1790000000615]'

test('a heartbeat that says nothing else is a control frame, also when it is no JSON', () => {
  const context = contextOf('okx', 'trade', [{ symbol: 'BTC-USDT', native: 'BTC-USDT' }])
  const frames = ['pong', 'ponk', 'pong pong', 'pong'].map(frame => ({ frame }))
  const batch = transcodeFrames(context, [...frames, { frame: 'pong', kind: FrameKind.snapshot }])
  const { control, dead } = FrameOutcome
  assert.deepEqual(
    [0, 1, 2, 3, 4].map(frame => batch.outcome(frame)),
    [control, dead, dead, control, dead]
  )
  assert.equal(batch.reason(0), 'none')
  assert.equal(batch.reason(4), 'malformed json', 'the body of a REST answer is no heartbeat')
})

test('a checksum stands in the row of its frame, with its book, in every form of the batch', () => {
  for (const format of ['avro', 'json'] as const) {
    const context = contextOf('bitfinex', 'orderbook', instruments, { channelIds, format })
    const frames = [update, checksum, '[17,"cs",3078374917,10]', '[17,"cs",0,11]', update]
    const copied = transcodeFrames(context, frames)
    const inPlace = createTranscoder().transcodeInPlace(batchOf(frames.map(frame => ({ frame }))), context)
    for (const batch of [copied, inPlace]) {
      assert.equal(batch.records, 2)
      assert.deepEqual(
        [0, 1, 2, 3, 4].map(frame => [
          batch.outcome(frame),
          batch.hasChecksum(frame),
          batch.frameChecksum(frame),
          batch.frameSubscription(frame)
        ]),
        [
          [FrameOutcome.transcoded, false, 0, 1],
          [FrameOutcome.control, true, -1216592379, 1],
          [FrameOutcome.control, true, 3078374917 | 0, 0],
          [FrameOutcome.control, true, 0, 0],
          [FrameOutcome.transcoded, false, 0, 1]
        ]
      )
    }
  }
})

test('a checksum that nobody can use is ignored or dead', () => {
  const reasonOf = (frame: string, requestType: 'orderbook' | 'trade' = 'orderbook') => {
    const batch = transcodeFrames(contextOf('bitfinex', requestType, instruments, { channelIds }), [frame])
    assert.equal(batch.hasChecksum(0), false)
    return [batch.outcome(0), batch.reason(0)]
  }
  const { ignored, dead } = FrameOutcome
  assert.deepEqual(reasonOf('[99,"cs",1,9]'), [ignored, 'symbol'])
  assert.deepEqual(reasonOf(checksum, 'trade'), [ignored, 'kind'])
  assert.deepEqual(reasonOf('[42,"cs","much",9]'), [dead, 'field invalid'])
  assert.deepEqual(reasonOf('[42,"cs"]'), [dead, 'field missing'])
})

function decodeAll(lines: readonly string[]): { symbols: unknown[]; kinds: unknown[] } {
  const decoder = new FrameDecoder('bitfinex', { explain: true })
  const answers = lines
    .flatMap(line => decoder.decode(new TextEncoder().encode(line)))
    .map(text => JSON.parse(text) as Record<string, unknown>)
  return {
    symbols: answers.filter(answer => 'symbol' in answer).map(answer => answer['symbol']),
    kinds: answers.filter(answer => 'kind' in answer && 'frame' in answer).map(answer => answer['kind'])
  }
}

const subscribed = (symbol: string, chanId: number) =>
  `{"event":"subscribed","channel":"book","chanId":${chanId},"symbol":"${symbol}","prec":"P0","freq":"F0","len":"25"}`

test('a recording teaches the decoder whose the numbered channels are', () => {
  const { symbols, kinds } = decodeAll([
    update,
    subscribed('tETHUSD', 42),
    update,
    subscribed('tBTCUSD', 17),
    update.replace('42', '17'),
    update,
    checksum,
    '[42,"hb",10]',
    subscribed('tBTCUSD', 42),
    update
  ])
  assert.deepEqual(symbols, ['ETH-USD', 'BTC-USD', 'ETH-USD', 'BTC-USD'])
  assert.deepEqual(kinds, [
    'ignored',
    'control',
    'data',
    'control',
    'data',
    'data',
    'control',
    'control',
    'control',
    'data'
  ])
})

test('what is broken for one kind of target is told as broken, although it is of another kind for the rest', () => {
  const { kinds } = decodeAll([
    subscribed('tETHUSD', 42),
    '[42,"te",[1,1790000000135,"much",61234],18]',
    '[42,"cs","much",9]',
    '[42,"tu",[1,1790000000135,0.5,61234],18]',
    '[42,"riddle",1]',
    '[42'
  ])
  assert.deepEqual(kinds, ['control', 'malformed', 'malformed', 'ignored', 'unknown', 'malformed'])
})
