import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { LogChunkWriter, type LogRoute } from '../../../src/wire/log-chunk.ts'
import { VerifyMessage } from '../../../src/wire/log-port.ts'
import { KeepingReader } from '../../support/embedded-log.ts'

const route: LogRoute = { id: 3, topic: 'trade-data.asia', partition: 0, key: 'k' }

function message(type: number, body: Uint8Array = new Uint8Array()): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32LE(body.length)
  header.writeUInt8(type, 4)
  return Buffer.concat([header, body])
}

function chunk(values: readonly string[], routeId = route.id): Buffer {
  const writer = new LogChunkWriter(64)
  for (const value of values) {
    const bytes = Buffer.from(value)
    writer.append(routeId, 1, bytes, 0, bytes.length)
  }
  return message(VerifyMessage.chunk, new Uint8Array(writer.take()))
}

const routeMessage = message(VerifyMessage.route, Buffer.from(JSON.stringify(route)))

/** A log whose every byte the test decides. */
async function withLog(
  serve: (socket: Socket) => Promise<void>,
  use: (checker: KeepingReader) => Promise<void>
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'coin-stream-reader-'))
  const path = join(folder, 'verify.sock')
  let serving: Promise<void> = Promise.resolve()
  const server = createServer(socket => {
    serving = serve(socket)
  })
  server.listen(path)
  await once(server, 'listening')
  const checker = new KeepingReader(path)
  try {
    await use(checker)
    await serving
  } finally {
    await checker.reader.close()
    server.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function write(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise(resolve => socket.write(bytes, () => resolve()))
}

suite('the reader of the embedded log', () => {
  test('reads records however the bytes are cut', async () => {
    const values = Array.from({ length: 30 }, (_, i) => `value ${i} ${'x'.repeat(i * 7)}`)
    const bytes = Buffer.concat([
      message(VerifyMessage.attached),
      routeMessage,
      chunk(values.slice(0, 10)),
      chunk(values.slice(10)),
      message(VerifyMessage.end)
    ])
    for (const step of [1, 3, 7, 64, 1000, bytes.length]) {
      await withLog(
        async socket => {
          socket.setNoDelay(true)
          for (let at = 0; at < bytes.length; at += step) await write(socket, bytes.subarray(at, at + step))
          socket.end()
        },
        async checker => {
          await checker.reader.attach()
          await checker.reader.finish(10_000)
          assert.deepEqual(
            checker.records.map(({ value }) => value),
            values
          )
          assert.deepEqual(checker.notes, [])
        }
      )
    }
  })

  test('notes a log that breaks off without its end', async () => {
    await withLog(
      async socket => {
        await write(socket, Buffer.concat([message(VerifyMessage.attached), routeMessage, chunk(['a'])]))
        socket.end()
      },
      async checker => {
        await checker.reader.attach()
        await checker.reader.finish(10_000)
        assert.equal(checker.records.length, 1)
        assert.match(checker.notes.join(), /broke off without its end/)
      }
    )
  })

  test('notes a record of a route that was never told', async () => {
    await withLog(
      async socket => {
        await write(
          socket,
          Buffer.concat([message(VerifyMessage.attached), chunk(['a'], 9), message(VerifyMessage.end)])
        )
        socket.end()
      },
      async checker => {
        await checker.reader.attach()
        await checker.reader.finish(10_000)
        assert.match(checker.notes.join(), /unknown route 9/)
      }
    )
  })

  test('gives up on a length that cannot be', async () => {
    await withLog(
      async socket => {
        await write(socket, Buffer.concat([message(VerifyMessage.attached), Buffer.alloc(5, 0xff)]))
      },
      async checker => {
        await checker.reader.attach()
        await checker.reader.finish(10_000)
        assert.match(checker.notes.join(), /cannot be right/)
      }
    )
  })

  test('says which socket does not answer', async () => {
    const { reader } = new KeepingReader(join(tmpdir(), 'coin-stream-nobody.sock'))
    await assert.rejects(reader.attach(), {
      code: 'SERVICE_UNREACHABLE',
      message: /coin-stream-nobody\.sock/
    })
  })

  test('says that the service must be stopped first when the end does not come', async () => {
    await withLog(
      async socket => {
        await write(socket, message(VerifyMessage.attached))
      },
      async checker => {
        await checker.reader.attach()
        await assert.rejects(checker.reader.finish(1), {
          code: 'SINK_UNAVAILABLE',
          message: /stop the service/
        })
      }
    )
  })
})
