import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type KafkaAccess } from '../bus/kafka-client.ts'
import { type RegistryAccess } from '../bus/registry-http.ts'
import { SchemaRegistry } from '../bus/schema-registry.ts'
import { WriterSchemas } from '../bus/writer-schemas.ts'
import { asIngestError, IngestError } from '../core/errors.ts'
import { listenOnUnixSocket } from '../core/unix-socket.ts'
import { isExchangeName } from '../domain/target.ts'
import { type Truth } from '../domain/truth.ts'
import { type FaultLog } from '../simulator/fault-log.ts'
import { type Ledger } from '../simulator/ledger.ts'
import { Check } from '../verify/check.ts'
import { EmbeddedReader } from '../verify/embedded-reader.ts'
import { KafkaReader } from '../verify/kafka-reader.ts'
import { RecordDecoder } from '../verify/record-decoder.ts'
import { type CheckSource, type RecordReader } from '../verify/record-source.ts'
import { type HarnessFault, type SimulationStats, type SimulationVenues } from './simulation-messages.ts'

const bodyBytesMax = 64 * 1024
const finishWithinMs = 60_000
const readersMax = 8

/** What the control server needs of the running simulators. */
export interface ControlledSimulators {
  readonly ledger: Ledger
  readonly faultLog: FaultLog
  readonly venues: Omit<SimulationVenues, 'frozen'>
  stats(): Omit<SimulationStats, 'read'>
  freeze(): Promise<void>
}

/** HTTP on a Unix socket: lets the service find the simulated exchanges, and holds the check of its run. */
export class SimulationServer {
  readonly #simulators: ControlledSimulators
  readonly #explain: (sentence: string) => void
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #readers: RecordReader[] = []
  readonly #registries: SchemaRegistry[] = []
  #check: Check | null = null
  #truth: Truth | null = null
  #isFrozen = false
  #finishing: Promise<Truth> | null = null

  /** @param explain told, at the end of a check, a sentence for each sample of what is wrong */
  constructor(simulators: ControlledSimulators, explain: (sentence: string) => void) {
    this.#simulators = simulators
    this.#explain = explain
  }

  /** The check, once somebody asked for one. */
  get check(): Check | null {
    return this.#check
  }

  async open(path: string): Promise<void> {
    await listenOnUnixSocket(this.#server, path, 'simulation socket')
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    for (const registry of this.#registries) registry.close()
    await Promise.allSettled(this.#readers.map(reader => reader.close()))
    await closed
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#route(request)
      .then(body => send(response, 200, body))
      .catch((error: unknown) => {
        const { code, message } = asIngestError(error)
        send(response, code === 'USAGE' ? 400 : 500, { error: { code, message } })
      })
  }

  async #route(request: IncomingMessage): Promise<unknown> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulation')
    const body = await readBody(request)
    switch (`${request.method} ${pathname}`) {
      case 'GET /v1/venues':
        return { ...this.#simulators.venues, frozen: this.#isFrozen } satisfies SimulationVenues
      case 'GET /v1/stats':
        return { ...this.#simulators.stats(), read: this.#check?.records ?? null } satisfies SimulationStats
      case 'GET /v1/truth':
        return this.#truth ?? this.#startedCheck().interim()
      case 'POST /v1/check':
        await this.#attach(sourceOf(body))
        return {}
      case 'POST /v1/freeze':
        this.#isFrozen = true
        await this.#simulators.freeze()
        return {}
      case 'POST /v1/finish':
        this.#finishing ??= this.#finish(
          this.#startedCheck(),
          Number(searchParams.get('within_ms') ?? finishWithinMs)
        )
        return this.#finishing
      case 'POST /v1/faults':
        this.#record(faultOf(body))
        return {}
      default:
        throw new IngestError('USAGE', `The simulation has no ${request.method} ${pathname}.`)
    }
  }

  /** Several services, or one that was started again, may be read into one check. */
  async #attach(source: CheckSource): Promise<void> {
    if (this.#finishing !== null)
      throw new IngestError('USAGE', 'The check is finished; start a new simulation.')
    if (this.#readers.length >= readersMax) {
      throw new IngestError('LIMIT_HIT', `${readersMax} sources are being checked already.`)
    }
    const check = (this.#check ??= new Check(this.#simulators.ledger, this.#simulators.faultLog))
    const take = check.accept.bind(check)
    const note = check.note.bind(check)
    const reader =
      source.kind === 'embedded'
        ? new EmbeddedReader(source.socket, take, note)
        : source.registry === null
          ? new KafkaReader(source.access, source.topics, take, note)
          : this.#registryReader(check, source, source.registry)
    await reader.attach()
    this.#readers.push(reader)
  }

  /** Takes the registry's word on every id: a record with one that it does not know is unreadable to everybody else. */
  #registryReader(
    check: Check,
    { access, topics }: Extract<CheckSource, { kind: 'kafka' }>,
    registryAccess: RegistryAccess
  ): KafkaReader {
    const registry = new SchemaRegistry(registryAccess)
    this.#registries.push(registry)
    const schemas = new WriterSchemas(registry, null)
    const decoder = new RecordDecoder(schemas)
    return new KafkaReader(
      access,
      topics,
      (topic, key, bytes, start, end) => check.accept(topic, key, bytes, start, end, decoder),
      check.note.bind(check),
      value => schemas.prepare(value)
    )
  }

  async #finish(check: Check, withinMs: number): Promise<Truth> {
    try {
      await Promise.all(this.#readers.map(reader => reader.finish(withinMs)))
    } finally {
      await Promise.allSettled(this.#readers.map(reader => reader.close()))
    }
    const truth = check.final()
    this.#truth = truth
    for (const sentence of check.explain()) this.#explain(sentence)
    return truth
  }

  #startedCheck(): Check {
    if (this.#check === null) {
      throw new IngestError('USAGE', 'Nothing is being checked; start the service with --verify.')
    }
    return this.#check
  }

  #record({ kind, exchange, at_ms, until_ms }: HarnessFault): void {
    this.#simulators.faultLog.record({
      kind,
      exchange,
      channels: null,
      connection: null,
      connectionOpenedMs: null,
      atMs: at_ms,
      untilMs: until_ms
    })
  }
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    if (length > bodyBytesMax)
      throw new IngestError('USAGE', `A request body has at most ${bodyBytesMax} bytes.`)
    parts.push(part)
  }
  if (length === 0) return {}
  try {
    const body: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (typeof body === 'object' && body !== null) return body as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new IngestError('USAGE', 'The request body is not JSON.', { cause })
  }
  throw new IngestError('USAGE', 'The request body is not a JSON object.')
}

