import assert from 'node:assert/strict'
import { ClusterState, type DoubleOptions } from './cluster-state.ts'
import { DoubleNode } from './node.ts'
import { type LoggedRecord, type PartitionLog } from './partition-log.ts'
import { type ProduceRequest } from './produce.ts'
import { type ClusterEvent, type MetFault, type Script } from './script.ts'

/**
 * A Kafka cluster of real servers on loopback in the test's own process. It keeps its log in memory, is strict about what
 * it is sent and idempotent as a broker is, and goes wrong as its script says.
 */
export class BrokerDouble implements AsyncDisposable {
  readonly #cluster: ClusterState
  readonly #nodes: readonly DoubleNode[]
  readonly #timers = new Map<NodeJS.Timeout, () => void>()
  #isClosed = false

  private constructor(options: DoubleOptions) {
    this.#cluster = new ClusterState(options)
    const meet = (request: ProduceRequest): readonly MetFault[] => this.#meet(request)
    const sleep = (ms: number): Promise<void> => this.#sleep(ms)
    this.#nodes = Array.from(
      { length: options.nodes ?? 3 },
      (_, i) => new DoubleNode(i + 1, this.#cluster, meet, sleep)
    )
    this.#cluster.nodes = this.#nodes
  }

  static async start(options: DoubleOptions): Promise<BrokerDouble> {
    const double = new BrokerDouble(options)
    await Promise.all(double.#nodes.map(node => node.listen()))
    return double
  }

  /** Addresses to begin with, with commas between them. */
  get brokers(): string {
    return this.#nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')
  }

  get script(): Script {
    return this.#cluster.script
  }

  /** What the client did that no client may do. */
  get violations(): readonly string[] {
    return this.#cluster.violations
  }

  /** The most produce requests that one connection had waiting for their answers at once. */
  get inFlightMax(): number {
    return this.#cluster.inFlightMax
  }

  /** Produce requests that came while another one with a partition of theirs waited on the same connection. */
  get overlaps(): number {
    return this.#cluster.overlaps
  }

  /** Successful ones, repeated ones included. */
  get authentications(): number {
    return this.#cluster.authentications
  }

  /** Connections that the nodes accepted, ever. */
  get accepted(): number {
    return this.#nodes.reduce((sum, node) => sum + node.accepted, 0)
  }

  log(topic: string, partition: number): PartitionLog {
    const log = this.#cluster.topics.get(topic)?.[partition]
    assert.ok(log, `the double has no ${topic}/${partition}`)
    return log
  }

  logs(): PartitionLog[] {
    return [...this.#cluster.topics.values()].flat()
  }

  records(topic: string, partition: number): readonly LoggedRecord[] {
    return this.log(topic, partition).records
  }

  /** Makes something happen now. */
  happen(event: ClusterEvent): void {
    switch (event.kind) {
      case 'move':
        this.#move(this.log(event.topic, event.partition), event.to)
        return
      case 'freeze':
        this.#node(event.node).freeze()
        this.#after(event.ms, () => this.#node(event.node).thaw())
        return
      case 'cut':
        this.#node(event.node).cut()
        return
      case 'down':
        this.#takeDown(this.#node(event.node), event.ms, event.movesLeaders)
        return
      case 'forget':
        this.log(event.topic, event.partition).forgetProducers(event.isStrict)
        return
      case 'shrink':
        this.#cluster.maxBatchBytes = event.bytes
        this.#after(event.ms, () => {
          this.#cluster.maxBatchBytes = this.#cluster.options.maxBatchBytes ?? 1024 * 1024
        })
        return
      case 'poison':
        this.#cluster.poisons.set(event.topic, event)
        return
      case 'vanish':
        this.#cluster.vanished.add(event.topic)
        this.#after(event.ms, () => this.#cluster.vanished.delete(event.topic))
        return
      case 'init':
        this.#cluster.answerInit(event.code, event.times)
        return
      case 'metadata':
        this.#cluster.answerMetadata(event.topic, event.code, event.times)
    }
  }

  /** Faults stop: the script ends, frozen nodes thaw and those that are down come up. */
  async heal(): Promise<void> {
    this.script.end()
    for (const node of this.#nodes) node.thaw()
    await Promise.all(this.#nodes.map(node => node.comeUp()))
    this.#cluster.maxBatchBytes = this.#cluster.options.maxBatchBytes ?? 1024 * 1024
    this.#cluster.vanished.clear()
    this.#cluster.poisons.clear()
    this.#cluster.answerInit(0, 0)
    for (const topic of this.#cluster.topics.keys()) this.#cluster.answerMetadata(topic, 0, 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    for (const [timer, done] of this.#timers) {
      clearTimeout(timer)
      done()
    }
    this.#timers.clear()
    await Promise.all(this.#nodes.map(node => node.close()))
  }

  #meet({ data }: ProduceRequest): readonly MetFault[] {
    const carries = (topic: string, partition: number): boolean =>
      data.some(item => item.topic === topic && item.partition === partition)
    const { events, faults } = this.script.next(carries)
    for (const event of events) this.happen(event)
    return faults
  }

  #move(log: PartitionLog, to?: number): void {
    if (to !== undefined) {
      log.leader = to
      return
    }
    const count = this.#nodes.length
    const from = log.leader ?? count
    for (let step = 1; step < count; step++) {
      const candidate = this.#nodes[(from - 1 + step) % count]!
      if (candidate.isDown) continue
      log.leader = candidate.id
      return
    }
  }

  #takeDown(node: DoubleNode, ms: number, movesLeaders: boolean): void {
    node.takeDown()
    if (movesLeaders) {
      for (const log of this.logs()) if (log.leader === node.id) this.#move(log)
    }
    this.#after(ms, () => void node.comeUp())
  }

  #node(id: number): DoubleNode {
    const node = this.#nodes[id - 1]
    assert.ok(node, `the double has no node ${id}`)
    return node
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.set(timer, () => undefined)
  }

  #sleep(ms: number): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, ms)
      this.#timers.set(timer, resolve)
    })
  }
}
