import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { Batcher } from '../../../../actors/exchange/batcher.ts'
import { type ThreadCapture } from '../../../../actors/exchange/capture.ts'
import { ExchangeActor } from '../../../../actors/exchange/exchange.ts'
import { FaultReporter } from '../../../../actors/exchange/fault-reporter.ts'
import { type Link } from '../../../../actors/exchange/link.ts'
import { type ListingCache } from '../../../../actors/exchange/listing-cache.ts'
import { type ExchangePlan, type ExchangeReport } from '../../../../actors/exchange/messages.ts'
import { type RestAnswer } from '../../../../actors/exchange/rest.ts'
import { type Dial, type SocketHandler, type VenueSocket } from '../../../../actors/exchange/socket.ts'
import { type Clock } from '../../../../src/core/clock.ts'
import { type IngestError } from '../../../../src/core/errors.ts'
import { type RequestType } from '../../../../src/domain/target.ts'
import { type ExchangeAdapter } from '../../../../src/exchange-kit/adapter.ts'
import { FrameBatch, type FrameKind } from '../../../../src/wire/frame-batch.ts'
import {
  type ConnectionContext,
  type SessionNotice,
  type ToProducer
} from '../../../../src/wire/session-messages.ts'
import { type ConnectionState, connectionStates, SharedLedger } from '../../../../src/wire/shared-ledger.ts'
import { ManualClock } from '../../../support/manual-clock.ts'

/** A socket whose other end is the test. */
export class FakeSocket implements VenueSocket {
  readonly url: string
  readonly sent: string[] = []
  readMicros = 0
  pings = 0
  isPaused = false
  isClosing = false
  isEnded = false
  readonly #clock: ManualClock
  readonly #handler: SocketHandler

  constructor(url: string, clock: ManualClock, handler: SocketHandler) {
    this.url = url
    this.#clock = clock
    this.#handler = handler
  }

  open(): void {
    this.readMicros = this.#clock.nowMicros()
    this.#handler.opened()
  }

  receive(...texts: string[]): void {
    this.readMicros = this.#clock.nowMicros()
    for (const text of texts) this.#handler.frame(Buffer.from(text))
  }

  receiveBytes(bytes: Uint8Array): void {
    this.readMicros = this.#clock.nowMicros()
    this.#handler.frame(bytes)
  }

  end(
    error: IngestError | null = null,
    status: number | null = null,
    retryAfterMs: number | null = null
  ): void {
    if (this.isEnded) return
    this.isEnded = true
    const reason = error?.message ?? 'closed with 1000'
    this.#handler.ended({ error, reason, status, retryAfterMs, code: error === null ? 1000 : null })
  }

  send(text: string): void {
    this.sent.push(text)
  }
  ping(): void {
    this.pings++
  }
  pause(): void {
    this.isPaused = true
  }
  resume(): void {
    this.isPaused = false
  }
  close(): void {
    this.isClosing = true
  }
  terminate(error: IngestError): void {
    this.end(error)
  }
}

export type Item =
  | { readonly type: 'context'; readonly context: ConnectionContext }
  | {
      readonly type: 'frame'
      readonly connection: number
      readonly text: string
      readonly frameSeq: number
      readonly subscription: number
      readonly kind: FrameKind
    }
  | { readonly type: 'notice'; readonly connection: number; readonly notice: SessionNotice }
  | { readonly type: 'drain' }

/** The producer's end of the port, read when the test asks. */
export class FakeProducer {
  readonly port: MessagePort
  readonly #own: MessagePort
  /** Bytes and last frames of the batches taken so far. */
  readonly batches: { readonly connection: number; readonly bytes: number; readonly frameSeq: number }[] = []
  /** Messages that carried batches. */
  messages = 0

  constructor() {
    const { port1, port2 } = new MessageChannel()
    this.port = port1
    this.#own = port2
  }

