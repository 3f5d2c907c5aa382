import { CompressionTypes, type Kafka, type Producer } from 'kafkajs'
import { backoffMs } from './send-backoff.ts'
import { type SendBatch } from './send-batch.ts'
import { classifySendFault, type SendFault } from './send-fault.ts'
import { type SendQueue } from './send-queue.ts'

const produceTimeoutMs = 10_000
const disconnectWithinMs = 2_000
/** A broker that hangs is told of before the client gives the request up. */
const slowAfterMs = 5_000
/** The client wraps sequence numbers wrongly at 2^31 - 1; a new producer id long before starts them anew. */
const recordsPerProducer = 1_500_000_000

/** What a lane reports. A `part` is a queue or the lane itself: each fails and recovers on its own. */
export interface LaneListener {
  /** The batch left its queue. */
  settled(batch: SendBatch, outcome: 'published' | 'failed'): void
  failing(part: object, message: string): void
  recovered(part: object): void
  /** The broker will never take this batch; it is settled next. */
  refused(batch: SendBatch, message: string): void
  /** The last closed batch has left the queue: what was gathered meanwhile may follow. */
  emptied(queue: SendQueue): void
}

export interface LaneOptions {
  readonly kafka: Kafka
  readonly compression: 'none' | 'gzip'
  /** An empty batch for the halves of one that had to be split. */
  newBatch(): SendBatch
}

/**
 * One idempotent producer of the client, and one request at a time on it, for one partition. The client holds a lock per
 * broker that allows no more, loses or doubles records when a partition has two requests on their way, and reports a
 * request over several partitions as done when one was dropped; so several lanes side by side give the concurrency.
 *
 * A batch that fails for a passing reason stays the first of its partition and is sent again unchanged: the client takes
 * the sequence number back when a request fails, so the broker recognises what it has already written.
 */
export class SendLane {
  readonly #options: LaneOptions
  readonly #listener: LaneListener
  readonly #rotation: SendQueue[] = []
  #producer: Producer | null = null
  #isConnected = false
  #mustRenew = false
  #recordsOfProducer = 0
  #connectFailures = 0
  #isClosed = false
  #isOpen = false
  #wake: (() => void) | null = null
  /** Whether a new batch ends the sleep; it must not cut a backoff short. */
  #awaitsWork = false
  #ended: Promise<void> = Promise.resolve()

  constructor(options: LaneOptions, listener: LaneListener) {
    this.#options = options
    this.#listener = listener
  }

