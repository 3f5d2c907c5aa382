import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, suite, test } from 'node:test'
import { AdminServer } from '../../actors/control/admin-server.ts'
import { type AdminHandlers, type TailRequest, type TailStream } from '../../actors/control/messages.ts'
import { readableTopics } from '../../actors/control/topics.ts'
import { runCli } from '../../src/cli/run.ts'
import { IngestError } from '../../src/core/errors.ts'
import { FakeIo } from '../unit/cli/fake-io.ts'
import { sampleStatus } from '../unit/cli/samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'coin-stream-admin-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Answers `tail` with whatever the test wrote into it. */
class Handlers implements AdminHandlers {
  readonly topics = readableTopics
  readonly asked: TailRequest[] = []
  stops = 0
  begin: (stream: TailStream) => void = stream => stream.end()

  status(): object {
    return sampleStatus
  }

  targets(): readonly object[] {
    return sampleStatus.targets
  }

  tail(asked: TailRequest, stream: TailStream): () => void {
    this.asked.push(asked)
    this.begin(stream)
    return () => {
      this.stops++
    }
  }
}

function ask(path: string, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method, agent: false }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

const socketPath = join(folder, 'run', 'admin.sock')
let handlers = new Handlers()
let server = new AdminServer(socketPath, handlers)

