import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { fetchRest } from '../../../../actors/exchange/rest.ts'
import { SystemClock } from '../../../../src/core/clock.ts'

suite('a REST request', () => {
  const server = createServer((request, response) => {
    // Anything else is never answered.
    if (request.url === '/body') response.end('[1]')
    else if (request.url === '/half') response.write('[')
  })
  let origin = ''

  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  function get(path: string, signal: AbortSignal | null, timeoutMs = 10_000) {
    const bodyBytesMax = 1_000
    return fetchRest({ url: origin + path, timeoutMs, bodyBytesMax, clock: new SystemClock(), signal })
  }

  test('is answered whoever may abort it', async () => {
    const aborter = new AbortController()
    for (const signal of [null, aborter.signal]) {
      const answer = await get('/body', signal)
      assert.equal(answer.type === 'body' && Buffer.from(answer.bytes).toString(), '[1]')
    }
    aborter.abort()
  })

  test('ends with a failure when it is not wanted any more, before the answer or within it', async () => {
    for (const path of ['/silence', '/half']) {
      const aborter = new AbortController()
      const asked = once(server, 'request')
      const answering = get(path, aborter.signal)
      await asked
      aborter.abort()
      const answer = await answering
      assert.equal(answer.type === 'failed' && answer.message, 'it is not wanted any more')
    }
    const answer = await get('/body', AbortSignal.abort())
    assert.equal(answer.type === 'failed' && answer.message, 'it is not wanted any more')
  })

  test('ends with a failure when its time is up', async () => {
    const answer = await get('/silence', null, 20)
    assert.equal(answer.type === 'failed' && answer.message, 'no answer in time')
  })
})