function sourceOf(body: Readonly<Record<string, unknown>>): CheckSource {
  const source = (body['source'] ?? {}) as Readonly<Record<string, unknown>>
  const { kind, socket, access, topics, registry = null } = source
  if (kind === 'embedded' && typeof socket === 'string') return { kind, socket }
  if (kind === 'kafka' && isKafka(access) && areTexts(topics) && isRegistry(registry)) {
    return { kind, access, topics, registry }
  }
  throw new IngestError(
    'USAGE',
    'source is {"kind":"embedded","socket":PATH} or {"kind":"kafka","access":{"brokers":[…],…},"topics":[…],"registry"?:{…}}.'
  )
}

function isKafka(value: unknown): value is KafkaAccess {
  if (typeof value !== 'object' || value === null) return false
  const { brokers, clientId, tls, caFile, certFile, keyFile, sasl } = value as Readonly<
    Record<string, unknown>
  >
  const areFiles = [caFile, certFile, keyFile].every(each => each === null || typeof each === 'string')
  return (
    areTexts(brokers) && typeof clientId === 'string' && typeof tls === 'boolean' && areFiles && isLogin(sasl)
  )
}

function isLogin(value: unknown): value is KafkaAccess['sasl'] {
  if (typeof value !== 'object' || value === null) return value === null
  const { mechanism, username, password } = value as Readonly<Record<string, unknown>>
  return [mechanism, username, password].every(each => typeof each === 'string')
}

function isRegistry(value: unknown): value is RegistryAccess | null {
  if (typeof value !== 'object' || value === null) return value === null
  const { url, username, password, token, caFile, timeoutMs } = value as Readonly<Record<string, unknown>>
  const areTextsOrNull = [username, password, token, caFile].every(
    each => each === null || typeof each === 'string'
  )
  return typeof url === 'string' && URL.canParse(url) && areTextsOrNull && typeof timeoutMs === 'number'
}

function faultOf(body: Readonly<Record<string, unknown>>): HarnessFault {
  const { kind, exchange = null, at_ms = Date.now(), until_ms = at_ms } = body
  const isExchange = exchange === null || (typeof exchange === 'string' && isExchangeName(exchange))
  if ((kind === 'kill' || kind === 'outage') && isExchange && isTime(at_ms) && isTime(until_ms)) {
    return { kind, exchange, at_ms, until_ms }
  }
  throw new IngestError('USAGE', 'A fault is {"kind":"kill"|"outage","exchange"?,"at_ms"?,"until_ms"?}.')
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every(item => typeof item === 'string')
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text)
  })
  response.end(text)
}