  taken(): Item[] {
    const items: Item[] = []
    for (;;) {
      const received = receiveMessageOnPort(this.#own) as { readonly message: ToProducer } | undefined
      if (received === undefined) return items
      const { message } = received
      switch (message.type) {
        case 'batches':
          this.messages++
          for (const buffer of message.buffers) items.push(...this.#framesOf(new FrameBatch(buffer)))
          break
        case 'context':
        case 'notice':
          items.push(message)
          break
        case 'drain':
          items.push({ type: 'drain' })
          break
      }
    }
  }

  close(): void {
    this.#own.close()
  }

  #framesOf(batch: FrameBatch): Item[] {
    const last = batch.frames - 1
    this.batches.push({
      connection: batch.connection,
      bytes: batch.payloadBytes,
      frameSeq: batch.frameSeq(last)
    })
    return Array.from({ length: batch.frames }, (_, row) => ({
      type: 'frame',
      connection: batch.connection,
      text: Buffer.from(batch.bytes.subarray(batch.start(row), batch.end(row))).toString('utf8'),
      frameSeq: batch.frameSeq(row),
      subscription: batch.subscription(row),
      kind: batch.kind(row)
    }))
  }
}

/** The gist of items: notices by their type, frames by their text. */
export function gist(items: readonly Item[]): string[] {
  return items.map(item => {
    if (item.type === 'notice') return item.notice.type
    return item.type === 'frame' ? item.text : item.type
  })
}

export interface RigOptions {
  readonly adapter: ExchangeAdapter
  readonly requestType: RequestType
  readonly symbols: readonly string[]
  readonly shards?: number
  readonly creditBytes?: number
  readonly rest?: (url: string) => RestAnswer
  /** Where to dial instead of the venue. */
  readonly endpoints?: ExchangePlan['endpoints']
  readonly listings?: ListingCache
  readonly capture?: (clock: Clock) => ThreadCapture
}

const notFound: RestAnswer = { type: 'failed', message: 'HTTP status 404', status: 404, retryAfterMs: null }

/** One exchange on a clock, sockets and a producer that belong to the test. Randomness always draws a half. */
export async function exchangeRig(options: RigOptions) {
  const { adapter, requestType, symbols, shards = 1 } = options
  const clock = new ManualClock()
  const sockets: FakeSocket[] = []
  const reports: ExchangeReport[] = []
  const restUrls: string[] = []
  const links = new Set<Link>()
  const producer = new FakeProducer()
  const ledger = new SharedLedger(shards, 1)
  const batcher = new Batcher({
    clock,
    batchBytes: 4_096,
    lingerMs: 5,
    creditBytes: options.creditBytes ?? 1_048_576,
    poolBytes: 0
  })
  batcher.attach(producer.port)
  let lastConnection = 0
  const dial: Dial = ({ url }, handler) => {
    const socket = new FakeSocket(url, clock, handler)
    sockets.push(socket)
    return socket
  }
  const target = { region: adapter.region, exchange: adapter.name, request_type: requestType }
  const exchange = new ExchangeActor(
    {
      exchange: adapter.name,
      endpoints: options.endpoints ?? null,
      targets: [{ plan: { target, symbols, projection: [] }, targetIndex: 0, firstShard: 0, shards }]
    },
    adapter,
    {
      pod: 'pod',
      limits: {
        frameBytesMax: 65_536,
        inflatedBytesMax: 65_536,
        batchBytes: 4_096,
        batchLingerMs: 5,
        creditBytesPerConnection: options.creditBytes ?? 1_048_576
      },
      clock,
      random: () => 0.5,
      dial,
      rest: request => {
        restUrls.push(request.url)
        return Promise.resolve(options.rest?.(request.url) ?? notFound)
      },
      listings: options.listings ?? null,
      batcher,
      faults: new FaultReporter(clock, report => reports.push(report)),
      capture: options.capture?.(clock) ?? null,
      ledger,
      report: report => reports.push(report),
      nextConnection: () => ++lastConnection,
      linkStarted: link => links.add(link),
      linkEnded: link => links.delete(link)
    }
  )
  await exchange.start()
  return {
    clock,
    sockets,
    reports,
    restUrls,
    links,
    producer,
    ledger,
    batcher,
    exchange,
    socket: (at = -1) => sockets.at(at)!,
    link: () => [...links].at(-1)!,
    faults: () => reports.filter(report => report.type === 'fault').map(report => report.error.code),
    state: (shard = 0): ConnectionState => connectionStates[ledger.frames(shard).get('state')]!,
    /** Moves the clock second by second, with the tick that the thread gives every second. */
    pass: (seconds: number) => {
      for (let second = 0; second < seconds; second++) {
        clock.advance(1_000)
        exchange.tick(clock.nowMicros())
      }
    },
    settleAll: () => {
      for (const { connection, bytes, frameSeq } of producer.batches.splice(0)) {
        batcher.settled(connection, bytes, frameSeq)
      }
    },
    close: () => {
      producer.port.close()
      producer.close()
    }
  }
}

export type ExchangeRig = Awaited<ReturnType<typeof exchangeRig>>

/** A promise chain of the code under test has run to its end. */
export async function settledPromises(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
}

export function upbitFrame(type: RequestType, code: string, filler: string | number = ''): string {
  return `{"type":"${type}","code":"${code}","filler":"${filler}"}`
}

export function binanceFrame(symbol: string, stream: string, id = 1): string {
  return `{"stream":"${symbol.toLowerCase()}@${stream}","data":{"s":"${symbol}","id":${id}}}`
}

/** Opens the latest socket and acknowledges the first request on it. */
export function acknowledge(socket: FakeSocket): void {
  socket.open()
  socket.receive('{"result":null,"id":1}')
}
