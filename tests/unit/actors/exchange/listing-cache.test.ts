import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { ListingCache, type ListingKey } from '../../../../actors/exchange/listing-cache.ts'
import { IngestError } from '../../../../src/core/errors.ts'

const root = mkdtempSync(join(tmpdir(), 'coin-stream-listings-'))
after(() => rmSync(root, { recursive: true, force: true }))

const nowMs = 1_790_000_000_000
const key: ListingKey = {
  exchange: 'binance',
  origin: 'https://api.binance.com',
  path: '/api/v3/exchangeInfo'
}
const instruments = [
  { symbol: '1INCH-USDT', native: '1INCHUSDT' },
  { symbol: '1000SHIB-USDT', native: '1000SHIBUSDT' },
  { symbol: 'LUNA2.L-USD', native: 'tLUNA2.L:USD' }
]

let folders = 0
function emptyCache(maxAgeMs = 3_600_000) {
  const folder = join(root, String(++folders), 'instruments')
  return { folder, file: join(folder, 'binance.json'), cache: new ListingCache({ folder, maxAgeMs }) }
}

/** A cache in whose file the content stands, made from a good one. */
async function cacheWith(change: (content: Record<string, unknown>) => unknown) {
  const planted = emptyCache()
  await planted.cache.write(key, instruments, nowMs)
  const content = { format: 1, ...key, fetched_ts: nowMs, instruments }
  const changed = change(content)
  writeFileSync(planted.file, typeof changed === 'string' ? changed : JSON.stringify(changed))
  return planted.cache
}

suite('listings on disk', () => {
  test('a listing that was kept is read back, odd symbols included', async () => {
    const { cache } = emptyCache()
    assert.deepEqual(await cache.read(key, nowMs), { type: 'absent' })
    await cache.write(key, instruments, nowMs + 0.5)
    const listing = { instruments, fetchedMs: nowMs, isFresh: true }
    assert.deepEqual(await cache.read(key, nowMs + 1), { type: 'listing', listing })
  })

  test('a name that no reader would take is left out, and the others are kept', async () => {
    const { cache } = emptyCache()
    const odd = [
      { symbol: '\u0007-USDT', native: 'X' },
      { symbol: 'X-USDT', native: 'X'.repeat(65) }
    ]
    await cache.write(key, [...odd, ...instruments], nowMs)
    const listing = { instruments, fetchedMs: nowMs, isFresh: true }
    assert.deepEqual(await cache.read(key, nowMs), { type: 'listing', listing })
  })

  test('a listing is fresh up to its age and no longer', async () => {
    const { cache } = emptyCache(1000)
    await cache.write(key, instruments, nowMs)
    const isFresh = async (atMs: number): Promise<boolean> => {
      const answer = await cache.read(key, atMs)
      assert.ok(answer.type === 'listing')
      return answer.listing.isFresh
    }
    assert.equal(await isFresh(nowMs + 1000), true)
    assert.equal(await isFresh(nowMs + 1001), false)
  })

  test('folder and file are for their owner alone, and no draft stays behind', async () => {
    const { folder, file, cache } = emptyCache()
    await cache.write(key, instruments, nowMs)
    await cache.write(key, instruments.slice(1), nowMs)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['binance.json'])
  })

  test('a listing of another origin, path or exchange is none', async () => {
    const { cache } = emptyCache()
    await cache.write({ ...key, origin: 'http://127.0.0.1:4711' }, instruments, nowMs)
    assert.deepEqual(await cache.read(key, nowMs), { type: 'absent' })
    await cache.write({ ...key, path: '/api/v4/exchangeInfo' }, instruments, nowMs)
    assert.deepEqual(await cache.read(key, nowMs), { type: 'absent' })
    const swapped = await cacheWith(content => ({ ...content, exchange: 'upbit' }))
    assert.deepEqual(await swapped.read(key, nowMs), { type: 'absent' })
  })

  const broken: readonly (readonly [what: string, change: (content: Record<string, unknown>) => unknown])[] =
    [
      ['cut off', content => JSON.stringify(content).slice(0, 80)],
      ['empty', () => ''],
      ['no object', () => [1]],
      ['null', () => null],
      ['of another format', content => ({ ...content, format: 2 })],
      ['with a key too many', content => ({ ...content, note: 'x' })],
      ['with a key too few', ({ path: _path, ...content }) => content],
      ['without a time', content => ({ ...content, fetched_ts: '1790000000000' })],
      ['of the future', content => ({ ...content, fetched_ts: nowMs + 61_000 })],
      ['without instruments', content => ({ ...content, instruments: [] })],
      ['with an instrument of numbers', content => ({ ...content, instruments: [{ symbol: 1, native: 2 }] })],
      ['with an instrument of one name', content => ({ ...content, instruments: [{ symbol: 'BTC-USDT' }] })],
      [
        'with an instrument of three keys',
        content => ({ ...content, instruments: [{ symbol: 'BTC-USDT', native: 'BTCUSDT', id: '1' }] })
      ],
      [
        'with a name that steers a terminal',
        content => ({ ...content, instruments: [{ symbol: 'BTC-\u001b[2J', native: 'BTCUSDT' }] })
      ],
      [
        'with an endless name',
        content => ({ ...content, instruments: [{ symbol: 'B'.repeat(65), native: 'BTCUSDT' }] })
      ],
      ['too large', () => ' '.repeat(8 * 1024 * 1024 + 1)]
    ]
  for (const [what, change] of broken) {
    test(`a file that is ${what} is told and not used`, async () => {
      const cache = await cacheWith(change)
      const answer = await cache.read(key, nowMs)
      assert.ok(answer.type === 'broken')
      assert.match(
        answer.reason,
        /binance\.json (does not hold a listing|is not JSON|cannot be read: it has more than)/
      )
      await cache.write(key, instruments, nowMs)
      assert.equal((await cache.read(key, nowMs)).type, 'listing')
    })
  }

  test('a folder or a pipe in the place of the file is told, and nobody waits for it', async () => {
    const { folder, file, cache } = emptyCache()
    mkdirSync(file, { recursive: true })
    assert.equal((await cache.read(key, nowMs)).type, 'broken')
    await assert.rejects(
      cache.write(key, instruments, nowMs),
      (error: unknown) => error instanceof IngestError && error.code === 'LISTING_CACHE'
    )
    assert.deepEqual(readdirSync(folder), ['binance.json'])
    rmSync(file, { recursive: true })
    execFileSync('sh', ['-c', 'mkfifo "$0"', file])
    assert.equal((await cache.read(key, nowMs)).type, 'broken')
    await cache.write(key, instruments, nowMs)
    assert.equal((await cache.read(key, nowMs)).type, 'listing')
  })

  test('a folder that cannot be made is told with the path', async () => {
    const file = join(root, 'file')
    writeFileSync(file, '')
    const cache = new ListingCache({ folder: join(file, 'instruments'), maxAgeMs: 1 })
    assert.equal((await cache.read(key, nowMs)).type, 'broken')
    await assert.rejects(cache.write(key, instruments, nowMs), /could not be kept in .*binance\.json/)
  })

  test('several writers at once leave one whole listing', async () => {
    const { cache } = emptyCache()
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => cache.write(key, instruments, nowMs - i))
    )
    assert.ok(results.every(({ status }) => status === 'fulfilled'))
    assert.equal((await cache.read(key, nowMs)).type, 'listing')
  })
})
