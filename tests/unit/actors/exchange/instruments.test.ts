import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import {
  fetchInstruments,
  instrumentsByRule,
  instrumentsOf
} from '../../../../actors/exchange/instruments.ts'
import { ListingCache } from '../../../../actors/exchange/listing-cache.ts'
import { type RestAnswer } from '../../../../actors/exchange/rest.ts'
import { RestBudget } from '../../../../actors/exchange/rest-budget.ts'
import { type IngestError } from '../../../../src/core/errors.ts'
import { binance } from '../../../../src/exchanges/binance.ts'
import { bitfinex } from '../../../../src/exchanges/bitfinex.ts'
import { upbit } from '../../../../src/exchanges/upbit.ts'
import { ManualClock } from '../../../support/manual-clock.ts'
import { exchangeRig } from './rig.ts'

const root = mkdtempSync(join(tmpdir(), 'coin-stream-instruments-'))
after(() => rmSync(root, { recursive: true, force: true }))

const origin = upbit.endpoints.rest
const key = { exchange: 'upbit', origin, path: '/v1/market/all' } as const
const refused: RestAnswer = { type: 'failed', message: 'HTTP status 451', status: 451, retryAfterMs: null }

function listing(...natives: readonly string[]): RestAnswer {
  return { type: 'body', bytes: Buffer.from(JSON.stringify(natives.map(market => ({ market })))) }
}

let folders = 0
function newCache(): ListingCache {
  return new ListingCache({ folder: join(root, String(++folders)), maxAgeMs: 3_600_000 })
}

/** Looks up BTC-KRW and what else is wanted, of Upbit. */
async function lookUp(
  cache: ListingCache | null,
  answer: RestAnswer,
  { wanted = ['BTC-KRW'], clock = new ManualClock() } = {}
) {
  const faults: IngestError[] = []
  const asked: string[] = []
  const book = await fetchInstruments({
    adapter: upbit,
    origin,
    rest: ({ url }) => {
      asked.push(url)
      return Promise.resolve(answer)
    },
    budget: new RestBudget(clock, upbit.limits),
    clock,
    random: () => 0.5,
    cache,
    wanted,
    onFault: error => faults.push(error)
  })
  return { book, asked, faults, codes: faults.map(({ code }) => code) }
}

