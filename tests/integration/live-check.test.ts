import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { hostname, userInfo } from 'node:os'
import { suite, test } from 'node:test'
import { runLiveCheck } from '../../src/app/live-check/live-check.ts'
import { type ChannelReport, type LiveCheckReport } from '../../src/app/live-check/report.ts'
import { SimulationClient, startSimulation } from '../../src/app/simulation-client.ts'
import { liveCheckText } from '../../src/cli/live-check-text.ts'
import { type RequestType, requestTypes } from '../../src/domain/target.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { CliFolder } from '../support/run-cli.ts'
import { type BinanceScript, startScriptedBinance } from '../support/scripted-binance.ts'

const forMs = 400

interface Endpoints {
  readonly websocket: string
  readonly rest: string
}

function check(
  endpoints: Endpoints,
  symbols: readonly string[] | null = ['BTC-USDT']
): Promise<LiveCheckReport> {
  return runLiveCheck({
    exchanges: ['binance'],
    symbols,
    forMs,
    isSimulated: true,
    endpointsOf: () => endpoints,
    signal: new AbortController().signal,
    progress: () => undefined
  })
}

async function checkScript(
  script: BinanceScript,
  symbols: readonly string[] | null = ['BTC-USDT']
): Promise<LiveCheckReport> {
  await using venue = await startScriptedBinance(script)
  return await check(venue.endpoints, symbols)
}

function channel(report: LiveCheckReport, requestType: RequestType): ChannelReport {
  const found = report.exchanges[0]?.channels.find(each => each.request_type === requestType)
  assert.ok(found !== undefined)
  return found
}

function findings({ findings: list }: ChannelReport): string {
  return list.map(({ severity, text }) => `${severity}: ${text}`).join('\n')
}

/** Names of the document's fields; what stands below a name that is data is none. */
function keysOf(value: unknown, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) keysOf(item, found)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      found.add(key)
      if (key !== 'ignored' && key !== 'gaps') keysOf(member, found)
    }
  }
  return found
}

