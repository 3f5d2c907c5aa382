import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { ListingCache } from '../../../actors/exchange/listing-cache.ts'
import { type RestAnswer } from '../../../actors/exchange/rest.ts'
import { findListing } from '../../../src/cli/listing.ts'
import { runCli } from '../../../src/cli/run.ts'
import { type ExchangeAdapter } from '../../../src/exchange-kit/adapter.ts'
import { upbit } from '../../../src/exchanges/upbit.ts'
import { FakeIo } from './fake-io.ts'

const root = mkdtempSync(join(tmpdir(), 'coin-stream-instruments-'))
after(() => rmSync(root, { recursive: true, force: true }))

const key = { exchange: 'upbit', origin: upbit.endpoints.rest, path: '/v1/market/all' } as const
const kept = [
  { symbol: 'ETH-BTC', native: 'BTC-ETH' },
  { symbol: 'BTC-KRW', native: 'KRW-BTC' },
  { symbol: 'BTG-KRW', native: 'KRW-BTG' }
]
const body: RestAnswer = { type: 'body', bytes: Buffer.from('[{"market":"KRW-BTC"}]') }

function failed(status: number | null, retryAfterMs: number | null = null): RestAnswer {
  return {
    type: 'failed',
    message: status === null ? 'no route' : `HTTP status ${status}`,
    status,
    retryAfterMs
  }
}

let folders = 0
/** A folder with Upbit's listing, fetched so long ago. */
async function folderWith(agoMs: number): Promise<string> {
  const folder = join(root, String(++folders))
  await new ListingCache({ folder, maxAgeMs: 0 }).write(key, kept, Date.now() - agoMs)
  return folder
}

async function instruments(words: readonly string[], cacheDir: string) {
  const io = new FakeIo('', { COIN_STREAM_INSTRUMENTS_CACHE_DIR: cacheDir })
  const code = await runCli(['instruments', ...words], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

suite('coin-stream instruments', () => {
  test('prints both names in the order of symbols, and says how many, of when and from where', async () => {
    const { code, stdout, stderr } = await instruments(['upbit'], await folderWith(90_000))
    assert.equal(code, 0)
    const rows = ['SYMBOL   NATIVE', 'BTC-KRW  KRW-BTC', 'BTG-KRW  KRW-BTG', 'ETH-BTC  BTC-ETH']
    assert.equal(stdout, `${rows.join('\n')}\n`)
    assert.match(
      stderr,
      /^3 instruments of upbit, fetched 1m30s ago from https:\/\/api\.upbit\.com\/v1\/market\/all\.\n$/
    )
  })

  test('filters by either name in any case', async () => {
    const folder = await folderWith(0)
    assert.match((await instruments(['upbit', '--filter', 'krw-bt'], folder)).stderr, /^2 of 3 instruments/)
    assert.match((await instruments(['upbit', '--filter=eth-b'], folder)).stdout, /\nETH-BTC  BTC-ETH\n$/)
  })

  test('names what a filter that finds nothing may have meant', async () => {
    const { code, stdout, stderr } = await instruments(['upbit', '--filter', 'BTC-KRWW'], await folderWith(0))
    assert.deepEqual([code, stdout], [0, ''])
    assert.match(stderr, /^0 of 3 instruments .* Did you mean BTC-KRW or BTG-KRW\?\n$/)
  })

  test('prints one JSON document with --json', async () => {
    const { stdout, stderr } = await instruments(['upbit', '--json', '--filter', 'eth'], await folderWith(0))
    const { fetched_ts, ...document } = JSON.parse(stdout) as Record<string, unknown>
    assert.ok(typeof fetched_ts === 'number' && fetched_ts <= Date.now())
    assert.deepEqual(document, {
      exchange: 'upbit',
      url: 'https://api.upbit.com/v1/market/all',
      source: 'cache',
      instruments: [{ symbol: 'ETH-BTC', native: 'BTC-ETH' }]
    })
    assert.equal(stderr, '')
  })

  test('wants an exchange, and names the nearest to one that does not exist', async () => {
    const none = await instruments([], root)
    assert.equal(none.code, 2)
    assert.match(none.stderr, /^coin-stream instruments: Name an exchange: .*upbit/)
    const slip = await instruments(['upbitt'], root)
    assert.equal(slip.code, 2)
    assert.match(slip.stderr, /There is no exchange "upbitt"; did you mean upbit\? See/)
  })

  test('says that no simulation answers', async () => {
    const { code, stderr } = await instruments(['upbit', `--simulate=${join(root, 'none.sock')}`], root)
    assert.equal(code, 1)
    assert.match(stderr, /^coin-stream: The simulation at .*none\.sock does not answer: /)
  })
})

suite('looking up a listing', () => {
  const find = (
    answer: RestAnswer,
    cacheDir: string,
    isRefreshed = false,
    adapter: ExchangeAdapter = upbit
  ) => {
    const settings = { cacheDir, maxAgeMs: 3_600_000 }
    return findListing({
      adapter,
      settings,
      simulation: null,
      isRefreshed,
      rest: () => Promise.resolve(answer)
    })
  }

  test('a fresh one at hand is enough, unless a new one is wanted', async () => {
    const folder = await folderWith(60_000)
    assert.deepEqual((await find(body, folder)).source, 'cache')
    const { source, instruments: found } = await find(body, folder, true)
    assert.deepEqual([source, found], ['venue', [{ symbol: 'BTC-KRW', native: 'KRW-BTC' }]])
    assert.deepEqual((await find(failed(451), folder)).instruments, found)
  })

  test('an old one is fetched anew, and serves when the exchange refuses, which is told', async () => {
    const folder = await folderWith(3_700_000)
    const { source, remarks, instruments: found } = await find(failed(451), folder)
    assert.deepEqual([source, found], ['cache', kept])
    assert.match(
      remarks.join(),
      /HTTP status 451; the venue does not serve this address, so ask from another place\./
    )
    assert.equal((await find(body, folder)).source, 'venue')
  })

  test('a wish for a new one is not served with an old one', async () => {
    await assert.rejects(find(failed(451), await folderWith(0), true), /could not be fetched from/)
  })

  test('without a folder nothing is kept', async () => {
    assert.equal((await find(body, '')).source, 'venue')
    await assert.rejects(find(failed(451), ''), /could not be fetched/)
  })

  for (const [answer, advice] of [
    [failed(429, 7_500), /429; this address asks too often, so try again in 8 s\.$/],
    [failed(418), /418; this address asks too often, so try again in some minutes\.$/],
    [failed(403), /403; the venue does not serve this address/],
    [failed(404), /404; the venue has changed, so look for a newer coin-stream\.$/],
    [{ type: 'body', bytes: Buffer.from('[]') }, /the answer lists no instrument; try again later/]
  ] as const satisfies readonly (readonly [RestAnswer, RegExp])[]) {
    test(`says what to do: ${advice.source}`, async () => {
      await assert.rejects(find(answer, ''), advice)
    })
  }

  test('an exchange without a listing says so, with its rule by an example', async () => {
    const unlisted = { ...upbit, instruments: { ...upbit.instruments, listing: null } }
    await assert.rejects(
      find(body, '', false, unlisted),
      /upbit publishes no list of its instruments\. Its symbols go by a naming rule: BTC-KRW is KRW-BTC there\./
    )
  })
})
