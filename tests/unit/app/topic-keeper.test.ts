import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type manageTopics, type TopicReport } from '../../../actors/kafka/topics.ts'
import { TopicKeeper } from '../../../src/app/topic-keeper.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { IngestError } from '../../../src/core/errors.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { type Target } from '../../../src/domain/target.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const targets: Target[] = [{ region: 'korea', exchange: 'upbit', request_type: 'trade' }]
const topic = 'trade-data.korea'

/** A cluster whose answers a test sets; each look is a call. */
class Cluster {
  looks = 0
  isAway = false
  partitions: Record<string, number> = { [topic]: 6 }
  mismatches: string[] = []
  missing: string[] = []
  readonly modes: string[] = []

  readonly manage: typeof manageTopics = async (_access, _plans, mode): Promise<TopicReport> => {
    this.looks++
    this.modes.push(mode)
    if (this.isAway) throw new IngestError('SINK_UNAVAILABLE', 'Nobody is there.')
    const { partitions, mismatches, missing } = this
    return { findings: [], partitions, created: [], missing, mismatches, refused: [] }
  }
}

/** The keeper with the sentences it logs, and how often it told a change. */
class Rig {
  readonly cluster = new Cluster()
  readonly clock = new ManualClock()
  readonly said: string[] = []
  changes = 0
  readonly keeper: TopicKeeper

  constructor(settings: Readonly<Record<string, string>> = {}) {
    const flags = Object.entries(settings).map(([path, text]) => ({ flag: '--set', path, text }))
    const { config } = loadConfig({ file: null, env: {}, flags })
    const logger = createLogger('silent', 'test')
    logger.warn = (_facts: unknown, sentence?: string) => void this.said.push(sentence ?? '')
    this.keeper = new TopicKeeper(config, targets, logger, this.clock, this.cluster.manage)
  }

  async open(): Promise<void> {
    await this.keeper.open(() => this.changes++)
  }

  /** Moves the clock and lets the look that this began come to its end. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms)
    await new Promise(resolve => setImmediate(resolve))
  }
}

suite('the keeper of the topics', () => {
  test('assumes the planned partitions, those of the configuration first, until it has looked', () => {
    const { keeper } = new Rig({ 'topics.partitions': 'trade-data.korea=9' })
    assert.equal(keeper.partitions[topic], 9)
    assert.equal(keeper.partitions['ws.gap.events'], 3)
    assert.equal(keeper.partitions['monitoring.batch.performance'], 1)
    assert.equal(keeper.partitions['trade-data.asia'], undefined)
  })

  test('looks again every minute, and tells a change of the partitions once', async () => {
    const rig = new Rig()
    await rig.open()
    assert.deepEqual([rig.cluster.looks, rig.changes], [1, 0])
    await rig.advance(59_999)
    assert.equal(rig.cluster.looks, 1)
    rig.cluster.partitions = { [topic]: 12 }
    await rig.advance(1)
    assert.deepEqual([rig.cluster.looks, rig.changes, rig.keeper.partitions[topic]], [2, 1, 12])
    await rig.advance(60_000)
    assert.deepEqual([rig.cluster.looks, rig.changes], [3, 1])
    await rig.keeper.close()
    await rig.advance(600_000)
    assert.equal(rig.cluster.looks, 3)
  })

  test('tells a change that its first look finds', async () => {
    const rig = new Rig()
    rig.cluster.partitions = { [topic]: 3 }
    await rig.open()
    assert.deepEqual([rig.changes, rig.keeper.partitions[topic]], [1, 3])
    await rig.keeper.close()
  })

  test('looks at once when it is asked, unless it has just looked', async () => {
    const rig = new Rig()
    rig.keeper.look()
    assert.equal(rig.cluster.looks, 0, 'before it is open there is nobody to tell')
    await rig.open()
    rig.keeper.look()
    assert.equal(rig.cluster.looks, 1)
    await rig.advance(1_000)
    rig.keeper.look()
    rig.keeper.look()
    await rig.advance(0)
    assert.equal(rig.cluster.looks, 2)
    await rig.advance(59_999)
    assert.equal(rig.cluster.looks, 2, 'the minute begins anew')
    await rig.advance(1)
    assert.equal(rig.cluster.looks, 3)
    await rig.keeper.close()
  })

  test('tries again every two seconds while the cluster is away, says so once, and keeps what it knew', async () => {
    const rig = new Rig()
    await rig.open()
    rig.cluster.isAway = true
    await rig.advance(60_000)
    await rig.advance(2_000)
    await rig.advance(2_000)
    assert.equal(rig.cluster.looks, 4)
    assert.deepEqual(rig.said, ['Nobody is there. The service goes on within its buffer and tries again.'])
    assert.equal(rig.keeper.partitions[topic], 6)
    rig.cluster.isAway = false
    await rig.advance(2_000)
    await rig.advance(59_999)
    assert.equal(rig.cluster.looks, 5)
    await rig.keeper.close()
  })

  test('says a mismatch once for as long as it lasts, and again when it comes back', async () => {
    const rig = new Rig({ 'topics.manage': 'false' })
    rig.cluster.mismatches = ['Topic a is odd.']
    await rig.open()
    await rig.advance(60_000)
    rig.cluster.mismatches = []
    await rig.advance(60_000)
    rig.cluster.mismatches = ['Topic a is odd.']
    await rig.advance(60_000)
    assert.deepEqual(rig.said, ['Topic a is odd.', 'Topic a is odd.'])
    assert.deepEqual(new Set(rig.cluster.modes), new Set(['verify']))
    await rig.keeper.close()
  })

  test('says of a missing topic how to create it, when it may not do so itself', async () => {
    const rig = new Rig({ 'topics.manage': 'false' })
    rig.cluster.missing = [topic]
    await rig.open()
    await rig.keeper.close()
    assert.deepEqual(rig.said, [
      'Topic trade-data.korea does not exist, or this user may not see it, and topics.manage is off; create it with `coin-stream topics apply`.'
    ])
  })
})
