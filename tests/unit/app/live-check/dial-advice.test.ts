import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SocketEnd } from '../../../../actors/exchange/socket.ts'
import { dialAdvice } from '../../../../src/app/live-check/dial-advice.ts'
import { IngestError } from '../../../../src/core/errors.ts'
import { adapters } from '../../../../src/exchanges/registry.ts'

function advice(end: Partial<SocketEnd>): string {
  const whole = { error: null, reason: 'closed with 1006', status: null, retryAfterMs: null, code: null }
  return dialAdvice({ ...whole, ...end }, 'venue.example', adapters.binance)
}

function failed(code: string): string {
  const cause = Object.assign(new Error(`getaddrinfo ${code}`), { code })
  return advice({ error: new IngestError('SOCKET_FAILED', cause.message, { cause }) })
}

test('a name that does not resolve, a host that is away and a bad certificate are told apart', () => {
  assert.match(failed('EAI_AGAIN'), /^name resolution of venue\.example failed \(EAI_AGAIN\); check/)
  assert.match(failed('ENOTFOUND'), /^name resolution of venue\.example failed \(ENOTFOUND\)/)
  assert.match(failed('ECONNREFUSED'), /could not be reached \(ECONNREFUSED\); check the network/)
  assert.match(failed('CERT_HAS_EXPIRED'), /^TLS with venue\.example failed/)
})

test('a refusal says what its status means', () => {
  assert.match(advice({ status: 403 }), /HTTP status 403; .*another network/)
  assert.match(advice({ status: 429, retryAfterMs: 7_500 }), /wait 8 s/)
  assert.match(advice({ status: 418 }), /wait 60 s/)
  assert.match(advice({ status: 404 }), /the endpoint may have moved: compare with https:/)
  assert.match(advice({ status: 503 }), /maintenance/)
})

test('anything else is told in its own words', () => {
  assert.match(
    advice({ reason: 'the handshake did not end in time' }),
    /came about: the handshake did not end/
  )
})
