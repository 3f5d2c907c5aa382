import { type ProducerStatus, type StatusSnapshot } from '../../../src/app/service.ts'
import { type PartitionActivity } from '../../../src/domain/partition-activity.ts'
import { type Summary } from '../../../src/domain/summary.ts'
import { type Truth } from '../../../src/domain/truth.ts'

const latency = { p50: 3.14, p99: 21.5, p999: 144 }
const names = ['upbit', 'binance'].flatMap(exchange =>
  ['ticker', 'trade', 'orderbook'].map(type => `${exchange}/${type}`)
)

export const cleanTruth: Truth = {
  sent: 20_000,
  delivered: 19_990,
  superseded: 4,
  missing: 0,
  declared_missing: 6,
  overdeclared: 0,
  duplicated: 0,
  misordered: 0,
  altered: 0,
  books_compared: 9000,
  books_different: 0
}

export const sampleSummary: Summary = {
  duration_ms: 20_012,
  exchanges: 2,
  targets: 6,
  symbols: 30,
  frames: {
    received: 20_110,
    control: 10,
    transcoded: 20_000,
    ignored: 40,
    dead: 20,
    shed: 40,
    in_flight: 0
  },
  records: { made: 20_000, published: 19_990, duplicate: 6, superseded: 4, failed: 0, in_flight: 0 },
  undelivered: 0,
  gaps: { opened: 12, closed: 11, open: 1 },
  events_per_s: { asked: 1000, reached: 999.6 },
  reconnects: 9,
  latency_ms: latency,
  cpu_us_per_record: 14.26,
  rss_mb: 143,
  per_target: names.map(target => ({
    target,
    state: 'live',
    symbols: 5,
    records: 3333,
    latency_ms: latency
  })),
  producer: null,
  truth: cleanTruth,
  capture: null,
  replay: null,
  digests: null
}

/** A partition of a busy topic. */
export const samplePartition: PartitionActivity = {
  topic: 'orderbook-data.korea',
  partition: 0,
  batches: 100,
  records: 12_345,
  bytes: 2_000_000,
  wire_bytes: 500_000,
  retries: 2,
  linger_ms: 12.34,
  fill: 0.987,
  records_per_s: 1234.4,
  last_flush: 'full',
  buffered_bytes: 131_072,
  ack_ms_p50: 3.14,
  ack_ms_p99: 21.5
}

export const sampleProducer: ProducerStatus = {
  profile: 'throughput',
  compression: 'lz4',
  compression_by_topic: {},
  available: true,
  message: '',
  buffered_bytes: 3_355_443,
  buffer_bytes: 134_217_728,
  undecoded_bytes: 0,
  requests: 90,
  partitions: [samplePartition]
}

export const sampleStatus: StatusSnapshot = {
  started_at: 1_790_000_000_000,
  state: 'running',
  pod: 'pod-0',
  simulated: true,
  replayed: false,
  sink: { kind: 'embedded', available: true, message: '' },
  registry: 'none',
  producer: null,
  targets: names.map(target => ({
    target,
    state: 'live',
    symbols: 5,
    connections: 1,
    records: 3333,
    records_per_s: 166.6,
    latency_ms: latency,
    gaps_open: 0,
    freshness_ms: 12
  })),
  frames: sampleSummary.frames,
  records: sampleSummary.records,
  gaps: sampleSummary.gaps,
  reconnects: 9,
  threads: [
    { name: 'conn-0', state: 'running', restarts: 0 },
    { name: 'producer', state: 'running', restarts: 2 }
  ],
  errors: { SOCKET_FAILED: 9, FRAME_MALFORMED: 20 },
  limits: {},
  clock_jumps: 0
}
