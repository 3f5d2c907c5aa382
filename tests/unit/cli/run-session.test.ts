import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type RunningService, type ServiceOptions } from '../../../src/app/service.ts'
import { LiveTable } from '../../../src/cli/live-table.ts'
import { runSession } from '../../../src/cli/run-session.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { type Summary } from '../../../src/domain/summary.ts'
import { FakeIo } from './fake-io.ts'
import { cleanTruth, sampleStatus, sampleSummary } from './samples.ts'

const options: ServiceOptions = {
  config: loadConfig({ file: null, env: {}, flags: [] }).config,
  plans: [],
  sinkKind: 'kafka',
  capture: null,
  replay: null,
  digests: false,
  simulation: { attach: null, rate: 1000, seed: 1, faults: '', verify: true },
  endpoints: null,
  forMs: null,
  logLevel: 'info'
}

/** A service that ends when it is stopped, or only when it is hurried. */
class FakeService implements RunningService {
  readonly calls: string[] = []
  readonly finished: Promise<Summary>
  finish: (summary: Summary) => void = () => undefined
  readonly #isSlow: boolean

  constructor(isSlow = false) {
    this.#isSlow = isSlow
    this.finished = new Promise(resolve => {
      this.finish = resolve
    })
  }

  snapshot() {
    return sampleStatus
  }

  stop(reason: string): Promise<Summary> {
    // The caller also waits for the end in this way; only what asks for it counts.
    if (reason !== 'it has ended') this.calls.push(`stop ${reason}`)
    if (!this.#isSlow) this.finish(sampleSummary)
    return this.finished
  }

  async crash(thread: string): Promise<void> {
    this.calls.push(`crash ${thread}`)
  }

  hurry(): void {
    this.calls.push('hurry')
    this.finish(sampleSummary)
  }
}

function run(service: FakeService | Promise<FakeService>, io: FakeIo, isJson = true): Promise<number> {
  const table = new LiveTable(io, isJson)
  return runSession(() => Promise.resolve(service), io, { service: options, isJson, table })
}

suite('a run in the foreground', () => {
  test('prints its summary as one JSON document and ends with 0 when it is clean', async () => {
    const [service, io] = [new FakeService(), new FakeIo()]
    service.finish(sampleSummary)
    assert.equal(await run(service, io), 0)
    assert.deepEqual(JSON.parse(io.stdout), sampleSummary)
    assert.equal(io.listeners, 0, 'signal handlers are left behind')
  })

  test('ends with 1 and says why when the check found a fault', async () => {
    const [service, io] = [new FakeService(), new FakeIo()]
    service.finish({ ...sampleSummary, truth: { ...cleanTruth, missing: 2 } })
    assert.equal(await run(service, io), 1)
    assert.match(io.stderr, /missing is 2: events were sent, not delivered/)
  })

  test('stops gracefully on the first signal: 0 for SIGTERM, 130 for SIGINT', async () => {
    for (const [signal, code] of [
      ['SIGTERM', 0],
      ['SIGINT', 130]
    ] as const) {
      const [service, io] = [new FakeService(), new FakeIo()]
      const done = run(service, io)
      io.signal(signal)
      assert.equal(await done, code)
      assert.deepEqual(service.calls, [`stop ${signal}`])
    }
  })

  test('hurries on the second signal and leaves the third to the system', async () => {
    const [service, io] = [new FakeService(true), new FakeIo()]
    const done = run(service, io)
    // Let the service start: with nothing running yet, a second signal would give up instead.
    await new Promise(resolve => setImmediate(resolve))
    io.signal('SIGTERM')
    io.signal('SIGTERM')
    assert.equal(io.listeners, 0)
    assert.equal(await done, 0)
    assert.deepEqual(service.calls, ['stop SIGTERM', 'hurry'])
  })

  test('keeps a signal that comes while the service starts', async () => {
    const [service, io] = [new FakeService(), new FakeIo()]
    let started: (service: FakeService) => void = () => undefined
    const starting = new Promise<FakeService>(resolve => {
      started = resolve
    })
    const done = run(starting, io)
    io.signal('SIGTERM')
    started(service)
    assert.equal(await done, 0)
    assert.deepEqual(service.calls, ['stop SIGTERM'])
  })

  test('gives up a start that hangs on the second signal', async () => {
    const io = new FakeIo()
    const done = run(new Promise<FakeService>(() => undefined), io)
    io.signal('SIGTERM')
    io.signal('SIGTERM')
    assert.equal(await done, 1)
  })

  test('stops when nobody reads its output any more', async () => {
    const [service, io] = [new FakeService(), new FakeIo()]
    const done = run(service, io, false)
    io.closeOut()
    await done
    assert.deepEqual(service.calls, ['stop nobody reads the output any more'])
  })

  test('fails with the error of a service that could not go on', async () => {
    const io = new FakeIo()
    const table = new LiveTable(io, true)
    const failing = () => Promise.reject(new Error('no thread'))
    await assert.rejects(runSession(failing, io, { service: options, isJson: true, table }), /no thread/)
    assert.equal(io.listeners, 0)
  })
})