suite('the instruments of a venue', () => {
  test('a listing that was fetched is kept, and the next start asks nobody', async () => {
    const cache = newCache()
    const first = await lookUp(cache, listing('KRW-BTC', 'BTC-ETH'))
    assert.deepEqual([first.asked, first.codes], [[`${origin}/v1/market/all`], []])
    const second = await lookUp(cache, refused)
    assert.deepEqual([second.asked, second.codes], [[], []])
    assert.deepEqual(second.book.find('ETH-BTC'), { symbol: 'ETH-BTC', native: 'BTC-ETH' })
    assert.equal(second.book.find('SOL-KRW'), null)
  })

  test('a fresh listing without a wanted symbol is not enough: it may have been listed since', async () => {
    const cache = newCache()
    await lookUp(cache, listing('KRW-BTC'))
    const { book, asked } = await lookUp(cache, listing('KRW-BTC', 'KRW-NEW'), { wanted: ['NEW-KRW'] })
    assert.equal(asked.length, 1)
    assert.deepEqual(book.find('NEW-KRW'), { symbol: 'NEW-KRW', native: 'KRW-NEW' })
    assert.equal((await lookUp(cache, refused, { wanted: ['NEW-KRW'] })).asked.length, 0)
  })

  test('an old listing is asked for anew, and kept with its new time', async () => {
    const cache = newCache()
    const clock = new ManualClock()
    await lookUp(cache, listing('KRW-BTC'), { clock })
    clock.advance(3_600_001)
    assert.equal((await lookUp(cache, listing('KRW-BTC'), { clock })).asked.length, 1)
    assert.equal((await lookUp(cache, refused, { clock })).asked.length, 0)
  })

  test('an old listing serves when the venue refuses, before the naming rule, and that is said', async () => {
    const cache = newCache()
    const clock = new ManualClock()
    await lookUp(cache, listing('KRW-BTC'), { clock })
    clock.advance(7_200_000)
    const { book, faults } = await lookUp(cache, refused, { clock, wanted: ['BTC-KRW', 'NEW-KRW'] })
    assert.equal(faults.length, 1)
    assert.equal(faults[0]!.code, 'LISTING_STALE')
    assert.match(
      faults[0]!.message,
      /HTTP status 451; symbols go by the listing of 2026-09-21T14:13:20\.000Z/
    )
    assert.deepEqual(book.find('BTC-KRW'), { symbol: 'BTC-KRW', native: 'KRW-BTC' })
    assert.deepEqual(book.find('NEW-KRW'), { symbol: 'NEW-KRW', native: 'KRW-NEW' })
  })

  test('without a listing anywhere the naming rule decides', async () => {
    for (const cache of [null, newCache()]) {
      const { book, codes } = await lookUp(cache, refused)
      assert.deepEqual(codes, ['LISTING_FAILED'])
      assert.deepEqual(book.find('NEW-KRW'), { symbol: 'NEW-KRW', native: 'KRW-NEW' })
    }
  })

  for (const [what, answer] of [
    ['empty', listing()],
    ['an error in the shape of a success', { type: 'body', bytes: Buffer.from('{"error":"maintenance"}') }],
    ['no JSON', { type: 'body', bytes: Buffer.from('<html>') }]
  ] as const satisfies readonly (readonly [string, RestAnswer])[]) {
    test(`an answer that is ${what} is no listing, and is not kept`, async () => {
      const cache = newCache()
      assert.deepEqual((await lookUp(cache, answer)).codes, ['LISTING_FAILED'])
      assert.ok(!existsSync(cache.fileOf('upbit')))
    })
  }

  test('a broken file is told once, passed over and written anew', async () => {
    const cache = newCache()
    await cache.write(key, [{ symbol: 'A-B', native: 'B-A' }], 0)
    writeFileSync(cache.fileOf('upbit'), '{"format":1,')
    const { codes, asked, faults } = await lookUp(cache, listing('KRW-BTC'))
    assert.deepEqual([codes, asked.length], [['LISTING_CACHE'], 1])
    assert.match(faults[0]!.message, /not used: .*upbit\.json is not JSON$/)
    assert.deepEqual((await lookUp(cache, refused)).codes, [])
  })

  test('a folder that takes nothing is told, and the listing is used all the same', async () => {
    const file = join(root, 'taken')
    writeFileSync(file, '')
    const { book, codes } = await lookUp(new ListingCache({ folder: file, maxAgeMs: 1 }), listing('KRW-BTC'))
    assert.deepEqual([...new Set(codes)], ['LISTING_CACHE'])
    assert.equal(book.find('BTC-KRW')?.native, 'KRW-BTC')
    assert.equal(book.find('ETH-KRW'), null)
  })

  test('what a simulator lists is not kept, and a kept listing is not used for it', async () => {
    const cache = newCache()
    const rig = (endpoints: { websocket: string; rest: string } | null, native: string) =>
      exchangeRig({
        adapter: upbit,
        requestType: 'trade',
        symbols: ['BTC-KRW'],
        endpoints,
        listings: cache,
        rest: () => listing(native)
      })
    const simulator = { websocket: 'ws://127.0.0.1:4711', rest: 'http://127.0.0.1:4711' }
    const simulated = await rig(simulator, 'KRW-BTC')
    assert.deepEqual(simulated.restUrls, ['http://127.0.0.1:4711/v1/market/all'])
    assert.ok(!existsSync(cache.fileOf('upbit')))
    const real = await rig(null, 'KRW-BTC')
    assert.equal(real.restUrls.length, 1)
    assert.ok(existsSync(cache.fileOf('upbit')))
    const again = await rig(null, 'KRW-BTC')
    assert.equal(again.restUrls.length, 0)
    const simulatedAgain = await rig(simulator, 'KRW-BTC')
    assert.equal(simulatedAgain.restUrls.length, 1)
    for (const each of [simulated, real, again, simulatedAgain]) each.close()
  })

  test('a symbol that is not listed is reported with the names that it may have meant', async () => {
    const rig = await exchangeRig({
      adapter: upbit,
      requestType: 'trade',
      symbols: ['BTC-KRW', 'BTC-KRWW'],
      rest: () => listing('KRW-BTC', 'KRW-ETC', 'KRW-BTG', 'KRW-BTT', 'KRW-SOL')
    })
    const fault = rig.reports.find(report => report.type === 'fault')
    assert.equal(fault?.error.code, 'SYMBOL_UNKNOWN')
    assert.match(
      fault.error.message,
      /^upbit does not list BTC-KRWW \(did you mean BTC-KRW, BTG-KRW or BTT-KRW\?\); upbit\/trade goes on without$/
    )
    rig.close()
  })
})

