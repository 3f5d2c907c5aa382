import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { OffloadGauge } from '../../../../actors/producer/offload-gauge.ts'

function gaugeOver(looks: readonly { busy: number; idle: number }[]): readonly boolean[] {
  let at = -1
  const gauge = new OffloadGauge({
    busyShare: () => looks[at]!.busy,
    idleCores: () => looks[at]!.idle
  })
  return looks.map((_, i) => {
    at = i
    gauge.look()
    return gauge.isOn
  })
}

suite('the offload gauge', () => {
  test('is off at first and on a thread that keeps up', () => {
    assert.equal(new OffloadGauge().isOn, false)
    assert.deepEqual(gaugeOver([{ busy: 0.5, idle: 6 }]), [false])
  })

  test('turns on when the thread is saturated and a processor is idle', () => {
    assert.deepEqual(gaugeOver([{ busy: 0.95, idle: 1.2 }]), [true])
  })

  test('stays off when no processor is idle, since a worker would only add its hop', () => {
    assert.deepEqual(gaugeOver([{ busy: 1, idle: 0.1 }]), [false])
  })

  test('stays on while the pool carries the load, and off once the load is gone', () => {
    const looks = [
      { busy: 0.9, idle: 2 },
      { busy: 0.4, idle: 0.2 },
      { busy: 0.1, idle: 3 },
      { busy: 0.4, idle: 3 }
    ]
    assert.deepEqual(gaugeOver(looks), [true, true, false, false])
  })
})
