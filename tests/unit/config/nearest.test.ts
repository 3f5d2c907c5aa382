import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nearest } from '../../../src/config/nearest.ts'

suite('the nearest name', () => {
  test('forgives two slips in a long word, one in a short one', () => {
    assert.equal(nearest('verfiy', ['rate', 'verify']), 'verify')
    assert.equal(nearest('simulaate', ['simulate']), 'simulate')
    assert.equal(nearest('fro', ['for', 'from']), 'for')
    assert.equal(nearest('abc', ['xyc']), null)
  })

  test('is nothing when nothing is near', () => {
    assert.equal(nearest('completely', ['rate', 'seed']), null)
    assert.equal(nearest('x', []), null)
  })

  test('prefers the closer of two and ignores case', () => {
    assert.equal(nearest('clientid', ['clientIds', 'clientId']), 'clientId')
  })
})
