import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ChannelReport, type LiveCheckReport } from '../../../src/app/live-check/report.ts'
import { liveCheckText } from '../../../src/cli/live-check-text.ts'

const channel: ChannelReport = {
  exchange: 'upbit',
  request_type: 'trade',
  verdict: 'degraded',
  endpoint: 'wss://api.upbit.com/websocket/v1',
  host: 'api.upbit.com',
  connection: {
    dials: 2,
    sockets: 2,
    reconnects: 1,
    handshake_ms: 84.2,
    subscribed_ms: 120,
    age_ms: 12_000,
    closes: [{ code: 1006, reason: 'closed with 1006' }]
  },
  symbols: [
    {
      symbol: 'BTC-KRW',
      native: 'KRW-BTC',
      state: 'confirmed',
      confirmed_ms: 120,
      reason: null,
      events: 1234
    },
    { symbol: 'NO-KRW', native: 'KRW-NO', state: 'unlisted', confirmed_ms: null, reason: null, events: 0 }
  ],
  frames: {
    received: 1240,
    bytes: 500_000,
    data: 1236,
    control: 4,
    alive: 0,
    transcoded: 1234,
    ignored: {},
    undecodable: 2,
    shed: 0
  },
  events: 1234,
  events_per_s: 41.2,
  undecodable: [{ reason: 'malformed json', count: 2, sample: `{"type":"trade",${'x'.repeat(200)}` }],
  frames_examined: 1234,
  unknown_fields: [],
  fields_never_seen: [],
  sequence: {
    rule: 'unique ids',
    holes: 0,
    missed: 0,
    checksum_mismatches: 0,
    crossed: 0,
    repeats: 3,
    superseded: 0,
    snapshots: 0,
    gaps: { disconnect: 1 }
  },
  heartbeat: {
    rule: 'we send a WebSocket ping every 15 s',
    is_seen: true,
    venue_pings: 0,
    pings_sent: 2,
    pongs: 2,
    frames: 3,
    replies: 0
  },
  clock_offset_ms: { median: 41.5, min: -2, max: 380.1, events: 1200 },
  findings: [
    { severity: 'warning', text: 'the connection broke off' },
    { severity: 'note', text: 'upbit does not list NO-KRW' }
  ]
}

const report: LiveCheckReport = {
  live_check: 1,
  version: '1.2.3',
  node: 'v22.1.0',
  platform: 'linux x64',
  date: '2026-09-21T13:33:20.000Z',
  for_ms: 30_000,
  simulated: false,
  interrupted: true,
  held_up_ms: { p99: 2, max: 17 },
  verdict: 'degraded',
  exchanges: [
    {
      exchange: 'upbit',
      region: 'korea',
      verdict: 'degraded',
      findings: [{ severity: 'warning', text: 'this clock is 12000 ms ahead' }],
      listing: {
        url: 'https://api.upbit.com/v1/market/all',
        state: 'fetched',
        reason: null,
        symbols: 640,
        took_ms: 90,
        date_offset_ms: 12_000
      },
      channels: [channel, { ...channel, request_type: 'ticker', undecodable: [] }]
    }
  ]
}

const text = liveCheckText(report)
const lines = text.split('\n')

test('the head says what was run, and the end how it went', () => {
  const flat = text.replaceAll(/\s+/g, ' ')
  const head =
    'coin-stream 1.2.3 live-check, node v22.1.0, linux x64, 2026-09-21T13:33:20.000Z, 30s a channel, interrupted'
  assert.ok(flat.startsWith(head), flat)
  assert.equal(lines.at(-2), 'degraded: 0 ok, 2 degraded, 0 failed')
  assert.match(flat, /waiting 17 ms at most \(p99 2\)/)
})

test('but for samples of frames everything fits a terminal of 80 columns', () => {
  for (const line of lines.filter(line => !line.includes('xxx'))) assert.ok(line.length <= 80, line)
})

test('a channel is one line, with what was found below it', () => {
  const at = lines.findIndex(line => line.startsWith('upbit/trade'))
  assert.match(lines[at]!, /^upbit\/trade +degraded +1\/2 +1,240 +41\.2 +2 +0 +41\.5$/)
  const below = lines
    .slice(
      at + 1,
      lines.findIndex(line => line.startsWith('upbit/ticker'))
    )
    .join('\n')
  assert.match(
    below.replaceAll(/\s+/g, ' '),
    /open 12s, dialled 2 times; handshake 84\.2 ms, subscribed in 120 ms\); BTC-KRW 1,234, NO-KRW unlisted; 488KB/
  )
  assert.match(below.replaceAll(/\s+/g, ' '), /heartbeat: of ours 2, pongs 2, heartbeat frames 3 \(we send/)
  assert.match(
    below,
    /^ {3}! the connection broke off\n {3}- upbit does not list NO-KRW\n {5}malformed json: /m
  )
})

test('a sample stays on one line, so that it can be copied', () => {
  assert.ok(lines.some(line => line.endsWith('x'.repeat(200))))
})

test('what channels of an exchange have in common is said once, and what concerns all stands at its end', () => {
  assert.equal(lines.filter(line => line.includes('the connection broke off')).length, 1)
  assert.equal(lines.filter(line => line.includes('the same as trade')).length, 2)
  const listing = lines.findIndex(line =>
    line.includes('listing https://api.upbit.com/v1/market/all has 640')
  )
  assert.ok(lines.indexOf('   ! this clock is 12000 ms ahead') > listing)
})
