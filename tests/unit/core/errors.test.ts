import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  asIngestError,
  type ErrorCode,
  errorTable,
  fromWire,
  IngestError,
  toWire
} from '../../../src/core/errors.ts'

test('every code of the table carries its disposition and a sentence', () => {
  for (const [code, { disposition, summary }] of Object.entries(errorTable)) {
    const error = new IngestError(code as ErrorCode, 'what, where and what to do')
    assert.equal(error.code, code)
    assert.equal(error.disposition, disposition)
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    assert.match(summary, /^[A-Z].*\.$/, code)
  }
})

test('an error keeps its code and message across a thread, where the class would be lost', () => {
  const original = new IngestError('SOCKET_STALE', 'upbit/trade was silent for 30 s')
  const received = fromWire(structuredClone(toWire(original)))
  assert.ok(received instanceof IngestError)
  assert.equal(received.code, 'SOCKET_STALE')
  assert.equal(received.disposition, 'reconnect')
  assert.equal(received.message, original.message)
  assert.equal(received.stack, original.stack)
})

test('an error that crosses without a stack gets the one of its new home', () => {
  const received = fromWire({ code: 'USAGE', message: 'wrong', stack: null })
  assert.match(received.stack ?? '', /errors\.test/)
})

test('the stack that crosses is the one of the cause, which names the place of the fault', () => {
  const cause = new TypeError('deep down')
  const wire = toWire(new IngestError('INTERNAL', 'wrapped', { cause }))
  assert.equal(wire.stack, cause.stack)
})

test('an IngestError is passed on as it is', () => {
  const error = new IngestError('USAGE', 'wrong')
  assert.equal(asIngestError(error), error)
})

test('whatever is thrown becomes an INTERNAL error with its cause', () => {
  const thrown: unknown[] = [new TypeError('boom'), 'text', 7, null, undefined, Symbol('s'), { a: 1 }]
  for (const value of thrown) {
    const error = asIngestError(value)
    assert.equal(error.code, 'INTERNAL')
    assert.equal(error.cause, value)
    assert.equal(toWire(value).code, 'INTERNAL')
  }
  assert.equal(asIngestError(new TypeError('boom')).message, 'boom')
})

test('an object that cannot be turned into text is no second error', () => {
  assert.equal(asIngestError(Object.create(null)).code, 'INTERNAL')
})
