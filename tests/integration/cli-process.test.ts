import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'

const main = new URL('../../src/main.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'coin-stream-process-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const trade =
  '{"e":"trade","E":1700000000123,"s":"BTCUSDT","t":123,"p":"0.00100000","q":"1.50000000","T":1700000000120,"m":true,"M":true}'

function run(words: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  child.stdin.on('error', () => undefined)
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    ...output
  }))
  return { child, ended }
}

suite('the coin-stream process', () => {
  test('ends with 0, 1 and 2, with documents on stdout and complaints on stderr', async () => {
    const [help, wrong, nobody] = await Promise.all([
      run(['--help']).ended,
      run(['start', '--for', 'soon']).ended,
      run(['status']).ended
    ])
    assert.deepEqual([help.code, wrong.code, nobody.code], [0, 2, 1])
    assert.ok(help.stdout.startsWith('Usage: coin-stream') && help.stderr === '')
    assert.match(wrong.stderr, /^coin-stream.*--for takes a duration.*\n$/)
    assert.match(nobody.stderr, /^coin-stream: No coin-stream service answers on run\/admin\.sock; .*\n$/)
    assert.equal(wrong.stdout + nobody.stdout, '')
  })

  test('fails when the disk behind stdout is full', async t => {
    if (process.platform !== 'linux') return t.skip('needs /dev/full')
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [main, 'exchanges'], {
      cwd: folder,
      stdio: ['ignore', full, 'pipe']
    })
    let stderr = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const [code] = (await once(child, 'close')) as [number]
    closeSync(full)
    assert.equal(code, 1)
    assert.match(stderr, /^coin-stream: stdout cannot be written: ENOSPC.*\n$/)
  })

  test('says in one sentence why its socket cannot be opened', async () => {
    writeFileSync(join(folder, 'file'), '')
    const { code, stderr } = await run(['demo', '--for', '1s', '--socket', 'file/admin.sock']).ended
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^coin-stream: The admin socket file\/admin\.sock cannot be opened: .* with --socket\.$/m
    )
    assert.doesNotMatch(stderr, /^ {4}at /m)
  })

  test('reports five configuration faults at once', async () => {
    const { code, stderr } = await run(['config', 'check'], {
      KAFKA_BROKERS: 'localhost',
      SCHEMA_REGISTRY_URL: 'registry:8081',
      COIN_STREAM_LOG_LEVEL: 'loud',
      COIN_STREAM_LIMITS_CREDIT_BYTES: '64MB',
      COIN_STREAM_THREADS_CODEC: '1'
    }).ended
    assert.equal(code, 2)
    assert.match(stderr, /^coin-stream: The configuration has 5 faults:\n( {2}.+\n){5}$/)
  })

  test('decodes a live stream frame by frame', async () => {
    const { child, ended } = run(['decode', 'binance'])
    child.stdin.write(`${trade}\n`)
    // The first event must appear before the input has ended.
    await once(child.stdout, 'data')
    child.stdin.end(`${trade}\n`)
    const { code, stdout } = await ended
    assert.equal(code, 0)
    assert.equal(stdout.split('\n').filter(Boolean).length, 2)
  })

  test('ends quietly when its reader has gone', async () => {
    const { child, ended } = run(['decode', 'binance'])
    child.stdin.write(`${`${trade}\n`.repeat(2000)}`)
    child.stdout.once('data', () => {
      child.stdout.destroy()
      child.stdin.end(`${trade}\n`.repeat(2000))
    })
    const { code, stderr } = await ended
    assert.equal(code, 0)
    assert.equal(stderr, '')
  })

  test('does not start where another process has the admin socket', async () => {
    const path = join(folder, 'taken.sock')
    const holder = createServer().listen(path)
    await once(holder, 'listening')
    const { code, stderr } = await run(['start', '--simulate', '--for', '1s', '--socket', path]).ended
    holder.close()
    assert.equal(code, 1)
    assert.match(
      stderr,
      /coin-stream: Another process answers on the admin socket .*taken\.sock; .*--socket\./
    )
  })

  test('names what cannot be reached when Kafka is asked for a tail', async () => {
    const holder = createServer(socket => socket.destroy()).listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const address = holder.address()
    assert.ok(typeof address === 'object' && address !== null)
    const env = { KAFKA_BROKERS: `127.0.0.1:${address.port}`, SCHEMA_REGISTRY_URL: 'none' }
    const { code, stderr } = await run(['tail', 'trade-data.korea', '-n', '1'], env).ended
    holder.close()
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^coin-stream: Kafka at (\S+) cannot be read: \1 closes connections without a word; .*\.\n$/
    )
  })
})
