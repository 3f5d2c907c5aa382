import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { type DecodeOptions, decodeLines } from '../../../src/codec/decode.ts'
import { binanceFixture } from '../../fixtures/binance.ts'
import { upbitFixture } from '../../fixtures/upbit.ts'

const encoder = new TextEncoder()

async function decode(
  exchange: string,
  chunks: readonly (string | Uint8Array)[],
  options: DecodeOptions = {}
) {
  const bytes = chunks.map(chunk => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk))
  const lines: Record<string, unknown>[] = []
  for await (const line of decodeLines(exchange, Readable.from(bytes), options)) {
    lines.push(JSON.parse(line) as Record<string, unknown>)
  }
  return lines
}

const kindOf = {
  transcoded: 'data',
  ignored: 'ignored',
  control: 'control',
  dead: 'malformed'
} as const

test('each fixture frame is explained, and decodes without any subscription', async () => {
  for (const [exchange, fixture] of Object.entries({ upbit: upbitFixture, binance: binanceFixture })) {
    for (const frame of fixture.frames) {
      // Other targets' frames and unsubscribed symbols are data here; REST bodies are no frames of the stream.
      if (frame.isSnapshot === true || frame.reason === 'kind' || frame.reason === 'symbol') continue
      const lines = await decode(exchange, [frame.frame], { explain: true })
      const explanation = lines.at(-1)
      assert.equal(
        explanation?.['kind'],
        frame.reason === 'unknown' ? 'unknown' : kindOf[frame.outcome],
        frame.name
      )
      assert.equal(explanation?.['frame'], 1)
      assert.equal(explanation?.['events'], frame.events.length)
      assert.equal(explanation?.['reason'], frame.reason ?? null)
      assert.equal(lines.length, frame.events.length + 1)
      const transport = { received_ts: 0, connection_id: '', frame_seq: 0, frame_index: 0 }
      lines.slice(0, -1).forEach((line, index) => {
        assert.deepEqual({ ...line, ...transport }, { ...frame.events[index], ...transport })
      })
    }
  }
})

test('without explanation only events come out, numbered by their line', async () => {
  const trade = upbitFixture.frames.find(
    frame => frame.outcome === 'transcoded' && frame.requestType === 'trade'
  )
  const text = trade?.frame ?? ''
  const clock = { nowMicros: () => 42, setTimeout: () => null, clearTimeout: () => {} }
  const lines = await decode('upbit', [`{"status":"UP"}\n\n${text}\r\n`, `not json\n${text}`], { clock })
  assert.deepEqual(
    lines.map(line => [line['frame_seq'], line['received_ts'], line['connection_id'], line['symbol']]),
    [
      [3, 42, 'decode/upbit/trade/0/0', 'BTC-KRW'],
      [5, 42, 'decode/upbit/trade/0/0', 'BTC-KRW']
    ]
  )
})

test('lines may be cut anywhere by the stream, and invalid UTF-8 is not repaired', async () => {
  const text = `{"status":"UP"}\n{"error":{"name":"비"}}\n`
  const bytes = encoder.encode(text)
  for (let size = 1; size < 9; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size)
    )
    const lines = await decode('upbit', chunks, { explain: true })
    assert.deepEqual(
      lines.map(line => line['kind']),
      ['control', 'control']
    )
  }
  const broken = await decode('upbit', [Uint8Array.of(0x22, 0xff, 0x22, 0x0a)], { explain: true })
  assert.deepEqual(broken, [{ frame: 1, kind: 'malformed', events: 0, reason: 'invalid utf-8' }])
})

test('an unknown exchange is a wrong usage', async () => {
  await assert.rejects(decode('mtgox', []), { code: 'USAGE' })
})
