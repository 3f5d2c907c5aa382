import { type MessagePort } from 'node:worker_threads'
import { type PartitionActivity } from '../../../src/domain/partition-activity.ts'
import { LogChunkWriter, type LogRoute } from '../../../src/wire/log-chunk.ts'
import { type FromLog, type ToLog } from '../../../src/wire/log-port.ts'
import { LossTally } from './loss-tally.ts'
import { type Outcome, type RecordSink, type Route, type SinkListener } from './record-sink.ts'

export interface EmbeddedSinkOptions {
  readonly port: MessagePort
  /** How long a record may wait for company. */
  readonly lingerMs: number
  /** Bytes after which a chunk is sent without waiting. */
  readonly batchBytes: number
}

/** The records of one chunk: whose they are and when they were received. Used again once the chunk is settled. */
interface Parcel {
  owners: Int32Array
  routes: Int32Array
  receivedMicros: Float64Array
  count: number
  bytes: number
}

const firstParcelRecords = 512
/** Parcels kept for another use; more than are in flight on a healthy log. */
const freeParcelsMax = 64

/** Sends records to the log's thread, one transferred buffer for many records; a record costs a copy and two numbers. */
export class EmbeddedSink implements RecordSink {
  readonly #port: MessagePort
  readonly #lingerMs: number
  readonly #batchBytes: number
  readonly #listener: SinkListener
  readonly #writer: LogChunkWriter
  /** Routes that the log has been told, by number. */
  readonly #routes = new Map<number, Route>()
  #newRoutes: LogRoute[] = []
  readonly #inFlight = new Map<number, Parcel>()
  readonly #free: Parcel[] = []
  #open: Parcel
  #nextId = 0
  #linger: NodeJS.Timeout | null = null
  #pendingRecords = 0
  #pendingBytes = 0
  #isClosed = false
  #isLost = false
  #onEmpty: (() => void) | null = null

  constructor(options: EmbeddedSinkOptions, listener: SinkListener) {
    this.#port = options.port
    this.#lingerMs = options.lingerMs
    this.#batchBytes = options.batchBytes
    this.#listener = listener
    // A quarter more than a full chunk, so that the record that fills it seldom makes it grow.
    this.#writer = new LogChunkWriter(options.batchBytes + (options.batchBytes >> 2))
    this.#open = newParcel()
  }

  get pendingRecords(): number {
    return this.#pendingRecords
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get bufferedBytes(): number {
    return this.#pendingBytes
  }

  /** The log takes chunks as they come, unless a checker holds it up; the credits bound what waits then. */
  get isFull(): boolean {
    return false
  }

  /** Not counted here. */
  get requests(): number {
    return 0
  }

  activity(): readonly PartitionActivity[] {
    return []
  }

  async open(): Promise<void> {
    this.#port.on('message', (message: FromLog) => this.#acknowledged(message.id))
    this.#port.on('close', () => this.#lost())
  }

  append(
    route: Route,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMicros: number,
    owner: number
  ): void {
    if (!this.#routes.has(route.id)) {
      this.#routes.set(route.id, route)
      const { id, topic, partition, key } = route
      this.#newRoutes.push({ id, topic, partition, key })
    }
    this.#writer.append(route.id, receivedMicros, bytes, start, end)
    const parcel = this.#open
    if (parcel.count === parcel.owners.length) growParcel(parcel)
    parcel.owners[parcel.count] = owner
    parcel.routes[parcel.count] = route.id
    parcel.receivedMicros[parcel.count] = receivedMicros
    parcel.count++
    parcel.bytes += end - start
    this.#pendingRecords++
    this.#pendingBytes += end - start
    if (this.#writer.bytes >= this.#batchBytes) this.#flush()
    else this.#linger ??= setTimeout(this.#lingered, this.#lingerMs)
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#flush()
    if (this.#inFlight.size > 0) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>(resolve => {
        this.#onEmpty = resolve
        timer = setTimeout(resolve, deadlineMs)
      })
      clearTimeout(timer)
      this.#onEmpty = null
    }
    this.#failAll('the embedded log did not acknowledge it in time')
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopLinger()
    this.#port.close()
    this.#failAll('the sink was closed before it was acknowledged')
  }

