import { type MessagePort } from 'node:worker_threads'
import { IngestError } from '../../src/core/errors.ts'
import { entryHeaderBytes, type LogRoute, readLogChunk } from '../../src/wire/log-chunk.ts'
import { type FromLog, type ToLog } from '../../src/wire/log-port.ts'
import { Checkers } from './checkers.ts'
import { type LogPlan, type LogStats, type TailQuery } from './messages.ts'
import { TailReader } from './tail-reader.ts'
import { TopicLog } from './topic-log.ts'

/** A route as the whole log knows it; producers number theirs as they like. */
interface KnownRoute {
  readonly route: LogRoute
  readonly topic: TopicLog
}

interface HeldAck {
  readonly port: MessagePort
  readonly id: number
}

/**
 * The embedded log: chunks of producers in, topics kept within their bytes, every chunk on to the checkers. It outlives
 * the producers. A chunk is acknowledged when it is kept and no checker is too far behind.
 */
export class LogSession {
  readonly #plan: LogPlan
  readonly #checkers: Checkers
  readonly #topics = new Map<string, TopicLog>()
  readonly #routes = new Map<number, LogRoute>()
  readonly #known = new Map<string, KnownRoute>()
  readonly #tails = new Map<TopicLog, Set<TailReader>>()
  readonly #fail: (error: unknown) => void
  #held: HeldAck[] = []
  #tailCount = 0
  #tailsRefused = 0
  #holds = 0

  /** @param fail told what the log does not expect; the thread reports it */
  constructor(plan: LogPlan, fail: (error: unknown) => void) {
    this.#plan = plan
    this.#fail = fail
    this.#checkers = new Checkers(plan.limits, () => this.#release())
  }

  async open(): Promise<void> {
    if (this.#plan.verifySocket !== null) await this.#checkers.listen(this.#plan.verifySocket)
  }

  /** Takes chunks from a producer's sink until its port closes. */
  addProducer(port: MessagePort): void {
    const routes = new Map<number, KnownRoute>()
    port.on('message', (message: ToLog) => {
      try {
        if (message.type === 'routes') {
          for (const route of message.routes) routes.set(route.id, this.#know(route))
        } else this.#chunk(port, message.id, message.buffer, routes)
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  addTail(query: TailQuery, port: MessagePort): void {
    if (this.#tailCount >= this.#plan.limits.tails) {
      this.#tailsRefused++
      port.close()
      return
    }
    const topic = this.#topic(query.topic)
    const readers = this.#tails.get(topic) ?? new Set()
    this.#tails.set(topic, readers)
    this.#tailCount++
    const reader = new TailReader(topic, query, port, gone => {
      if (readers.delete(gone)) this.#tailCount--
    })
    readers.add(reader)
  }

  async close(deadlineMs: number): Promise<void> {
    await this.#checkers.close(deadlineMs)
    for (const readers of this.#tails.values()) for (const reader of readers) reader.close()
  }

  stats(): LogStats {
    const topics = [...this.#topics.values()].map(({ topic, records, keptBytes, evictedRecords }) => ({
      topic,
      records,
      keptBytes,
      evictedRecords
    }))
    const limitHits = {
      embeddedTopicBytes: topics.reduce((sum, topic) => sum + topic.evictedRecords, 0),
      checkerBytes: this.#holds,
      checkers: this.#checkers.refused,
      tails: this.#tailsRefused
    }
    return { topics, checkers: this.#checkers.count, heldAcks: this.#held.length, limitHits }
  }

  #chunk(port: MessagePort, id: number, buffer: ArrayBuffer, routes: ReadonlyMap<number, KnownRoute>): void {
    const bytes = new Uint8Array(buffer)
    const view = new DataView(buffer)
    const named: LogRoute[] = []
    let namedLast: KnownRoute | null = null
    readLogChunk(bytes, (number, timestampMicros, start, end) => {
      const known = routes.get(number)
      if (known === undefined) {
        throw new IngestError(
          'INTERNAL',
          `a chunk for the embedded log names route ${number}, which is unknown`
        )
      }
      const { route, topic } = known
      if (known !== namedLast) {
        namedLast = known
        named.push(route)
      }
      view.setInt32(start - entryHeaderBytes, route.id, true)
      topic.append(route, timestampMicros, bytes, start, end)
    })
    if (this.#checkers.count > 0) this.#checkers.write(bytes, named)
    if (this.#held.length === 0 && this.#checkers.areReady) {
      port.postMessage({ type: 'ack', id } satisfies FromLog)
    } else {
      this.#held.push({ port, id })
      this.#holds++
    }
    if (this.#tailCount > 0) this.#pump()
  }

  #release(): void {
    if (this.#held.length === 0 || !this.#checkers.areReady) return
    const held = this.#held
    this.#held = []
    for (const { port, id } of held) port.postMessage({ type: 'ack', id } satisfies FromLog)
  }

  #pump(): void {
    for (const readers of this.#tails.values()) for (const reader of readers) reader.pump()
  }

  #know(route: LogRoute): KnownRoute {
    const name = `${route.topic}\n${route.partition}\n${route.key}`
    const found = this.#known.get(name)
    if (found !== undefined) return found
    const known = { route: { ...route, id: this.#known.size }, topic: this.#topic(route.topic) }
    this.#known.set(name, known)
    this.#routes.set(known.route.id, known.route)
    return known
  }

  #topic(name: string): TopicLog {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new TopicLog(name, this.#plan.limits.topicBytes, this.#routes)
      this.#topics.set(name, topic)
    }
    return topic
  }
}
