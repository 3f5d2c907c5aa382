import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../../src/config/load.ts'
import { IngestError } from '../../../src/core/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'coin-stream-config-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

function load(sources: {
  yaml?: string
  env?: ConfigSources['env']
  flags?: ConfigSources['flags']
}): LoadedConfig {
  let file: string | null = null
  if (sources.yaml !== undefined) {
    file = join(folder, `${files++}.yaml`)
    writeFileSync(file, sources.yaml)
  }
  return loadConfig({ file, env: sources.env ?? {}, flags: sources.flags ?? [] })
}

/** The lines of a refusal, without the head line and the indentation. */
function faults(sources: Parameters<typeof load>[0]): string[] {
  try {
    load(sources)
  } catch (error) {
    assert.ok(error instanceof IngestError)
    assert.equal(error.code, 'CONFIG_INVALID')
    return error.message
      .split('\n')
      .slice(1)
      .map(line => line.trim())
  }
  assert.fail('the configuration was accepted')
}

suite('the configuration', () => {
  test('has a default for every key and is frozen', () => {
    const { config, given } = load({})
    assert.deepEqual(config.kafka, {
      brokers: [],
      clientId: 'coin-stream',
      tls: false,
      caFile: null,
      certFile: null,
      keyFile: null,
      sasl: null
    })
    assert.deepEqual(config.topics, { manage: true, replication: 0, partitions: [] })
    assert.equal(config.registry.url, 'none')
    assert.deepEqual(config.producer, {
      profile: 'throughput',
      lingerMs: null,
      batchBytes: null,
      compression: 'lz4',
      compressionByTopic: [],
      bufferBytes: 128 * 1024 * 1024,
      requestBytesMax: 4 * 1024 * 1024,
      deliveryTimeoutMs: 300_000,
      gapFile: 'run/undelivered-gaps.ndjson',
      drainMs: 10_000
    })
    assert.equal(config.limits.creditBytes, 64 * 1024 * 1024)
    assert.equal(config.admin.socket, 'run/admin.sock')
    assert.match(config.pod, /^[A-Za-z0-9._-]{1,63}$/)
    assert.deepEqual(config.targets, [])
    assert.equal(given.size, 0)
    assert.throws(() => Reflect.set(config.limits, 'creditBytes', 1) || assert.fail('not frozen'))
  })

  test('takes flags before the environment, the environment before the file, the file before the defaults', () => {
    const yaml = 'threads: { connections: 2, codecs: 2 }\nproducer: { lingerMs: 2 }\nlog: { level: warn }'
    const env = { COIN_STREAM_THREADS_CODECS: '3', COIN_STREAM_PRODUCER_LINGER_MS: '3' }
    const { config, given } = load({
      yaml,
      env,
      flags: [{ flag: '--set', path: 'producer.lingerMs', text: '4' }]
    })
    assert.deepEqual([config.threads.connections, config.threads.codecs], [2, 3])
    assert.equal(config.producer.lingerMs, 4)
    assert.equal(config.log.level, 'warn')
    assert.deepEqual([...given].sort(), [
      'log.level',
      'producer.lingerMs',
      'threads.codecs',
      'threads.connections'
    ])
  })

  test('reports five faults at once, each with its path and what to do', () => {
    const yaml = [
      'kafka: { brokers: [localhost], clientID: me }',
      'limits: { creditBytes: lots }',
      'log: { level: loud }',
      'targets: [upbit/trade:KRW_BTC]',
      'registry: none'
    ].join('\n')
    const found = faults({ yaml })
    assert.equal(found.length, 5)
    const line = (path: string) =>
      found.find(each => each.startsWith(`${path}:`)) ?? assert.fail(`${path} is not reported`)
    assert.match(
      line('kafka.brokers.0'),
      /"localhost" does not have the right form; write for example localhost:9092/
    )
    assert.match(line('kafka.clientID'), /is not a known key; did you mean clientId\?/)
    assert.match(
      line('limits.creditBytes'),
      /"lots" is not a whole number; give a whole number from \d+ to \d+/
    )
    assert.match(line('log.level'), /"loud" is not one of debug, info, warn, error, silent; choose one/)
    assert.match(line('targets.0'), /the symbol "KRW_BTC"; write symbols as BASE-QUOTE/)
  })

  test('names the variable or flag that a bad value came from', () => {
    const found = faults({
      env: { COIN_STREAM_THREADS_CODECS: 'many', KAFKA_BROKERS: 'a:1,b', SCHEMA_REGISTRY_URL: 'none' },
      flags: [{ flag: '--log-level', path: 'log.level', text: 'inof' }]
    })
    assert.equal(found.length, 3)
    assert.ok(found.some(line => line.startsWith('threads.codecs (COIN_STREAM_THREADS_CODECS):')))
    assert.ok(found.some(line => line.startsWith('kafka.brokers.1 (KAFKA_BROKERS):')))
    assert.ok(
      found.some(line => line.startsWith('log.level (--log-level):') && line.includes('did you mean info?'))
    )
  })

  test('refuses unknown keys at every depth, prototype keys included', () => {
    const found = faults({ yaml: 'treads: {}\n__proto__: {}\nlimits: { constructor: 1 }' })
    assert.deepEqual(found.map(line => line.slice(0, line.indexOf(':'))).sort(), [
      '__proto__',
      'limits.constructor',
      'treads'
    ])
  })

  test('takes a misspelt variable for a fault and lets foreign ones with the prefix be', () => {
    const found = faults({
      env: { COIN_STREAM_LOG_LEVL: 'info', COIN_STREAM_PORT: 'tcp://1', COIN_STREAM_CACHE: '/x' }
    })
    assert.deepEqual(found, [
      'COIN_STREAM_LOG_LEVL: is not a known variable; did you mean COIN_STREAM_LOG_LEVEL?'
    ])
  })

  test('wants to be told that there is no registry when Kafka is configured', () => {
    assert.match(
      faults({ env: { KAFKA_BROKERS: 'a:9092' } })[0]!,
      /^registry\.url: is missing.*SCHEMA_REGISTRY_URL=none/
    )
    for (const url of ['registry:8081', 'ftp://registry', 'http://user:hidden@registry:8081']) {
      const [fault] = faults({ env: { KAFKA_BROKERS: 'a:9092', SCHEMA_REGISTRY_URL: url } })
      assert.match(fault!, /^registry\.url \(SCHEMA_REGISTRY_URL\): is neither "none" nor a URL/)
      assert.ok(!fault!.includes('hidden'))
    }
    const env = { KAFKA_BROKERS: 'a:9092', SCHEMA_REGISTRY_URL: 'http://registry:8081' }
    assert.equal(load({ env }).config.registry.url, 'http://registry:8081')
    const { config } = load({ yaml: 'registry: none', env: { KAFKA_BROKERS: 'a:9092, [::1]:9093' } })
    assert.deepEqual(config.kafka.brokers, ['a:9092', '[::1]:9093'])
  })

  test('falls back to the embedded log when KAFKA_BROKERS is empty, whatever the file says', () => {
    const { config } = load({ yaml: 'kafka: { brokers: [a:9092] }', env: { KAFKA_BROKERS: '' } })
    assert.deepEqual(config.kafka.brokers, [])
    assert.equal(config.registry.url, 'none')
  })

  test('reads targets as text and as objects, and merges what names the same target', () => {
    const yaml = [
      'targets:',
      '  - upbit/ticker:BTC-KRW,ETH-KRW',
      '  - { exchange: upbit, request_type: ticker, symbols: [XRP-KRW, BTC-KRW], projection: [acc_trade_price] }',
      '  - binance/trade:BTC-USDT'
    ].join('\n')
    assert.deepEqual(load({ yaml }).config.targets, [
      {
        target: { region: 'korea', exchange: 'upbit', request_type: 'ticker' },
        symbols: ['BTC-KRW', 'ETH-KRW', 'XRP-KRW'],
        projection: ['acc_trade_price']
      },
      {
        target: { region: 'asia', exchange: 'binance', request_type: 'trade' },
        symbols: ['BTC-USDT'],
        projection: []
      }
    ])
    const env = { COIN_STREAM_TARGETS: 'upbit/trade:BTC-KRW,ETH-KRW; binance/trade:BTC-USDT' }
    assert.equal(load({ env }).config.targets.length, 2)
    const bad = faults({ yaml: 'targets: [{ exchange: upbt, request_type: trade, symbols: [] }, 7]' })
    assert.match(bad[0]!, /^targets\.0\.exchange: "upbt" is not one of .*; did you mean upbit\?/)
    assert.match(bad[1]!, /^targets\.0\.symbols: is empty/)
    assert.match(bad[2]!, /^targets\.1: 7 is neither text/)
  })

  test('never shows a password, not even a wrong one', () => {
    const found = faults({ yaml: 'kafka: { sasl: { mechanism: plain, username: u, password: 12345678 } }' })
    assert.match(found[0]!, /^kafka\.sasl\.password: the value is not text/)
    assert.ok(!found.join().includes('12345678'))
    assert.match(
      faults({ env: { COIN_STREAM_KAFKA_SASL_USERNAME: 'u' } }).join('\n'),
      /kafka\.sasl\.mechanism.*is missing/
    )
  })

  test('says where YAML is broken, and that a file cannot be read', () => {
    assert.match(
      faults({ yaml: 'kafka:\n  brokers: [a:1\nlog: {}' })[0]!,
      /\.yaml:\d+:\d+: is not valid YAML/
    )
    assert.match(faults({ yaml: '- a' })[0]!, /holds no keys at its top level/)
    assert.throws(
      () => loadConfig({ file: join(folder, 'absent.yaml'), env: {}, flags: [] }),
      /cannot be read .*ENOENT/
    )
    assert.deepEqual(load({ yaml: '' }).given.size, 0)
  })

  test('compares limits that depend on each other', () => {
    const found = faults({
      yaml: 'limits: { frameBytesMax: 8388608, inflatedBytesMax: 4194304, targetsMax: 1 }\ntargets: ["upbit/trade:BTC-KRW", "upbit/ticker:BTC-KRW"]'
    })
    assert.match(found[0]!, /^limits\.frameBytesMax: 8388608 is more than limits\.inflatedBytesMax/)
    assert.match(found[1]!, /^targets: names 2 targets and limits\.targetsMax allows 1/)
    assert.match(
      faults({ yaml: `admin: { socket: ${'x'.repeat(120)} }` })[0]!,
      /^admin\.socket: has 120 bytes/
    )
  })
})
