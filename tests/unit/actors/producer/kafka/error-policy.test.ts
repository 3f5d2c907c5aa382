import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Action, faultText, policyOf } from '../../../../../actors/producer/kafka/error-policy.ts'

const codesByAction: Readonly<Record<Action, readonly number[]>> = {
  written: [0, 46],
  refresh: [3, 5, 6, 9, 56, 72, 74, 75],
  retry: [-1, 2, 7, 13, 19, 20, 89],
  split: [10, 18, 32, 87],
  reject: [17, 43, 76],
  renew: [45, 47, 59, 90],
  alert: [29, 31, 35, 58]
}

suite('what a broker’s answer means', () => {
  for (const [action, codes] of Object.entries(codesByAction)) {
    test(`${codes.join(', ')}: ${action}`, () => {
      assert.deepEqual(
        codes.map(code => policyOf(code).action),
        codes.map(() => action)
      )
    })
  }

  test('a code that nobody knows is retried, and leaves the batch’s fate open', () => {
    for (const code of [-2, 89 + 1000, 12345]) {
      assert.equal(policyOf(code).action, 'retry')
      assert.equal(policyOf(code).mayBeWritten, true)
    }
  })

  test('only answers that may follow a write leave the fate open', () => {
    for (const code of [6, 7, 13, 20, 56, -1]) assert.equal(policyOf(code).mayBeWritten, true, String(code))
    for (const code of [2, 3, 5, 10, 19, 29, 45, 87]) {
      assert.equal(policyOf(code).mayBeWritten, false, String(code))
    }
  })

  test('a sentence names the partition and the code', () => {
    assert.equal(
      faultText('trade-data.asia', 3, 29),
      'trade-data.asia/3 may not be written by this user (topic authorization) (error 29)'
    )
  })
})
