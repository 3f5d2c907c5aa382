import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MessagePort } from 'node:worker_threads'
import { crc32 } from 'node:zlib'
import { Accounts } from '../../../../actors/producer/accounts.ts'
import { ProducerConnection } from '../../../../actors/producer/connection.ts'
import { Continuity } from '../../../../actors/producer/continuity.ts'
import { DeadLetters } from '../../../../actors/producer/dead-letters.ts'
import { Gaps } from '../../../../actors/producer/gaps.ts'
import { Intake } from '../../../../actors/producer/intake.ts'
import { Routes } from '../../../../actors/producer/routes.ts'
import { Tracks } from '../../../../actors/producer/tracks.ts'
import { decodeRecord } from '../../../../src/codec/avro-types.ts'
import { createTranscoder } from '../../../../src/codec/transcode.ts'
import { createLogger } from '../../../../src/core/logger.ts'
import { type Gap } from '../../../../src/domain/gap.ts'
import { type ExchangeName } from '../../../../src/domain/target.ts'
import { adapterOf } from '../../../../src/exchanges/registry.ts'
import { FrameBatch, FrameBatchWriter, FrameKind } from '../../../../src/wire/frame-batch.ts'
import { RecordBatch } from '../../../../src/wire/record-batch.ts'
import { SharedLedger } from '../../../../src/wire/shared-ledger.ts'
import { contextOf } from '../../../support/codec.ts'

const encoder = new TextEncoder()
const startMicros = 1_790_000_000_000_000

interface Published {
  readonly symbol: string
  readonly kind: string
  readonly frame: number
}

/** The books of two symbols of one venue, from raw frames to what is published. */
class BooksRig {
  readonly published: Published[] = []
  readonly gaps: Gap[] = []
  /** Symbols that were to be subscribed anew. */
  readonly resubscribed: string[] = []
  readonly ledger = new SharedLedger(1, 1)
  readonly #transcoder = createTranscoder()
  readonly #context
  readonly #connection: ProducerConnection
  readonly #intake: Intake
  readonly #writer: FrameBatchWriter
  #frameSeq = 0

  constructor(
    exchange: ExchangeName,
    natives: readonly string[],
    channelIds: Readonly<Record<string, number>> = {}
  ) {
    const instruments = natives.map((native, index) => ({ symbol: `S${index}-USD`, native }))
    this.#context = contextOf(exchange, 'orderbook', instruments, { channelIds })
    const { connection: context } = this.#context
    this.#writer = new FrameBatchWriter(context.connection, Number.MAX_SAFE_INTEGER)
    const gaps = new Gaps('pod', 0, gap => this.gaps.push(gap))
    const limits = { tradeIdsPerSymbol: 16, bookPendingBytes: 65_536, bookLevelsMax: 1_000 }
    const tracks = new Tracks(new Routes({}), limits, target => adapterOf(target.exchange))
    const continuity = new Continuity(
      gaps,
      {
        publish: (_, bytes, start, end) => {
          const record = decodeRecord('orderbook', bytes.subarray(start, end))
          assert.ok('kind' in record)
          this.published.push({ symbol: record.symbol, kind: record.kind, frame: record.frame_seq })
        },
        drop: () => undefined,
        requestSnapshot: () => assert.fail('nothing is fetched'),
        requestResubscribe: track => this.resubscribed.push(track.symbol),
        reportBroken: () => assert.fail('nothing is given up')
      },
      { handOverBytes: 1_048_576 },
      createLogger('silent', 'test')
    )
    const deadLetters = new DeadLetters(
      'pod',
      100,
      () => true,
      () => undefined
    )
    this.#intake = new Intake(new Accounts(() => undefined), gaps, continuity, deadLetters)
    this.#connection = new ProducerConnection(
      null as unknown as MessagePort,
      context,
      this.ledger.frames(0),
      this.ledger.records(0)
    )
    this.#connection.openedMicros = startMicros
    this.#connection.tracks = instruments.map(({ symbol }, subscription) => {
      const track = tracks.of(context.target, symbol)
      Object.assign(track, {
        connection: context.connection,
        connectionId: context.connectionId,
        subscription
      })
      track.isConnected = true
      continuity.confirmed(track, startMicros)
      return track
    })
  }

  /** One batch of frames; their symbols are known when the venue's frames show them (a number in front of a colon here). */
  take(...frames: readonly (string | readonly [subscription: number, frame: string])[]): void {
    for (const item of frames) {
      const [subscription, frame] = typeof item === 'string' ? [-1, item] : item
      this.#frameSeq++
      this.#writer.append(
        encoder.encode(frame),
        startMicros + this.#frameSeq * 1_000,
        this.#frameSeq,
        subscription,
        FrameKind.stream
      )
    }
    const buffer = this.#writer.take(1)
    const records = new RecordBatch(this.#transcoder.transcode(buffer, this.#context))
    this.#intake.decoded(this.#connection, new FrameBatch(buffer), records)
  }
}

