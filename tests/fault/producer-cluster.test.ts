import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { isShort, passes } from '../support/fault-run.ts'
import { type NodeId, type OwnCluster, startCluster } from '../support/kafka.ts'
import { createTopic } from '../support/kafka-writer.ts'
import { LeaderWatch } from '../support/leader-watch.ts'
import { ProducerRun } from '../support/producer-run.ts'

const rate = isShort ? 10_000 : 20_000
const partitions = 12
const nodes: readonly NodeId[] = [1, 2, 3]

let cluster: OwnCluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster[Symbol.asyncDispose]())

/** A writer under way into a topic of its own, and the faults that it has met. */
class Trial implements AsyncDisposable {
  readonly run: ProducerRun
  readonly leaders: LeaderWatch
  readonly #t: TestContext
  cuts = 0
  connections = 0
  freezes = 0

  private constructor(t: TestContext, run: ProducerRun, leaders: LeaderWatch) {
    this.#t = t
    this.run = run
    this.leaders = leaders
  }

  /** @param prepare what happens to the cluster between the making of the topic and the first record */
  static async start(t: TestContext, prepare = async (): Promise<void> => undefined): Promise<Trial> {
    const topic = await createTopic(cluster.direct, { topicPartitions: partitions })
    const leaders = new LeaderWatch(cluster.direct, topic)
    try {
      await leaders.inSync()
      await prepare()
      const { brokers, direct: auditBrokers } = cluster
      const run = await ProducerRun.start({ brokers, auditBrokers, topic, partitions, ratePerSecond: rate })
      return new Trial(t, run, leaders)
    } catch (error) {
      await leaders[Symbol.asyncDispose]()
      throw error
    }
  }

  readonly cut = async (node: NodeId): Promise<void> => {
    const connections = await cluster.cut(node)
    assert.ok(connections > 0, `nobody was connected to broker ${node}`)
    this.connections += connections
    this.cuts++
  }

  async cutAfterWrite(node: NodeId): Promise<void> {
    await cluster.cutAfterWrite(node)
    this.connections++
    this.cuts++
  }

  /** Afterwards all of it is well again. */
  async freeze(node: NodeId, meanwhile: () => Promise<void>): Promise<void> {
    await cluster.freeze(node)
    const since = performance.now()
    await meanwhile()
    await cluster.resume(node)
    const seconds = Math.round((performance.now() - since) / 1000)
    this.freezes++
    await this.leaders.inSync()
    await this.run.publishes(rate)
    this.say(`broker ${node} frozen for ${seconds} s`)
  }

  say(what: string): void {
    const { written, published, retries, sink } = this.run
    const { elections, moves } = this.leaders
    this.#t.diagnostic(
      `${what}: ${written} records written, ${published} acknowledged; ${this.cuts} cuts of ${this.connections} connections, ${elections} elections of ${moves} leaders, ${this.freezes} freezes; ${retries} batches sent again, ${sink.requests} requests`
    )
  }

  /** Every record settled once, in the log once and in order. */
  async finish(): Promise<void> {
    this.say('at the end')
    const { records } = await this.run.finish()
    this.#t.diagnostic(`the log holds ${records} records: none lost, doubled, misordered or changed`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]()
    await this.leaders[Symbol.asyncDispose]()
  }
}

async function cutEverywhere({ run, cut }: Trial): Promise<void> {
  for (const node of nodes) {
    await cut(node)
    await run.publishes(rate / 20)
  }
}

/** With one replica of three in sync nothing may be acknowledged. */
async function assertWaits({ run, leaders }: Trial, ms: number): Promise<void> {
  await leaders.inSync(1)
  // What was acknowledged before may still be on its way to us.
  await passes(500)
  const { published } = run
  await passes(ms)
  assert.equal(run.published, published)
  assert.match(run.availabilities.at(-1)!, /^down: /)
}

