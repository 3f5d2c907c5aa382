import { type StatusSnapshot } from '../../../src/app/service.ts'
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
  truth: cleanTruth
}

export const sampleStatus: StatusSnapshot = {
  started_at: 1_790_000_000_000,
  state: 'running',
  pod: 'pod-0',
  simulated: true,
  sink: { kind: 'embedded', available: true, message: '' },
  registry: 'none',
  targets: names.map(target => ({
    target,
    state: 'live',
    symbols: 5,
    connections: 1,
    records: 3333,
    records_per_s: 166.6,
    latency_ms: latency,
    gaps_open: 0
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
  limits: {}
}