  readonly #lingered = (): void => {
    this.#linger = null
    this.#flush()
  }

  #stopLinger(): void {
    if (this.#linger === null) return
    clearTimeout(this.#linger)
    this.#linger = null
  }

  #flush(): void {
    this.#stopLinger()
    const parcel = this.#open
    if (parcel.count === 0) return
    this.#open = this.#free.pop() ?? newParcel()
    if (this.#newRoutes.length > 0) {
      this.#port.postMessage({ type: 'routes', routes: this.#newRoutes } satisfies ToLog)
      this.#newRoutes = []
    }
    const id = this.#nextId++
    const buffer = this.#writer.take()
    if (this.#isLost || this.#isClosed) {
      this.#fail([parcel], 'the embedded log has ended')
      return
    }
    this.#inFlight.set(id, parcel)
    this.#port.postMessage({ type: 'chunk', id, buffer } satisfies ToLog, [buffer])
  }

  #acknowledged(id: number): void {
    const parcel = this.#inFlight.get(id)
    // An acknowledgement may come after a drain's deadline: its records are failed already.
    if (parcel === undefined) return
    this.#inFlight.delete(id)
    this.#settle(parcel, 'published')
    if (this.#inFlight.size === 0) this.#onEmpty?.()
  }

  #lost(): void {
    if (this.#isClosed || this.#isLost) return
    this.#isLost = true
    this.#listener.availability(false, 'The embedded log has ended; records can no longer be kept.')
    this.#failAll('the embedded log has ended')
    this.#onEmpty?.()
  }

  /** Gives up what is waiting and on its way. What the listener appends meanwhile, to declare the loss, comes after it. */
  #failAll(reason: string): void {
    const parcels = [...this.#inFlight.values()]
    this.#inFlight.clear()
    if (this.#open.count > 0) {
      parcels.push(this.#open)
      this.#open = this.#free.pop() ?? newParcel()
      this.#writer.take()
    }
    if (parcels.length > 0) this.#fail(parcels, reason)
  }

  /** Tells each route's loss, so that it can be declared, and settles the records. */
  #fail(parcels: readonly Parcel[], reason: string): void {
    const tally = new LossTally()
    for (const { routes, receivedMicros, count } of parcels) {
      for (let i = 0; i < count; i++) tally.add(this.#routes.get(routes[i]!)!, receivedMicros[i]!)
    }
    tally.tell(this.#listener, reason)
    for (const parcel of parcels) this.#settle(parcel, 'failed')
  }

  #settle(parcel: Parcel, outcome: Outcome): void {
    this.#pendingRecords -= parcel.count
    this.#pendingBytes -= parcel.bytes
    this.#listener.settled(parcel.owners, parcel.receivedMicros, parcel.count, outcome)
    parcel.count = 0
    parcel.bytes = 0
    if (this.#free.length < freeParcelsMax) this.#free.push(parcel)
  }
}

function newParcel(): Parcel {
  return {
    owners: new Int32Array(firstParcelRecords),
    routes: new Int32Array(firstParcelRecords),
    receivedMicros: new Float64Array(firstParcelRecords),
    count: 0,
    bytes: 0
  }
}

function growParcel(parcel: Parcel): void {
  const owners = new Int32Array(parcel.owners.length * 2)
  owners.set(parcel.owners)
  parcel.owners = owners
  const routes = new Int32Array(parcel.routes.length * 2)
  routes.set(parcel.routes)
  parcel.routes = routes
  const receivedMicros = new Float64Array(parcel.receivedMicros.length * 2)
  receivedMicros.set(parcel.receivedMicros)
  parcel.receivedMicros = receivedMicros
}