if (isShort) {
  test('connections that are cut and leaders that die cost no record and no order', async t => {
    await using trial = await Trial.start(t)
    const { run, leaders } = trial
    await run.publishes(rate)
    await cutEverywhere(trial)
    await trial.cutAfterWrite(1)
    await trial.cutAfterWrite(2)
    const { elections } = leaders
    await cluster.kill(2)
    await leaders.electionsReach(elections + 1)
    await trial.cut(3)
    await run.publishes(rate)
    await cluster.kill(3)
    await assertWaits(trial, 1_000)
    await cluster.start()
    await leaders.inSync()
    await run.publishes(rate)
    assert.ok(run.retries > trial.cuts, `only ${run.retries} batches were sent again`)
    await trial.finish()
  })
} else {
  test('connections that are cut, leaders that die and brokers that freeze cost no record and no order', async t => {
    await using trial = await Trial.start(t)
    const { run, leaders } = trial
    await run.publishes(rate)
    for (const victim of [2, 3, 2, 3, 2, 3] as const) {
      await cutEverywhere(trial)
      await trial.cutAfterWrite(1)
      await trial.cutAfterWrite(victim)
      const { elections } = leaders
      await cluster.kill(victim)
      await leaders.electionsReach(elections + 1)
      await trial.cut(1)
      await run.publishes(rate)
      // The dead leads nothing any more, so that nothing is wrong.
      await run.isWell()
      await cluster.start(victim)
      await leaders.inSync()
      // Its partitions go back to it: an election between brokers that are all well.
      await leaders.electionsReach(elections + 2)
      await run.publishes(rate)
      trial.say(`broker ${victim} killed and back`)
    }
    await trial.freeze(2, async () => {
      await passes(30_000)
      await run.isWell()
    })
    await trial.freeze(3, () => passes(8_000))
    // The controller: nobody is elected while it is frozen.
    await trial.freeze(1, () => passes(10_000))
    await trial.freeze(3, () => passes(1_000))
    assert.ok(run.retries > trial.cuts, `only ${run.retries} batches were sent again`)
    await trial.finish()
    assert.ok(trial.cuts >= 25 && leaders.elections >= 10 && trial.freezes >= 3)
  })

  test('too few replicas in sync make records wait, and they go out when there are enough again', async t => {
    await using trial = await Trial.start(t)
    const { run, leaders } = trial
    for (const node of [3, 2] as const) {
      await run.publishes(rate)
      await cluster.kill(2)
      await cluster.kill(3)
      await assertWaits(trial, 10_000)
      await cluster.start(node)
      await run.publishes(rate)
      await cluster.start()
      await leaders.inSync()
      await run.publishes(rate)
      await run.isWell()
      trial.say('too few, and enough again')
    }
    await trial.finish()
  })

  test('a cluster that is away at the start and again for two minutes loses nothing', async t => {
    await using trial = await Trial.start(t, () => cluster.kill())
    const { run, leaders } = trial
    assert.equal(run.availabilities.length, 1)
    assert.match(run.availabilities[0]!, /^down: /)
    await passes(10_000)
    assert.equal(run.published, 0)
    assert.ok(run.written > rate)
    await cluster.start()
    await run.publishes(run.written)
    await run.isWell()
    trial.say('the cluster came')
    await cluster.kill()
    await passes(120_000)
    const { heldBack } = run
    assert.ok(heldBack > 0, 'the sink was never full')
    await cluster.start()
    await leaders.inSync()
    await run.publishes(5 * rate)
    trial.say('the cluster came back')
    await trial.finish()
  })

  test('a broker that is stopped in good order while records come hands its partitions over', async t => {
    await using trial = await Trial.start(t)
    const { run, leaders } = trial
    for (const node of [2, 3] as const) {
      await run.publishes(rate)
      const { elections } = leaders
      await cluster.stop(node)
      await run.publishes(rate)
      await cluster.start(node)
      await leaders.inSync()
      await leaders.electionsReach(elections + 2)
    }
    await trial.finish()
  })
}
