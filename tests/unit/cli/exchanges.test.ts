import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { factsOf } from '../../../src/cli/exchange-facts.ts'
import { exchangesMarkdown } from '../../../src/cli/exchanges-markdown.ts'
import { exchangeText } from '../../../src/cli/exchanges-text.ts'
import { runCli } from '../../../src/cli/run.ts'
import { type BookRules, type ExchangeAdapter } from '../../../src/exchange-kit/adapter.ts'
import { binance } from '../../../src/exchanges/binance.ts'
import { adapters } from '../../../src/exchanges/registry.ts'
import { upbit } from '../../../src/exchanges/upbit.ts'
import { FakeIo } from './fake-io.ts'

async function exchanges(...words: readonly string[]) {
  const io = new FakeIo()
  const code = await runCli(['exchanges', ...words], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

const names = Object.keys(adapters)

suite('coin-stream exchanges', () => {
  test('prints one line for every exchange of the registry, in its order', async () => {
    const { code, stdout } = await exchanges()
    const [title = '', ...lines] = stdout.trimEnd().split('\n')
    assert.equal(code, 0)
    assert.match(title, /^EXCHANGE +REGION +SYMBOL +BOOK /)
    assert.deepEqual(
      lines.map(line => line.split(' ')[0]),
      names
    )
    assert.match(stdout, /\nupbit +korea +BTC-KRW +whole +unique +200\n/)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  })

  test('prints everything about those named, within the width of the terminal', async () => {
    const { stdout } = await exchanges('binance', 'upbit')
    assert.match(stdout, /^binance\n {2}region +asia\n/)
    assert.match(stdout, /\n {2}connects +300 in 5 min\n/)
    assert.match(stdout, /\n {2}messages +5 in 1 s, 100 in 1 min\n/)
    assert.match((await exchanges('okx')).stdout, /\n {2}messages +480 requests in 1 h\n/)
    assert.match(stdout, /\n {2}heartbeat +a WebSocket ping every 15 s; silent for 45 s: probed\n/)
    assert.match(stdout, /\n {2}age +at most 24 h\n/)
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80 || line.includes('https://'), line)
  })

  test('prints one JSON document with every exchange and its facts', async () => {
    const { stdout } = await exchanges('--json')
    const document = JSON.parse(stdout) as { readonly exchanges: readonly Record<string, unknown>[] }
    assert.deepEqual(
      document.exchanges.map(facts => facts['exchange']),
      names
    )
    assert.deepEqual(
      document.exchanges.find(facts => facts['exchange'] === 'upbit'),
      JSON.parse(JSON.stringify(factsOf(upbit)))
    )
    assert.deepEqual(factsOf(upbit).limits.rest_weight, { count: 10, window_ms: 1000 })
  })

  test('names the nearest to an exchange that does not exist, and refuses two forms at once', async () => {
    const slip = await exchanges('binanc')
    assert.equal(slip.code, 2)
    assert.match(slip.stderr, /There is no exchange "binanc"; did you mean binance\?/)
    const both = await exchanges('--json', '--markdown')
    assert.equal(both.code, 2)
    assert.match(both.stderr, /--json and --markdown exclude each other/)
  })
})

suite('docs/exchanges.md', () => {
  test('says in its first line how it is made', async () => {
    const { stdout } = await exchanges('--markdown')
    assert.match(stdout, /^<!-- Made from .* by `coin-stream exchanges --markdown`/)
    assert.equal(stdout, exchangesMarkdown(Object.values(adapters)))
  })

  test('has a row in both tables and a section with every quirk for each exchange', () => {
    const text = exchangesMarkdown(Object.values(adapters))
    for (const adapter of Object.values(adapters) as readonly ExchangeAdapter[]) {
      assert.ok(text.includes(`| [${adapter.name}](#${adapter.name}) | ${adapter.region} |`))
      assert.ok(text.includes(`\n| ${adapter.name} | `))
      assert.ok(text.includes(`\n## ${adapter.name}\n`))
      for (const quirk of adapter.quirks) assert.ok(text.includes(`\n- ${quirk}\n`), quirk)
    }
  })

  test('a bar in a cell does not break its table', () => {
    const odd = { ...upbit, channels: { ...upbit.channels }, instruments: { ...upbit.instruments } }
    odd.instruments.nativeOf = () => 'KRW|BTC'
    assert.ok(exchangesMarkdown([odd]).includes('| `KRW\\|BTC` |'))
  })
})

suite('the procedure of a book in words', () => {
  const procedureOf = (book: BookRules): string => {
    const { procedure } = factsOf({ ...binance, continuity: { ...binance.continuity, book } }).book
    return procedure
  }
  const delta = {
    mode: 'delta',
    sequence: 'none',
    snapshot: { from: 'stream' },
    check: 'none',
    depth: null
  } as const

  test('tells the snapshot, the numbers, the check and the depth', () => {
    assert.equal(
      procedureOf({ mode: 'whole' }),
      'Every frame is the whole book, so there is nothing to put together.'
    )
    assert.equal(
      procedureOf(delta),
      'After each subscription the venue sends a snapshot, then updates. Updates carry no number.'
    )
    const request = { from: 'request', frame: () => '' } as const
    assert.equal(
      procedureOf({ ...delta, sequence: 'previous-equals-last', snapshot: request }),
      'A snapshot is asked for on the same socket and the updates behind it follow. Each update names the number of the one before it; another number is a lost update.'
    )
    assert.match(
      procedureOf({ ...delta, sequence: 'increasing', check: 'crossed' }),
      /only grow: they tell repeats, and no losses\. A best bid at or above the best ask proves/
    )
    assert.match(
      procedureOf({ ...delta, check: { levels: 10, sum: () => 0 }, depth: 100 }),
      /A checksum over the best 10 levels of each side proves the book\. The venue drops levels beyond the best 100 of/
    )
    assert.match(
      procedureOf(binance.continuity.book),
      /fetched by REST \(weight 50\).*Each update begins one above/
    )
  })

  test('a venue that numbers its frames says so, in the text and in the document', () => {
    const numbered = {
      ...upbit,
      continuity: { ...upbit.continuity, frameSequence: () => Number.NaN }
    }
    assert.match(exchangeText(factsOf(numbered), 80), /numbered: a hole is a lost frame/)
    assert.match(exchangesMarkdown([numbered]), /Every frame of a connection is numbered/)
  })
})