  /** Connects and sends from here on; a lane without work is not opened and costs no connection. */
  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#ended = this.#run()
  }

  /** The queue has a batch that is ready. */
  offer(queue: SendQueue): void {
    if (queue.isRotating) return
    queue.isRotating = true
    this.#rotation.push(queue)
    this.open()
    if (this.#awaitsWork) this.#wakeUp()
  }

  /** Batches were taken out of their queues with their fate unknown: their sequence numbers must not be used again. */
  renewLater(): void {
    this.#mustRenew = true
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wakeUp()
    const producer = this.#producer
    if (producer !== null) await within(disconnectWithinMs, producer.disconnect())
    await within(disconnectWithinMs, this.#ended)
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      if (!this.#isConnected) await this.#connect()
      else if (this.#mustRenew) await this.#renew()
      else {
        const queue = this.#next()
        if (queue === null) await this.#sleep(this.#untilNextMs(), true)
        else await this.#sendFirst(queue)
      }
    }
  }

  async #connect(): Promise<void> {
    this.#producer ??= this.#options.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      metadataMaxAge: 60_000,
      retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 500 }
    })
    try {
      await this.#producer.connect()
      this.#isConnected = true
      this.#recordsOfProducer = 0
      this.#connectFailures = 0
      this.#listener.recovered(this)
    } catch (error) {
      if (this.#isClosed) return
      this.#listener.failing(this, classifySendFault(error).message)
      await this.#sleep(backoffMs(this.#connectFailures++), false)
    }
  }

  async #renew(): Promise<void> {
    const old = this.#producer
    this.#producer = null
    this.#isConnected = false
    this.#mustRenew = false
    if (old !== null) await within(disconnectWithinMs, old.disconnect())
  }

  #next(): SendQueue | null {
    const now = performance.now()
    const at = this.#rotation.findIndex(queue => queue.notBeforeMs <= now)
    if (at === -1) return null
    const [queue] = this.#rotation.splice(at, 1)
    queue!.isRotating = false
    return queue!
  }

  #untilNextMs(): number | null {
    if (this.#rotation.length === 0) return null
    const first = Math.min(...this.#rotation.map(queue => queue.notBeforeMs))
    return Math.max(1, first - performance.now())
  }

  async #sendFirst(queue: SendQueue): Promise<void> {
    const batch = queue.ready[0]
    if (batch === undefined) return
    const slow = setTimeout(() => {
      this.#listener.failing(queue, `no answer for ${slowAfterMs / 1000} s`)
    }, slowAfterMs)
    const fault = await this.#send(queue, batch)
    clearTimeout(slow)
    // A drain that ran out of time has settled the batch meanwhile.
    if (queue.ready[0] === batch) this.#conclude(queue, batch, fault)
    if (queue.ready.length > 0) this.offer(queue)
    else this.#listener.emptied(queue)
    if (
      this.#recordsOfProducer > recordsPerProducer &&
      !this.#rotation.some(({ failures }) => failures > 0)
    ) {
      this.#mustRenew = true
    }
  }

  /** Null when the broker acknowledged the batch. */
  async #send(queue: SendQueue, batch: SendBatch): Promise<SendFault | null> {
    const { topic, partition } = queue
    const compression = this.#options.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None
    try {
      const answers = await this.#producer!.send({
        topic,
        acks: -1,
        timeout: produceTimeoutMs,
        compression,
        messages: batch.messages(partition)
      })
      // The client also fulfils its promise when it found no leader to send to.
      const isNamed = answers.some(answer => answer.partition === partition && answer.errorCode === 0)
      return isNamed ? null : { kind: 'retry', message: 'the partition has no leader' }
    } catch (error) {
      return classifySendFault(error)
    }
  }

  #conclude(queue: SendQueue, batch: SendBatch, fault: SendFault | null): void {
    if (fault === null) {
      this.#leave(queue, batch, 'published')
      return
    }
    switch (fault.kind) {
      case 'written':
        this.#leave(queue, batch, 'published')
        // The client has taken back the sequence number of a batch that is in the log.
        this.#mustRenew = true
        return
      case 'renew':
        this.#mustRenew = true
        this.#holdBack(queue, fault.message)
        return
      case 'retry':
        this.#holdBack(queue, fault.message)
        return
      case 'split':
        if (batch.count === 1) this.#refuse(queue, batch, fault.message)
        else this.#split(queue, batch)
        return
      case 'reject':
        this.#refuse(queue, batch, fault.message)
        return
    }
  }

  #refuse(queue: SendQueue, batch: SendBatch, message: string): void {
    this.#listener.refused(batch, message)
    this.#leave(queue, batch, 'failed')
  }

  #leave(queue: SendQueue, batch: SendBatch, outcome: 'published' | 'failed'): void {
    queue.ready.shift()
    queue.failures = 0
    queue.notBeforeMs = 0
    this.#listener.recovered(queue)
    this.#recordsOfProducer += batch.count
    this.#listener.settled(batch, outcome)
  }

  #holdBack(queue: SendQueue, message: string): void {
    queue.notBeforeMs = performance.now() + backoffMs(queue.failures++)
    this.#listener.failing(queue, message)
  }

  #split(queue: SendQueue, batch: SendBatch): void {
    const middle = batch.count >> 1
    const first = this.#options.newBatch()
    const second = this.#options.newBatch()
    batch.copyTo(first, 0, middle)
    batch.copyTo(second, middle, batch.count)
    queue.ready.splice(0, 1, first, second)
  }

  async #sleep(ms: number | null, awaitsWork: boolean): Promise<void> {
    if (this.#isClosed) return
    this.#awaitsWork = awaitsWork
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      this.#wake = resolve
      if (ms !== null) timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
    this.#wake = null
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}

/** 100 ms, doubled up to 1 s, ±20 %. */
/** The client can hang on a broker that does not answer, and a producer that is being left has nothing to add. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise.catch(() => undefined), late])
  clearTimeout(timer)
}
