import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { ThreadRef } from '../../../../actors/runtime/thread-ref.ts'
import { type EchoData, type EchoOrder, type EchoReport } from '../../../support/echo-messages.ts'

/** The fixture thread and its reports in order; a promise for each that is still to come. */
class Echo {
  readonly ref: ThreadRef<EchoOrder, EchoReport>
  readonly #reports: EchoReport[] = []
  #onReport: (() => void) | null = null

  constructor(data: EchoData = { pod: 'p' }, transfer: readonly MessagePort[] = []) {
    const entry = new URL('../../../support/echo-thread.js', import.meta.url)
    this.ref = new ThreadRef('echo', entry, data, transfer, report => {
      this.#reports.push(report)
      this.#onReport?.()
    })
  }

  async next(): Promise<EchoReport> {
    if (this.#reports.length === 0) {
      await new Promise<void>(resolve => {
        this.#onReport = resolve
      })
    }
    return this.#reports.shift()!
  }
}

test('a thread gets its data, and messages travel both ways in order', async () => {
  const echo = new Echo({ pod: 'a-pod' })
  assert.deepEqual(await echo.next(), { ready: 'a-pod' })
  for (const text of ['a', 'b', 'c']) echo.ref.post({ echo: text })
  assert.deepEqual(
    [await echo.next(), await echo.next(), await echo.next()],
    [{ echo: 'a' }, { echo: 'b' }, { echo: 'c' }]
  )
  await echo.ref.terminate()
})

test('a buffer is transferred, not copied: it is gone here', async () => {
  const echo = new Echo()
  await echo.next()
  const buffer = new ArrayBuffer(77)
  echo.ref.post({ size: buffer }, [buffer])
  assert.equal(buffer.byteLength, 0)
  assert.deepEqual(await echo.next(), { size: 77 })
  await echo.ref.terminate()
})

test('a port may travel with the first data', async () => {
  const { port1, port2 } = new MessageChannel()
  const heard = once(port1, 'message')
  const echo = new Echo({ pod: 'a-pod', port: port2 }, [port2])
  assert.deepEqual(await heard, [{ ready: 'a-pod' }])
  port1.close()
  await echo.ref.terminate()
})

test('a thread that was asked to end ends without an error, however often it is asked', async () => {
  const echo = new Echo()
  await echo.next()
  await Promise.all([echo.ref.terminate(), echo.ref.terminate()])
  assert.equal(await echo.ref.exited, null)
  await echo.ref.terminate()
  echo.ref.post({ echo: 'nobody hears this' })
})

test('a thread that is killed has exited as one that crashed', async () => {
  const echo = new Echo()
  await echo.next()
  await echo.ref.kill()
  const error = await echo.ref.exited
  assert.equal(error?.code, 'THREAD_EXITED')
  assert.match(error.message, /thread echo ended without being asked to: exit code 1/)
})

test('an exception in a thread ends it, and is the cause of the error', async () => {
  const echo = new Echo()
  await echo.next()
  echo.ref.post({ end: 'throw' })
  const error = await echo.ref.exited
  assert.equal(error?.code, 'THREAD_EXITED')
  assert.match(error.message, /thrown in the thread/)
  assert.equal((error.cause as Error).name, 'RangeError')
})

for (const code of [0, 7]) {
  test(`a thread that ends by itself with code ${code} was not asked to`, async () => {
    const echo = new Echo()
    await echo.next()
    echo.ref.post({ end: code })
    assert.match((await echo.ref.exited)?.message ?? '', new RegExp(`exit code ${code}`))
  })
}
