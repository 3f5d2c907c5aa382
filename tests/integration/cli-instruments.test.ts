import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type OpenSimulation, openSimulation } from '../../src/app/simulation.ts'
import { SimulationClient } from '../../src/app/simulation-client.ts'
import { type SimulatedVenue } from '../../src/app/simulation-messages.ts'
import { runCli } from '../../src/cli/run.ts'
import { adapters } from '../../src/exchanges/registry.ts'
import { FakeIo } from '../unit/cli/fake-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'coin-stream-instruments-'))
const cacheDir = join(folder, 'cache')
let simulation: OpenSimulation
let venues: readonly SimulatedVenue[] = []

before(async () => {
  const options = { socket: join(folder, 'simulation.sock'), seed: 1, rate: 10, faults: '' }
  simulation = await openSimulation(options, () => undefined)
  venues = (await new SimulationClient(simulation.socket).open()).venues
})
after(async () => {
  await simulation.close()
  rmSync(folder, { recursive: true, force: true })
})

async function instruments(...words: readonly string[]) {
  const io = new FakeIo('', { COIN_STREAM_INSTRUMENTS_CACHE_DIR: cacheDir })
  const code = await runCli(['instruments', ...words, `--simulate=${simulation.socket}`], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

suite('coin-stream instruments of simulated exchanges', () => {
  test('every simulated exchange lists what it offers, through its adapter', async () => {
    assert.ok(venues.length >= 2)
    for (const { exchange, symbols, rest } of venues) {
      const adapter = Object.values(adapters).find(({ name }) => name === exchange)
      if (adapter === undefined || adapter.instruments.listing === null) continue
      const { code, stdout } = await instruments(exchange, '--json')
      assert.equal(code, 0)
      const { instruments: listed, ...document } = JSON.parse(stdout) as {
        readonly exchange: string
        readonly source: string
        readonly url: string
        readonly instruments: readonly { readonly symbol: string; readonly native: string }[]
      }
      assert.equal(document.exchange, exchange)
      assert.equal(document.source, 'simulator')
      assert.ok(document.url.startsWith(rest))
      for (const { symbol, native } of listed) {
        // Where the rule can tell, it says what the listing says.
        const byRule = adapter.instruments.canonicalOf(native)
        assert.ok(byRule === symbol || byRule === null, `${exchange} calls ${native} ${symbol} and ${byRule}`)
      }
      const names = new Set(listed.map(({ symbol }) => symbol))
      for (const symbol of symbols) assert.ok(names.has(symbol), `${exchange} does not list ${symbol}`)
    }
  })

  test('the table has both names', async () => {
    const { code, stdout, stderr } = await instruments('upbit', '--filter', 'btc-krw')
    assert.equal(code, 0)
    assert.match(stdout, /^SYMBOL +NATIVE\nBTC-KRW +KRW-BTC\n$/)
    assert.match(
      stderr,
      /^1 of \d+ instruments of upbit, fetched now from http:\/\/127\.0\.0\.1:\d+\/v1\/market\/all\.\n$/
    )
  })

  test('nothing that a simulator lists is kept', () => {
    assert.ok(!existsSync(cacheDir))
  })
})
