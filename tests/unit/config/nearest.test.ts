import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nearest, nearestFew, orList } from '../../../src/config/nearest.ts'

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

  test('the nearest few come by distance, then by how much of their beginning is alike', () => {
    const names = ['ETC-KRW', 'BTC-KRW', 'BTG-KRW', 'SOL-KRW', 'BTC-USDT', 'BTT-KRW']
    assert.deepEqual(nearestFew('BTC-KRWW', names, 3), ['BTC-KRW', 'BTG-KRW', 'BTT-KRW'])
    assert.deepEqual(nearestFew('BTC-KRWW', names, 1), ['BTC-KRW'])
    assert.deepEqual(nearestFew('DOGE-KRW', names, 3), [])
  })

  test('names are told as a list of choices', () => {
    assert.equal(orList([]), '')
    assert.equal(orList(['A']), 'A')
    assert.equal(orList(['A', 'B']), 'A or B')
    assert.equal(orList(['A', 'B', 'C']), 'A, B or C')
  })
})
