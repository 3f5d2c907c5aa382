import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { runCli } from '../../../src/cli/run.ts'
import { FakeIo } from './fake-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'coin-stream-decode-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const trade =
  '{"e":"trade","E":1700000000123,"s":"BTCUSDT","t":123,"p":"0.00100000","q":"1.50000000","T":1700000000120,"m":true,"M":true}'

async function decode(
  words: readonly string[],
  input = ''
): Promise<{ code: number; lines: string[]; stderr: string }> {
  const io = new FakeIo(input)
  const code = await runCli(['decode', ...words], io)
  return { code, lines: io.stdout.split('\n').filter(Boolean), stderr: io.stderr }
}

suite('coin-stream decode', () => {
  test('turns frames of stdin or a file into events with the very digits', async () => {
    const file = join(folder, 'frames.ndjson')
    writeFileSync(file, `${trade}\n\n${trade}\n`)
    for (const { code, lines } of [
      await decode(['binance', file]),
      await decode(['binance'], `${trade}\n${trade}`)
    ]) {
      assert.equal(code, 0)
      assert.equal(lines.length, 2)
      const event = JSON.parse(lines[0]!) as Record<string, unknown>
      assert.deepEqual(
        [event['symbol'], event['price'], event['size'], event['trade_id'], event['side']],
        ['BTC-USDT', '0.00100000', '1.50000000', '123', 'SELL']
      )
    }
  })

  test('explains each frame on request and counts the dead ones on stderr either way', async () => {
    const input = `${trade}\n{"e":\n`
    const explained = await decode(['binance', '-', '--explain'], input)
    assert.deepEqual(JSON.parse(explained.lines[1]!), { frame: 1, kind: 'data', events: 1, reason: null })
    assert.equal((JSON.parse(explained.lines[2]!) as { kind: string }).kind, 'malformed')
    const plain = await decode(['binance'], input)
    assert.equal(plain.lines.length, 1)
    assert.match(plain.stderr, /1 of 2 frames could not be decoded; --explain tells which\./)
    assert.equal(plain.code, 0)
    assert.equal((await decode(['binance'], '{"e":\n')).code, 1, 'none of them could')
  })

  test('refuses unknown exchanges with 2 and unreadable files with 1', async () => {
    const unknown = await decode(['binnance'])
    assert.equal(unknown.code, 2)
    assert.match(unknown.stderr, /There is no exchange "binnance"; did you mean binance\?/)
    assert.equal((await decode([])).code, 2)
    assert.equal((await decode(['mtgox'])).code, 2)
    for (const file of [join(folder, 'absent'), folder]) {
      const { code, stderr } = await decode(['upbit', file])
      assert.equal(code, 1)
      assert.match(stderr, /^coin-stream: The file .* cannot be read: /)
    }
  })
})