suite('the naming rule', () => {
  test('never gives one coin the name of another', () => {
    const book = instrumentsByRule(bitfinex)
    for (const symbol of ['AMP-USD', 'WBT-USD', 'DOG-USD', 'YGG-USDT', 'BTC-UST']) {
      assert.equal(book.find(symbol), null, symbol)
    }
    assert.deepEqual(book.find('AMPL-USD'), { symbol: 'AMPL-USD', native: 'tAMPUSD' })
    assert.deepEqual(book.find('LUNA-USD'), { symbol: 'LUNA-USD', native: 'tLUNA2:USD' })
  })

  test('holds for names without a separator, wherever they are split', () => {
    const book = instrumentsByRule(binance)
    assert.deepEqual(book.find('ADA-EUR'), { symbol: 'ADA-EUR', native: 'ADAEUR' })
    assert.deepEqual(book.find('NEW-COIN'), { symbol: 'NEW-COIN', native: 'NEWCOIN' })
  })
})

suite('names that may have been meant', () => {
  const listed = [
    '1INCH-USDT',
    '1000SHIB-USDT',
    '1000SHIB-USDC',
    '1000000MOG-USDT',
    'LUNA2.L-USD',
    'BTC-USDT',
    'BTC-USDC',
    'BTC-EUR',
    'ETH-BTC',
    'BTC-BRL'
  ]
  const book = instrumentsOf(listed.map(symbol => ({ symbol, native: symbol })))

  const cases: readonly (readonly [symbol: string, hint: string])[] = [
    ['USDT-BTC', ' (did you mean BTC-USDT?)'],
    ['XBT-USDT', ' (did you mean BTC-USDT?)'],
    ['BTC-USD', ' (did you mean BTC-USDC or BTC-USDT?)'],
    ['INCH-USDT', ' (did you mean 1INCH-USDT?)'],
    ['1NCH-USDT', ' (did you mean 1INCH-USDT?)'],
    ['SHIB-USDT', ' (did you mean 1000SHIB-USDT or 1000SHIB-USDC?)'],
    ['MOG-USDT', ' (did you mean 1000000MOG-USDT?)'],
    ['LUNA2L-USD', ' (did you mean LUNA2.L-USD?)'],
    ['BTC-JPY', ' (did you mean BTC-BRL, BTC-EUR or BTC-USDC?)'],
    ['DOGE-KRW', '']
  ]
  for (const [symbol, hint] of cases) {
    test(`${symbol}${hint === '' ? ' is like nothing' : hint}`, () => {
      assert.equal(book.find(symbol), null)
      assert.equal(book.hint(symbol), hint)
    })
  }

  test('symbols with digits and dots are found as they are', () => {
    for (const symbol of listed) assert.deepEqual(book.find(symbol), { symbol, native: symbol })
  })
})
