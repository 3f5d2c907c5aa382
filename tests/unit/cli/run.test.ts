import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { runCli } from '../../../src/cli/run.ts'
import { verbs } from '../../../src/cli/verbs.ts'
import { FakeIo } from './fake-io.ts'

const folder = mkdtempSync(join(tmpdir(), 'coin-stream-cli-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function cli(words: readonly string[], io = new FakeIo()): Promise<{ code: number; io: FakeIo }> {
  return { code: await runCli(words, io), io }
}

/** A wrong use must end with 2, say one sentence on stderr that matches, and write nothing to stdout. */
async function refused(words: string, sentence: RegExp, env: Record<string, string> = {}): Promise<void> {
  const { code, io } = await cli(words.split(' ').filter(Boolean), new FakeIo('', env))
  assert.equal(code, 2, `${words}: ${io.stderr}`)
  assert.match(io.stderr, sentence, words)
  assert.equal(io.stdout, '', words)
}

suite('the command line', () => {
  test('explains every verb with --help, with examples, within 80 columns', async () => {
    for (const { spec } of verbs) {
      const { code, io } = await cli([...spec.verb.split(' '), '--help'])
      assert.equal(code, 0)
      assert.ok(io.stdout.startsWith(`Usage: coin-stream ${spec.verb} `), spec.verb)
      assert.ok(io.stdout.includes('Examples:\n  ') && io.stderr === '', spec.verb)
      assert.ok(Math.max(...io.stdout.split('\n').map(line => line.length)) <= 80, spec.verb)
      const other = await cli(['help', ...spec.verb.split(' ')])
      assert.equal(other.io.stdout, io.stdout)
    }
  })

  test('lists the verbs with --help, and on stderr with code 2 without any word', async () => {
    const { code, io } = await cli(['--help'])
    assert.equal(code, 0)
    for (const { spec } of verbs) assert.ok(io.stdout.includes(`  ${spec.verb} `), spec.verb)
    for (const line of io.stdout.split('\n')) assert.ok(line.length <= 80, line)
    const bare = await cli([])
    assert.equal(bare.code, 2)
    assert.equal(bare.io.stderr, io.stdout)
    assert.match((await cli(['config', '--help'])).io.stdout, /config check .*\n.*config print/)
  })

  test('prints its version', async () => {
    assert.match((await cli(['--version'])).io.stdout, /^\d+\.\d+\.\d+\n$/)
  })

  test('refuses an unknown verb or flag with the nearest name', async () => {
    await refused('strat', /There is no verb strat; did you mean start\? See coin-stream --help\.\n$/)
    await refused('frobnicate', /There is no verb frobnicate\. See/)
    await refused('config chekc', /"chekc" is not one of its verbs; did you mean check\?/)
    await refused('config', /needs one more word: check, print, schema\./)
    await refused('--verify', /There is no flag --verify before the verb/)
    await refused('start --verfy', /There is no flag --verfy; did you mean --verify\?/)
    await refused('tail trade-data.korea --form earliest', /did you mean --from\?/)
  })

  test('refuses bad values and flags that do not go together', async () => {
    await refused('start --for 10', /--for takes a duration like 500ms, 10s, 5m or 2h, and "10" is none/)
    await refused('demo --for', /--for needs a value: --for DURATION/)
    await refused('demo --rate fast', /--rate \(or --rate max\) takes a whole number from 1 to .*"fast"/)
    await refused('demo --seed -1', /--seed needs a value/)
    await refused('demo --seed=x', /--seed takes a whole number/)
    await refused('demo --faults drop', /Fault "drop" cannot be read/)
    await refused('start --verify', /--verify needs --simulate/)
    await refused('start --rate 5', /--rate needs --simulate/)
    await refused('start --simulate=/tmp/s --seed 5', /--seed belongs to the process behind \/tmp\/s/)
    await refused('demo --simulate', /There is no flag --simulate/)
    await refused('start --json=yes', /--json takes no value/)
    await refused('start --set limits', /--set takes KEY=VALUE/)
  })

  test('refuses targets it cannot collect', async () => {
    await refused('start upbit', /Target "upbit" is not of the form exchange\/request_type:SYMBOL/)
    await refused('start upbit/trades:BTC-KRW', /unknown request type "trades"/)
    await refused('start upbit/trade:KRW-BTC,btc', /has the symbol "btc"/)
    await refused('start mtgox/trade:BTC-USD', /unknown exchange "mtgox"; known are upbit, /)
  })

  test('refuses a bad configuration with all its faults, whatever the verb', async () => {
    const env = { COIN_STREAM_LOG_LEVEL: 'loud', KAFKA_BROKERS: 'nowhere' }
    const both = /2 faults|3 faults/
    for (const words of ['start', 'status', 'tail trade-data.korea', 'config check', 'config print']) {
      await refused(words, both, env)
    }
    await refused('start --log-level loud', /log\.level \(--log-level\): "loud" is not one of/)
    await refused(
      'start --set limits.creditByte=1',
      /--set limits\.creditByte: is not a known key; did you mean/
    )
    await refused(`config check --config ${join(folder, 'absent.yaml')}`, /absent\.yaml: cannot be read/)
  })

  test('answers --faults help on stdout and starts nothing', async () => {
    const { code, io } = await cli(['demo', '--faults', 'help'])
    assert.equal(code, 0)
    assert.match(io.stdout, /drop:2s/)
  })

  test('checks and prints a configuration', async () => {
    const file = join(folder, 'good.yaml')
    writeFileSync(file, 'threads: { codecs: 2 }\n')
    const checked = await cli(['config', 'check', '--config', file])
    assert.equal(checked.code, 0)
    assert.match(checked.io.stdout, /valid; 1 key is set\./)
    const printed = await cli(['config', 'print', '--config', file, '--json', '--set', 'log.level=warn'])
    const config = JSON.parse(printed.io.stdout) as { threads: { codecs: number }; log: unknown }
    assert.deepEqual([config.threads.codecs, config.log], [2, { level: 'warn' }])
    const schema = JSON.parse((await cli(['config', 'schema'])).io.stdout) as { properties: object }
    assert.ok('limits' in schema.properties)
  })

  test('says that no service answers, with code 1', async () => {
    for (const words of [['status'], ['tail', 'trade-data.korea']]) {
      const { code, io } = await cli([...words, '--socket', join(folder, 'nobody.sock')])
      assert.equal(code, 1)
      assert.match(
        io.stderr,
        /No coin-stream service answers on .*nobody\.sock; start one with "coin-stream start"/
      )
    }
  })

  test('tails only topics that exist', async () => {
    await refused('tail', /Name a topic; there are ticker-data\.korea/)
    await refused(
      'tail trade-data.kora',
      /There is no topic trade-data\.kora; did you mean trade-data\.korea\?/
    )
    await refused('tail trade-data.korea --from start', /--from is earliest or latest/)
    await refused('tail trade-data.korea -n 0', /-n takes a whole number from 1/)
  })
})
