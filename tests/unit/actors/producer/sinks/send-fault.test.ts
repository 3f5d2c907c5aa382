import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { classifySendFault } from '../../../../../actors/producer/sinks/send-fault.ts'

function protocolError(code: number, message = 'told by the broker.'): Error {
  return Object.assign(new Error(message), { code })
}

suite('the fault of a send', () => {
  test('is found below what the client wraps around it', () => {
    const wrapped = new Error('gave up', { cause: new Error('again', { cause: protocolError(10) }) })
    assert.deepEqual(classifySendFault(wrapped), { kind: 'split', message: 'told by the broker (10)' })
  })

  test('means by its number what becomes of the batch', () => {
    const kinds = [46, 45, 47, 59, 10, 87, 17, 76, 6, 7, 29].map(
      code => classifySendFault(protocolError(code)).kind
    )
    assert.deepEqual(kinds, [
      'written',
      'renew',
      'renew',
      'renew',
      'split',
      'split',
      'reject',
      'reject',
      'retry',
      'retry',
      'retry'
    ])
  })

  test('is to try again when it is anything else', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    assert.deepEqual(classifySendFault(refused), { kind: 'retry', message: 'connect ECONNREFUSED' })
    assert.deepEqual(classifySendFault('a text'), { kind: 'retry', message: 'a text' })
    const circular = new Error('circular')
    circular.cause = circular
    assert.equal(classifySendFault(circular).kind, 'retry')
  })
})
