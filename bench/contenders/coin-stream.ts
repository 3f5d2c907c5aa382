import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runService } from '../../src/app/wire.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type ExchangeName, type TargetPlan } from '../../src/domain/target.ts'
import { adapterOf } from '../../src/exchanges/registry.ts'
import { contenderPlan, serveReadings } from './messages.ts'

// The service itself, with its default configuration; only linger, batch size and codec are those of every contender.
const plan = contenderPlan()
const directory = mkdtempSync(join(tmpdir(), 'coin-stream-bench-'))
const flags: [string, string][] = [
  ['admin.socket', join(directory, 'admin.sock')],
  ['pod', 'bench'],
  ['producer.lingerMs', String(plan.lingerMs)],
  ['producer.batchBytes', String(plan.batchBytes)],
  ['producer.compression', plan.compression],
  ['producer.gapFile', join(directory, 'gaps.ndjson')],
  ['registry.url', 'none'],
  ...(plan.sink.kind !== 'embedded'
    ? [['kafka.brokers', plan.sink.brokers.join(',')] as [string, string]]
    : [])
]
const { config } = loadConfig({
  file: null,
  env: {},
  flags: flags.map(([path, text]) => ({ flag: '--set', path, text }))
})
const endpoints = { websocket: plan.origin.replace('http', 'ws'), rest: plan.origin }
const service = await runService({
  config,
  plans: [...plansOf('binance', plan.symbols.binance), ...plansOf('upbit', plan.symbols.upbit)],
  simulation: null,
  sinkKind: plan.sink.kind === 'kafkajs-send' ? 'kafkajs-send' : 'kafka',
  capture: null,
  replay: null,
  digests: false,
  endpoints: new Map([
    ['binance', { ...endpoints, websocket: `${endpoints.websocket}/stream` }],
    ['upbit', { ...endpoints, websocket: `${endpoints.websocket}/websocket/v1` }]
  ]),
  forMs: null,
  logLevel: 'error'
})
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
serveReadings(
  () => {
    const { records, frames } = service.snapshot()
    const { duplicate, superseded, failed } = records
    return {
      records: records.published,
      dropped: duplicate + superseded + failed + frames.dead + frames.shed
    }
  },
  async () => {
    await service.stop('the bench has its readings')
  }
)

function plansOf(exchange: ExchangeName, natives: readonly string[]): TargetPlan[] {
  const { region, instruments } = adapterOf(exchange)
  const symbols = natives.map(native => instruments.canonicalOf(native) ?? native)
  if (natives.length === 0) return []
  return plan.requestTypes.map(request_type => ({
    target: { region, exchange, request_type },
    symbols,
    projection: []
  }))
}
