import { type Socket } from 'node:net'
import { answerApiVersions, apiKeys, isOffered } from './api-versions.ts'
import { type ClusterState } from './cluster-state.ts'
import { garble } from './garble.ts'
import { answerInitProducerId } from './init-producer-id.ts'
import { answerMetadata } from './metadata.ts'
import { type ProduceRequest, produce, readProduce, writeProduceAnswer } from './produce.ts'
import { answerSaslAuthenticate, answerSaslHandshake, type Session } from './sasl.ts'
import { type MetFault, type RequestFault } from './script.ts'
import { WireFault, WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

const frameBytesMax = 100 * 1024 * 1024
/** These need no authentication. */
const openKeys: readonly number[] = [apiKeys.apiVersions, apiKeys.saslHandshake, apiKeys.saslAuthenticate]

export interface ConnectionHost {
  readonly id: number
  readonly cluster: ClusterState
  readonly isDown: boolean
  /** Resolves at once unless the node is frozen; then when it thaws. */
  thawed(): Promise<void>
  /** Counts a produce request, plays what the script has for it, and says what the request itself meets. */
  meet(request: ProduceRequest): readonly MetFault[]
  sleep(ms: number): Promise<void>
}

interface Incoming {
  readonly key: number
  readonly version: number
  readonly correlationId: number
  readonly body: WireReader
  /** Read on arrival, for what is in flight is counted from there. */
  readonly produce: ProduceRequest | null
}

/** One client's connection. As in a broker, its requests are worked off one after the other and answered in that order. */
export class Connection {
  readonly #socket: Socket
  readonly #host: ConnectionHost
  readonly #session: Session
  #bytes: Buffer = Buffer.alloc(0)
  readonly #waiting: Incoming[] = []
  /** Partitions of produce requests that are not answered, one set each. */
  readonly #inFlight: ReadonlySet<string>[] = []
  #isWorking = false
  #isOver = false

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket
    this.#host = host
    const needsProof = host.cluster.options.sasl !== undefined
    this.#session = { validUntilMs: needsProof ? 0 : Infinity, hasShakenHands: false }
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#take(bytes))
    socket.on('error', () => this.reset())
  }

  reset(): void {
    this.#isOver = true
    // Node 20 never closes a socket that is reset while it shuts down, and then the process does not end either.
    if (this.#socket.writableEnded) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  #take(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
    while (this.#bytes.length >= 4) {
      const length = this.#bytes.readInt32BE(0)
      if (length < 8 || length > frameBytesMax) return this.#violate(`a request of ${length} bytes`)
      if (this.#bytes.length < 4 + length) break
      const frame = this.#bytes.subarray(4, 4 + length)
      this.#bytes = this.#bytes.subarray(4 + length)
      try {
        this.#waiting.push(this.#receive(new WireReader(frame)))
      } catch (error) {
        if (!(error instanceof WireFault)) throw error
        return this.#violate(error.message)
      }
    }
    if (!this.#isWorking) void this.#work()
  }

  #receive(body: WireReader): Incoming {
    const [key, version, correlationId] = [body.int16(), body.int16(), body.int32()]
    body.nullableString()
    if (key === apiKeys.apiVersions && version >= 3) body.skipTags()
    if (key !== apiKeys.apiVersions && !isOffered(key, version)) {
      throw new WireFault(`request ${key} in version ${version}, which was not offered`)
    }
    if (key !== apiKeys.produce) return { key, version, correlationId, body, produce: null }
    const produce = readProduce(body)
    body.end('a produce request')
    this.#watch(produce)
    return { key, version, correlationId, body, produce }
  }

  #watch({ data }: ProduceRequest): void {
    const { cluster } = this.#host
    const places = data.map(({ topic, partition }) => `${topic}/${partition}`)
    if (this.#inFlight.some(others => places.some(place => others.has(place)))) cluster.overlaps++
    this.#inFlight.push(new Set(places))
    cluster.inFlightMax = Math.max(cluster.inFlightMax, this.#inFlight.length)
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#host.thawed()
      // What a client sent before it hung up is worked off all the same, as by a broker that had it in its buffers.
      if (this.#isOver) break
      try {
        await this.#serve(next)
      } catch (error) {
        if (!(error instanceof WireFault)) throw error
        this.#violate(error.message)
      }
    }
    this.#isWorking = false
  }

  async #serve({ key, version, correlationId, body, produce }: Incoming): Promise<void> {
    if (!openKeys.includes(key) && performance.now() > this.#session.validUntilMs) return this.reset()
    if (produce !== null) return await this.#produce(produce, version, correlationId)
    const answer = this.#answer(body, key, version)
    if (version <= 3 || key !== apiKeys.apiVersions) body.end(`request ${key} v${version}`)
    await this.#send(frameOf(correlationId, answer))
    if (key === apiKeys.saslAuthenticate && this.#session.validUntilMs === 0) this.#end()
  }

  #answer(request: WireReader, key: number, version: number): Buffer {
    const { cluster } = this.#host
    switch (key) {
      case apiKeys.apiVersions:
        return answerApiVersions(request, version)
      case apiKeys.metadata:
        return answerMetadata(request, version, cluster)
      case apiKeys.initProducerId:
        return answerInitProducerId(request, cluster)
      case apiKeys.saslHandshake:
        return answerSaslHandshake(request, this.#session)
      case apiKeys.saslAuthenticate:
        return answerSaslAuthenticate(request, version, this.#session, cluster)
    }
    throw new WireFault(`request ${key} is not served`)
  }

  async #produce(request: ProduceRequest, version: number, correlationId: number): Promise<void> {
    const faults = this.#host.meet(request)
    // An event that has just happened may have frozen this node or taken it down, after the request was read.
    await this.#host.thawed()
    if (this.#host.isDown) return
    const drop = find(faults, 'drop')
    if (drop !== undefined && !drop.isWritten) return this.reset()
    const answers = produce(request, this.#host.id, faults, this.#host.cluster)
    if (drop !== undefined) return this.reset()
    const delay = find(faults, 'delay')
    if (delay !== undefined) await this.#host.sleep(delay.ms)
    this.#inFlight.shift()
    if (request.acks === 0) return
    const throttleMs = find(faults, 'throttle')?.ms ?? 0
    const frame = frameOf(correlationId, writeProduceAnswer(answers, version, throttleMs))
    if (find(faults, 'tear') !== undefined) {
      await this.#send(frame.subarray(0, frame.length >> 1))
      return this.#end()
    }
    const spoiled = find(faults, 'garble')
    await this.#send(spoiled === undefined ? frame : garble(frame, spoiled.how))
  }

  async #send(frame: Buffer): Promise<void> {
    await this.#host.thawed()
    if (!this.#isOver && this.#socket.writable) this.#socket.write(frame)
  }

  #end(): void {
    this.#isOver = true
    this.#socket.end()
  }

  #violate(message: string): void {
    this.#host.cluster.violations.push(message)
    this.reset()
  }
}

function frameOf(correlationId: number, body: Buffer): Buffer {
  return new WireWriter()
    .int32(4 + body.length)
    .int32(correlationId)
    .raw(body)
    .toBuffer()
}

function find<K extends RequestFault['kind']>(
  faults: readonly MetFault[],
  kind: K
): Extract<RequestFault, { kind: K }> | undefined {
  const met = faults.find(({ fault }) => fault.kind === kind)
  return met?.fault as Extract<RequestFault, { kind: K }> | undefined
}
