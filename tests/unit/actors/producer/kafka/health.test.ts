import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Health } from '../../../../../actors/producer/kafka/health.ts'
import { Settlements } from '../../../../support/settlements.ts'

function start(): { health: Health; told: () => readonly boolean[]; settlements: Settlements } {
  const settlements = new Settlements()
  const health = new Health(['a:1', 'b:2'], settlements)
  return { health, settlements, told: () => settlements.availabilities.map(({ isUp }) => isUp) }
}

suite('whether Kafka takes records', () => {
  test('a trouble of a moment is not told', () => {
    const { health, told } = start()
    const partition = {}
    health.failing(partition, 'it moves', 0)
    health.tick(500)
    health.recovered(partition)
    health.tick(5_000)
    assert.deepEqual(told(), [])
  })

  test('one that lasts is told once, in a sentence with the brokers, and so is its end', () => {
    const { health, told, settlements } = start()
    const partition = {}
    health.failing(partition, 'a/1 has no leader', 0)
    health.failing(partition, 'a/1 has no leader', 600)
    health.tick(1_000)
    health.failing(partition, 'a/1 has no leader', 1_200)
    assert.deepEqual(settlements.availabilities, [
      {
        isUp: false,
        message:
          'Kafka at a:1, b:2 does not take records: a/1 has no leader. They wait in order and are sent when it does.'
      }
    ])
    health.recovered(partition)
    health.worked()
    assert.deepEqual(told(), [false, true])
  })

  test('one that only an operator can end is told at once', () => {
    const { health, told } = start()
    health.failing({}, 'no rights', 0, true)
    assert.deepEqual(told(), [false])
  })

  test('the end is told when no part is in trouble any more', () => {
    const { health, told } = start()
    const [one, other] = [{}, {}]
    health.failing(one, 'x', 0, true)
    health.failing(other, 'y', 0)
    health.recovered(one)
    assert.deepEqual(told(), [false])
    health.recovered(other)
    assert.deepEqual(told(), [false, true])
  })

  test('a trouble whose records are gone ends with the next success', () => {
    const { health, told } = start()
    const partition = {}
    health.failing(partition, 'x', 0, true)
    health.forget(partition)
    assert.deepEqual(told(), [false])
    health.worked()
    assert.deepEqual(told(), [false, true])
    // It counts from its new beginning.
    health.failing(partition, 'x', 10_000)
    assert.deepEqual(told(), [false, true])
  })
})