/** Bitfinex's checksum, as its documentation has it. */
function sumOf(...numbers: readonly number[]): number {
  return crc32(numbers.join(':')) | 0
}

test('a checksum in a frame of its own is compared with the book as it is after the frames before it', () => {
  const rig = new BooksRig('bitfinex', ['tBTCUSD', 'tETHUSD'], { 17: 0, 23: 1 })
  rig.take(
    '[17,[[60000,1,0.5],[59999.5,2,1.25],[60001,1,-0.75]],1,1790000000001]',
    '[23,[[2500,1,4],[2501,1,-3]],2,1790000000002]',
    '[17,[60000,2,0.7],3,1790000000003]',
    `[17,"cs",${sumOf(60000, 0.7, 60001, -0.75, 59999.5, 1.25)},4,1790000000004]`,
    '[17,[59999.5,0,1],5,1790000000005]'
  )
  assert.equal(rig.published.length, 4)
  assert.deepEqual([rig.resubscribed, rig.gaps], [[], []])
  // What the venue has is what it had before the removal of a level.
  rig.take(
    `[17,"cs",${sumOf(60000, 0.7, 60001, -0.75, 59999.5, 1.25)},6,1790000000006]`,
    '[17,[60002,1,-1],7,1790000000007]',
    `[23,"cs",${sumOf(2500, 4, 2501, -3)},8,1790000000008]`
  )
  assert.deepEqual(rig.resubscribed, ['S0-USD'])
  assert.deepEqual(
    rig.gaps.map(({ symbol, reason, status, last_frame_seq }) => [symbol, reason, status, last_frame_seq]),
    [['S0-USD', 'checksum', 'open', 3]]
  )
  assert.equal(rig.published.length, 4)
  assert.equal(rig.ledger.frames(0).get('codecControl'), 3)
})

const book = (symbol: string, type: 'snapshot' | 'l2update'): string =>
  type === 'snapshot'
    ? `{"type":"snapshot","product_id":"${symbol}","asks":[["101.5","2"]],"bids":[["101.4","1"]]}`
    : `{"type":"l2update","product_id":"${symbol}","changes":[["buy","101.3","3"]],"time":"2026-09-21T14:13:20.123456Z"}`

test('a frame that cannot be decoded breaks the book of its symbol, or all books when nobody knows whose it was', () => {
  const rig = new BooksRig('coinbase', ['BTC-USD', 'ETH-USD'])
  rig.take(
    [0, book('BTC-USD', 'snapshot')],
    [1, book('ETH-USD', 'snapshot')],
    [0, book('BTC-USD', 'l2update').slice(0, 60)],
    [0, book('BTC-USD', 'l2update')],
    [1, book('ETH-USD', 'l2update')]
  )
  assert.deepEqual(rig.resubscribed, ['S0-USD'])
  assert.deepEqual(
    rig.published.map(({ symbol, kind, frame }) => [symbol, kind, frame]),
    [
      ['S0-USD', 'SNAPSHOT', 1],
      ['S1-USD', 'SNAPSHOT', 2],
      ['S1-USD', 'DELTA', 5]
    ]
  )
  rig.take([0, book('BTC-USD', 'snapshot')], '{"type":', [1, book('ETH-USD', 'l2update')])
  assert.deepEqual(rig.resubscribed.slice(1), ['S0-USD', 'S1-USD'])
  assert.deepEqual(
    rig.gaps
      .filter(({ symbol }) => symbol !== null)
      .map(({ symbol, reason, status }) => [symbol, reason, status]),
    [
      ['S0-USD', 'decode', 'open'],
      ['S0-USD', 'decode', 'closed'],
      ['S0-USD', 'decode', 'open'],
      ['S1-USD', 'decode', 'open']
    ]
  )
})