suite('the admin socket', () => {
  beforeEach(async () => {
    handlers = new Handlers()
    server = new AdminServer(socketPath, handlers)
    await server.open()
  })
  afterEach(() => server.close())

  test('can be opened by its owner only, and leaves nothing behind', async () => {
    assert.equal(statSync(socketPath).mode & 0o777, 0o600)
    assert.equal(statSync(join(folder, 'run')).mode & 0o777, 0o700)
    await server.close()
    await server.close()
    assert.equal(statSync(socketPath, { throwIfNoEntry: false }), undefined)
  })

  test('answers status and targets as JSON', async () => {
    const status = await ask('/v1/status')
    assert.equal(status.status, 200)
    assert.deepEqual(JSON.parse(status.body), sampleStatus)
    assert.deepEqual(JSON.parse((await ask('/v1/targets')).body), sampleStatus.targets)
  })

  test('refuses what it does not know with a code and a sentence', async () => {
    const cases = [
      ['/v1/nothing', 'GET', 404, /There is no \/v1\/nothing/],
      ['/v1/status', 'POST', 405, /GET \/v1\/status/],
      ['/v1/topics/secret/tail', 'GET', 404, /There is no topic secret; there are ticker-data\.korea/],
      ['/v1/topics/ws.dlq/tail?n=0', 'GET', 400, /n is a number of records/],
      ['/v1/topics/ws.dlq/tail?from=middle', 'GET', 400, /earliest or latest/],
      ['//', 'GET', 404, /There is no/]
    ] as const
    for (const [path, method, status, sentence] of cases) {
      const answer = await ask(path, method)
      assert.equal(answer.status, status, path)
      const { error } = JSON.parse(answer.body) as { error: { code: string; message: string } }
      assert.equal(error.code, 'USAGE')
      assert.match(error.message, sentence)
    }
  })

  test('gives the error of a handler as its answer', async () => {
    handlers.begin = () => {
      throw new IngestError('SINK_UNAVAILABLE', 'The records are in Kafka.')
    }
    const { status, body } = await ask('/v1/topics/ws.dlq/tail')
    assert.equal(status, 503)
    assert.deepEqual(JSON.parse(body), {
      error: { code: 'SINK_UNAVAILABLE', message: 'The records are in Kafka.' }
    })
  })

  test('streams a topic until the count is reached, and stops its source once', async () => {
    handlers.begin = stream => {
      for (let i = 0; i < 5; i++) stream.line(`{"i":${i}}`)
    }
    const { status, body } = await ask(
      '/v1/topics/trade-data.korea/tail?from=earliest&n=3&filter=korea%7Cupbit'
    )
    assert.equal(status, 200)
    assert.equal(body, '{"i":0}\n{"i":1}\n{"i":2}\n')
    assert.deepEqual(handlers.asked, [
      { topic: 'trade-data.korea', from: 'earliest', count: 3, filter: 'korea|upbit' }
    ])
    assert.equal(handlers.stops, 1)
  })

  test('tells a slow reader how many records it missed', async () => {
    const line = JSON.stringify({ text: 'x'.repeat(64 * 1024) })
    handlers.begin = stream => {
      // All within one turn: the reader cannot take any of it meanwhile.
      for (let i = 0; i < 200; i++) stream.line(line)
      stream.end()
    }
    const { body } = await ask('/v1/topics/trade-data.korea/tail')
    const lines = body.split('\n').filter(Boolean)
    const skipped = (JSON.parse(lines.at(-1)!) as { skipped: number }).skipped
    assert.ok(skipped > 0)
    assert.equal(lines.length - 1 + skipped, 200)
  })

  test('stops the source when the reader leaves', async () => {
    const stopped = new Promise<void>(resolve => {
      handlers.tail = (_request, stream) => {
        stream.line('{"first":true}')
        return resolve
      }
    })
    const outgoing = request({ socketPath, path: '/v1/topics/ws.error/tail', agent: false }, response => {
      response.once('data', () => response.destroy())
    })
    outgoing.on('error', () => undefined)
    outgoing.end()
    await stopped
  })

  test('allows a limited number of tails at once', async () => {
    let attached = 0
    const leaving: (() => void)[] = []
    const allAttached = new Promise<void>(resolve => {
      for (let i = 0; i < 8; i++) {
        const outgoing = request({ socketPath, path: '/v1/topics/ws.error/tail', agent: false }, response => {
          leaving.push(() => response.destroy())
          response.on('error', () => undefined)
          if (++attached === 8) resolve()
        })
        outgoing.on('error', () => undefined)
        outgoing.end()
      }
    })
    handlers.begin = () => undefined
    await allAttached
    const { status, body } = await ask('/v1/topics/ws.error/tail')
    assert.equal(status, 503)
    assert.match(body, /LIMIT_HIT/)
    for (const leave of leaving) leave()
  })

  test('is not taken over while another process answers on it', async () => {
    const second = new AdminServer(socketPath, handlers)
    await assert.rejects(second.open(), (error: IngestError) => {
      assert.equal(error.code, 'ADDRESS_IN_USE')
      assert.match(error.message, /Another process answers on the admin socket .*--socket/)
      return true
    })
    assert.equal((await ask('/v1/status')).status, 200)
  })

  test('takes the place of a socket that nobody answers on, but never of a file', async () => {
    const stale = join(folder, 'stale.sock')
    const abandoned = createServer()
    await new Promise<void>(resolve => abandoned.listen(stale, resolve))
    // Node removes the file of a server it closes, so the stale one is left behind under a second name.
    const { renameSync } = await import('node:fs')
    renameSync(stale, `${stale}.kept`)
    await new Promise(resolve => abandoned.close(resolve))
    renameSync(`${stale}.kept`, stale)
    const heir = new AdminServer(stale, handlers)
    await heir.open()
    await heir.close()

    const file = join(folder, 'notes.txt')
    writeFileSync(file, 'keep me')
    await assert.rejects(new AdminServer(file, handlers).open(), { code: 'ADDRESS_IN_USE' })
    assert.equal(statSync(file).size, 7)
  })

  test('is what coin-stream status shows', async () => {
    const io = new FakeIo()
    assert.equal(await runCli(['status', '--socket', socketPath], io), 0)
    assert.match(io.stdout, /^coin-stream running, up /)
    assert.match(io.stdout, /\nupbit\/orderbook +live/)
    assert.match(io.stdout, /\nthreads conn-0 running, producer running \(restarted 2 times\)\n$/)
    const json = new FakeIo()
    assert.equal(await runCli(['status', '--json', '--socket', socketPath], json), 0)
    assert.deepEqual(JSON.parse(json.stdout), sampleStatus)
  })

  test('is what coin-stream tail reads', async () => {
    handlers.begin = stream => {
      for (let i = 0; i < 5; i++) stream.line(`{"i":${i}}`)
    }
    const io = new FakeIo()
    const words = ['tail', 'trade-data.korea', '-n', '2', '--from', 'earliest', '--filter', 'korea|upbit']
    assert.equal(await runCli([...words, '--socket', socketPath], io), 0)
    assert.equal(io.stdout, '{"i":0}\n{"i":1}\n')
    assert.equal(handlers.asked[0]?.filter, 'korea|upbit')
  })

  test('ends a tail whose reader has closed its output', async () => {
    const io = new FakeIo()
    handlers.begin = stream => {
      stream.line('{"i":0}')
      setImmediate(() => io.closeOut())
    }
    assert.equal(await runCli(['tail', 'trade-data.korea', '--socket', socketPath], io), 0)
  })
})