suite('live-check', () => {
  test('finds every simulated venue in order, on all its channels', async () => {
    using folder = new CliFolder()
    const end = await folder.run(['live-check', '--simulate', '--rate', '2000', '--for', '2s', '--json'])
    assert.equal(end.code, 0, end.stdout + end.stderr)
    const report = JSON.parse(end.stdout) as LiveCheckReport
    assert.ok(report.exchanges.length >= 2)
    for (const { exchange, channels, listing, findings: list } of report.exchanges) {
      assert.deepEqual(list, [])
      const { listing: hasListing } = adapters[exchange].instruments
      assert.equal(listing?.state, hasListing === null ? undefined : 'fetched')
      assert.deepEqual(
        channels.map(({ request_type }) => request_type),
        requestTypes
      )
      for (const each of channels) {
        const name = `${exchange}/${each.request_type}: ${findings(each)}`
        assert.equal(each.verdict, 'ok', name)
        assert.ok(each.symbols.length > 0 && each.symbols.every(({ state }) => state === 'confirmed'), name)
        assert.ok(each.connection.handshake_ms! > 0 && each.connection.subscribed_ms! > 0, name)
        assert.ok(each.events > 0 && each.frames_examined > 0, name)
        assert.deepEqual(each.undecodable, [], name)
        assert.equal(each.sequence.holes, 0, name)
        const { frames } = each
        assert.equal(frames.received, frames.data + frames.control, name)
      }
    }
    assert.equal(report.verdict, 'ok')
    const documented = readFileSync('docs/live-check.md', 'utf8')
    for (const key of keysOf(report))
      assert.ok(documented.includes(`\`${key}\``), `docs/live-check.md lacks ${key}`)
    for (const secret of [hostname(), userInfo().username, folder.path, process.cwd()]) {
      if (secret.length > 4) assert.ok(!end.stdout.includes(secret), secret)
    }
  })

  test('names a field that nobody reads, with the table, how often it came and an example', async () => {
    const report = await checkScript({
      change: (frame, name) =>
        name === 'trade' ? frame.replace('"M":true', '"M":true,"zz":{"new":1}') : frame
    })
    const trade = channel(report, 'trade')
    assert.deepEqual(trade.unknown_fields, [
      { path: 'data.zz', table: 'binance/trade', count: 3, example: '{"new":"1"}' }
    ])
    assert.match(findings(trade), /note: unknown field data\.zz in 3 of 3 frames/)
    assert.equal(trade.verdict, 'ok')
    assert.deepEqual(channel(report, 'ticker').unknown_fields, [])
    assert.deepEqual(channel(report, 'orderbook').unknown_fields, [])
  })

  test('shows the first frame of each kind that cannot be decoded, cut and escaped', async () => {
    const long = 'x'.repeat(1000)
    const report = await checkScript({
      more: name =>
        name === 'trade'
          ? [
              `{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":4,"${long}`,
              '{"stream":"btcusdt@trade","data":{"e":"trade","E":1790000000000,"s":"BTCUSDT","t":5,"p":"\\u001b[31m"}}'
            ]
          : []
    })
    const trade = channel(report, 'trade')
    assert.equal(trade.verdict, 'degraded')
    assert.deepEqual(
      trade.undecodable.map(({ reason, count }) => [reason, count]),
      [
        ['malformed json', 1],
        ['field missing', 1]
      ]
    )
    const [cut, whole] = trade.undecodable.map(({ sample }) => sample)
    assert.match(cut!, /^\{"stream":"btcusdt@trade".*x… \(\d+ bytes more\)$/)
    assert.ok(cut!.length < 340)
    assert.ok(!whole!.includes('\u001b'))
    assert.match(findings(trade), /warning: 1 of 5 data frames cannot be decoded \(malformed json\)/)
    assert.equal(trade.frames.undecodable, 2)
    assert.equal(report.verdict, 'degraded')
  })

  test('calls a channel failed when nothing of it can be decoded', async () => {
    const report = await checkScript({
      change: (frame, name) => (name === 'ticker' ? frame.replace('"c":', '"last":') : frame)
    })
    const ticker = channel(report, 'ticker')
    assert.equal(ticker.verdict, 'failed')
    assert.match(
      findings(ticker),
      /failure: 1 of 1 data frames cannot be decoded \(field missing\).*the adapter must follow/
    )
    assert.equal(channel(report, 'trade').verdict, 'ok')
    assert.equal(report.exchanges[0]?.verdict, 'failed')
  })

  test('names a symbol that the venue refuses, with the reason', async () => {
    const report = await checkScript({ rejects: name => name === 'ticker' })
    const ticker = channel(report, 'ticker')
    assert.deepEqual(
      ticker.symbols.map(({ symbol, state, reason }) => ({ symbol, state, reason })),
      [{ symbol: 'BTC-USDT', state: 'rejected', reason: 'Invalid request: invalid stream (code 2)' }]
    )
    assert.match(
      findings(ticker),
      /failure: binance refused BTC-USDT: Invalid request: invalid stream \(code 2\)/
    )
    assert.equal(channel(report, 'trade').verdict, 'ok')
  })

  test('finds a hole in the trade ids and says how much is missing', async () => {
    const report = await checkScript({ tradeIds: [10, 11, 15, 16] })
    const trade = channel(report, 'trade')
    assert.equal(trade.verdict, 'degraded')
    assert.deepEqual([trade.sequence.holes, trade.sequence.missed], [1, 3])
    assert.match(findings(trade), /warning: the trade ids have a hole \(3 missing\) in BTC-USDT/)
  })

  test('counts trades that came twice, which are harmless', async () => {
    const report = await checkScript({ tradeIds: [10, 11, 11, 12] })
    const trade = channel(report, 'trade')
    assert.equal(trade.verdict, 'ok')
    assert.equal(trade.sequence.repeats, 1)
    assert.match(findings(trade), /note: 1 records repeated earlier ones/)
  })

  test('finds a book that the venue itself sends crossed', async () => {
    const report = await checkScript({ snapshot: { bid: '64002.0', ask: '64001.0' } })
    const book = channel(report, 'orderbook')
    assert.equal(book.verdict, 'degraded')
    assert.deepEqual([book.sequence.snapshots, book.sequence.crossed], [1, 1])
    assert.match(
      findings(book),
      /1 book snapshots are crossed, for example BTC-USDT: bid 64002\.0, ask 64001\.0/
    )
  })

  test('tells that a book snapshot cannot be had, and why', async () => {
    const report = await checkScript({ snapshot: 'unavailable' })
    const book = channel(report, 'orderbook')
    assert.notEqual(book.verdict, 'ok')
    assert.match(
      findings(book),
      /SNAPSHOT_FAILED.*the book snapshot of BTC-USDT could not be fetched: HTTP status 503/
    )
    assert.equal(channel(report, 'trade').verdict, 'ok')
  })

  test('tells with which code the venue closed, and that the service dialled again', async () => {
    const report = await checkScript({ closes: { channel: 'trade', code: 4001, reason: 'too\u001bslow' } })
    const trade = channel(report, 'trade')
    assert.equal(trade.verdict, 'degraded')
    assert.deepEqual(trade.connection.closes[0], { code: 4001, reason: 'closed with 4001 (too\\u001bslow)' })
    assert.match(findings(trade), /warning: the connection broke off.*closed with 4001/)
    assert.deepEqual(channel(report, 'ticker').connection.closes, [])
  })

  test('chooses liquid symbols from the listing, and says which named ones it lacks', async () => {
    const chosen = await checkScript({}, null)
    assert.equal(chosen.verdict, 'ok')
    assert.deepEqual(
      channel(chosen, 'ticker').symbols.map(({ symbol }) => symbol),
      ['BTC-USDT', 'ETH-USDT', 'XRP-USDT']
    )
    assert.equal(chosen.exchanges[0]?.listing?.symbols, 3)
    assert.ok(Math.abs(chosen.exchanges[0].listing.date_offset_ms!) < 10_000)
    const named = channel(await checkScript({}, ['BTC-USDT', 'NOPE-USDT']), 'ticker')
    assert.equal(named.verdict, 'ok')
    assert.match(findings(named), /note: binance does not list NOPE-USDT/)
    assert.deepEqual(
      named.symbols.map(({ state }) => state),
      ['confirmed', 'unlisted']
    )
    const none = channel(await checkScript({}, ['NOPE-USDT']), 'ticker')
    assert.equal(none.verdict, 'failed')
    assert.match(findings(none), /failure: binance does not list NOPE-USDT.*--symbols/)
  })

  test('says of a venue that cannot be reached why, and what to do', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const report = await check({ websocket: `ws://127.0.0.1:${port}`, rest: `http://127.0.0.1:${port}` })
    assert.equal(report.verdict, 'failed')
    assert.match(
      findings(channel(report, 'trade')),
      /^failure: 127\.0\.0\.1 could not be reached \(ECONNREFUSED\); check the network/
    )
    assert.equal(report.exchanges[0]?.listing?.state, 'failed')
    const text = liveCheckText(report)
    assert.match(text, /binance\/trade +failed +0\/1/)
    assert.match(text, /never open; dialled/)
    assert.match(text, /failed: 0 ok, 0 degraded, 3 failed/)
  })

  test('says of a venue that refuses the handshake which status it gave, for the channels behind it as well', async () => {
    const blocked = await checkScript({ refuse: () => ({ status: 451 }) })
    assert.match(
      findings(channel(blocked, 'ticker')),
      /^failure: 127\.0\.0\.1 refused the handshake with HTTP status 451; .* try from another network/
    )
    const limited = await checkScript({ refuse: () => ({ status: 429, headers: { 'retry-after': '77' } }) })
    for (const requestType of requestTypes) {
      assert.match(findings(channel(limited, requestType)), /^failure: .*HTTP status 429; .*wait 77 s/)
    }
  })

  test('attaches to simulated exchanges that run already, and leaves them running', async () => {
    using folder = new CliFolder()
    const simulation = await startSimulation({ rate: 2000, seed: 7, faults: 'reject:binance/trade:ETH-USDT' })
    try {
      const words = ['binance', `--simulate=${simulation.socket}`, '--for', '1s', '--json']
      const end = await folder.run(['live-check', ...words])
      assert.equal(end.code, 0, end.stderr)
      const trade = channel(JSON.parse(end.stdout) as LiveCheckReport, 'trade')
      assert.match(findings(trade), /ETH-USDT/)
      assert.ok(!end.stdout.includes(simulation.socket))
      await new SimulationClient(simulation.socket).stats()
    } finally {
      await simulation.close()
    }
  })

  test('an interrupted check reports what it saw so far and ends with 130', async () => {
    using folder = new CliFolder()
    await using child = folder.start(['live-check', 'upbit', '--simulate', '--for', '12s', '--json'])
    await child.said(/3\/3 open, [1-9]/)
    child.signal('SIGINT')
    const end = await child.ended
    assert.equal(end.code, 130, end.stderr)
    const report = JSON.parse(end.stdout) as LiveCheckReport
    assert.equal(report.interrupted, true)
    assert.equal(report.exchanges[0]?.channels.length, 3)
  })

  test('reports wrong use as such', async () => {
    using folder = new CliFolder()
    for (const [words, complaint] of [
      [['upbitt'], /There is no exchange "upbitt" \(did you mean upbit\?\)|did you mean upbit/i],
      [['upbit', '--symbols', 'btc'], /--symbols takes BASE-QUOTE/],
      [['upbit', '--rate', '5'], /--rate needs --simulate/],
      [['upbit', '--for', 'long'], /--for takes a duration/]
    ] as const) {
      const end = await folder.run(['live-check', ...words])
      assert.equal(end.code, 2, end.stderr)
      assert.match(end.stderr, complaint)
    }
  })
})
