import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { SchemaRegistry } from '../../src/bus/schema-registry.ts'
import { allSubjects, avroSchemas } from '../../src/domain/avro-subjects.ts'
import { dataTopicsOf } from '../../src/domain/routing.ts'
import { regions, requestTypes } from '../../src/domain/target.ts'
import { truthFaults } from '../../src/domain/truth.ts'
import { startKafka, witness } from '../support/kafka.ts'
import { CliFolder, summaryOf } from '../support/run-cli.ts'
import { assertSettled } from '../support/run-service.ts'
import { json, StubRegistry } from '../support/stub-registry.ts'

/** The registry that the services started; no other test registers anything in it. */
function registryUrl(): string {
  const url = process.env['SCHEMA_REGISTRY_URL']
  assert.ok(
    url !== undefined && url !== 'none',
    'Run these tests under "node scripts/services.mjs run --": SCHEMA_REGISTRY_URL is not set.'
  )
  return url
}

const localIdMin = 2 ** 30
const topics = regions.flatMap(region => dataTopicsOf(region, requestTypes))

interface CheckedSubject {
  readonly subject: string
  readonly state: string
  readonly id: number | null
  readonly version: number | null
  readonly compatibility: { readonly wanted: string; readonly level: string | null }
  readonly reasons: readonly string[]
}

type Fields = Record<string, unknown>[]

function altered(text: string, alter: (fields: Fields) => void): string {
  const schema = JSON.parse(text) as { fields: Fields }
  alter(schema.fields)
  return JSON.stringify(schema)
}

async function withRegistry<Result>(use: (registry: SchemaRegistry) => Promise<Result>): Promise<Result> {
  const access = { url: registryUrl(), username: null, password: null, token: null, caFile: null }
  const registry = new SchemaRegistry({ ...access, timeoutMs: 10_000 })
  try {
    return await use(registry)
  } finally {
    registry.close()
  }
}

/** Lets a subject have this one schema; the registry goes on counting its versions after those that were deleted. */
async function plant(subject: string, schema: string): Promise<void> {
  await fetch(`${registryUrl()}/subjects/${subject}`, { method: 'DELETE' })
  await withRegistry(async registry => {
    const registered = await registry.register(subject, schema)
    assert.ok('id' in registered, JSON.stringify(registered))
  })
}

async function forget(subject: string): Promise<void> {
  const { status } = await fetch(`${registryUrl()}/subjects/${subject}`, { method: 'DELETE' })
  assert.equal(status, 200)
}

suite('a real registry', () => {
  test('registers a schema once, finds it again by its text and by its id, and knows no other', async () => {
    const subject = `${randomUUID()}-value`
    const { text } = avroSchemas.Trade
    await withRegistry(async registry => {
      assert.equal(await registry.lookUp(subject, text), null)
      assert.equal(await registry.latest(subject), null)
      const first = await registry.register(subject, text)
      assert.ok('id' in first)
      assert.deepEqual(await registry.register(subject, text), first)
      const found = await registry.lookUp(subject, text)
      assert.deepEqual([found?.id, found?.version], [first.id, 1])
      assert.deepEqual(JSON.parse((await registry.schemaOf(first.id))!), JSON.parse(text))
      assert.equal((await registry.latest(subject))?.id, first.id)
      assert.equal(await registry.lookUp(subject, avroSchemas.Ticker.text), null)
      assert.equal(await registry.schemaOf(2_000_000_000), null)
    })
  })

  test('keeps a level, checks by it and refuses what breaks it, with its reasons', async () => {
    const subject = `${randomUUID()}-value`
    const { text } = avroSchemas.ConnectSuccess
    const breaking = altered(text, fields => fields.push({ name: 'shard', type: 'int' }))
    const harmless = altered(text, fields => fields.push({ name: 'shard', type: 'int', default: 0 }))
    await withRegistry(async registry => {
      assert.equal(await registry.compatibility(subject), null)
      await registry.register(subject, text)
      assert.equal(await registry.setCompatibility(subject, 'BACKWARD'), null)
      assert.equal(await registry.compatibility(subject), 'BACKWARD')
      const verdict = await registry.check(subject, breaking)
      assert.equal(verdict?.isCompatible, false)
      assert.match(verdict.reasons.join(), /shard|fields\/7/)
      assert.deepEqual(await registry.check(subject, harmless), { isCompatible: true, reasons: [] })
      const refused = await registry.register(subject, breaking)
      assert.ok('refused' in refused)
      assert.match(refused.refused, /^status 409: .*ncompatible/)
      assert.equal(await registry.setCompatibility(subject, 'FORWARD'), null)
      assert.ok('id' in (await registry.register(subject, breaking)))
      const without = altered(breaking, fields => fields.splice(0, 2))
      assert.ok('refused' in (await registry.register(subject, without)))
    })
  })
})

suite('schemas check and schemas register', () => {
  test('say what is missing, register it, and find it', async () => {
    using folder = new CliFolder()
    const env = { SCHEMA_REGISTRY_URL: registryUrl() }
    const before = await folder.run(['schemas', 'check', '--json'], env)
    assert.equal(before.code, 1, before.stderr)
    const { subjects } = JSON.parse(before.stdout) as { subjects: CheckedSubject[] }
    assert.deepEqual(
      subjects.map(({ subject }) => subject),
      allSubjects().map(({ subject }) => subject)
    )
    assert.equal(subjects.length, 16)
    for (const { state, id } of subjects) assert.deepEqual([state, id], ['missing', null])

    const registered = await folder.run(['schemas', 'register', '--registry', registryUrl()])
    assert.equal(registered.code, 0, registered.stderr)
    assert.match(registered.stdout, /trade-data\.korea-value +Trade +registered +\d+ +1 +FORWARD/)
    assert.match(
      registered.stdout,
      /ws\.connect_success\.na-value +ConnectSuccess +registered +\d+ +1 +BACKWARD/
    )

    const after = await folder.run(['schemas', 'check', '--json'], env)
    assert.equal(after.code, 0, after.stderr)
    const found = (JSON.parse(after.stdout) as { subjects: CheckedSubject[] }).subjects
    for (const { subject, state, id, version, compatibility } of found) {
      assert.deepEqual([state, version], ['registered', 1], subject)
      assert.ok(id !== null && id < localIdMin)
      assert.equal(compatibility.level, compatibility.wanted)
    }
    for (const { subject } of found) await forget(subject)
  })

  test('name the field and the reason of a change that would break, and register nothing then', async () => {
    const subject = 'orderbook-data.eu-value'
    await plant(
      subject,
      altered(avroSchemas.OrderBook.text, fields => {
        fields.find(({ name }) => name === 'checksum')!['type'] = 'string'
        delete fields.find(({ name }) => name === 'checksum')!['default']
      })
    )
    using folder = new CliFolder()
    const env = { SCHEMA_REGISTRY_URL: registryUrl() }
    const check = await folder.run(['schemas', 'check'], env)
    assert.equal(check.code, 1)
    assert.match(check.stdout, /orderbook-data\.eu-value +OrderBook +incompatible/)
    assert.match(
      check.stdout,
      /Subject orderbook-data\.eu-value cannot take our schema of OrderBook after its version \d+, which would not be FORWARD compatible: field checksum: the new schema writes null, and version \d+ reads string; field checksum: the new schema writes long, and version \d+ reads string\./
    )
    const register = await folder.run(['schemas', 'register', '--json'], env)
    assert.equal(register.code, 1)
    assert.match(register.stderr, /Nothing was registered\./)
    const { subjects } = JSON.parse(register.stdout) as { subjects: CheckedSubject[] }
    assert.equal(subjects.filter(({ state }) => state === 'missing').length, 15)
    await forget(subject)
  })

  test('are wrong uses without a registry, and fail with a sentence where there is none', async () => {
    using folder = new CliFolder()
    const none = await folder.run(['schemas', 'check'])
    assert.equal(none.code, 2)
    assert.match(none.stderr, /There is no registry to ask; set SCHEMA_REGISTRY_URL or --registry/)
    await using stub = await StubRegistry.start([json(404, { error: 'nothing here' })])
    const wrong = await folder.run(['schemas', 'check', '--registry', stub.url])
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /404 without a code of the registry\. Is the address that of a registry/)
  })
})

suite('a start with a registry', () => {
  test('is proven on real Kafka, and a consumer that is not ours decodes by the ids of the registry', async () => {
    await using kafka = await startKafka()
    using folder = new CliFolder()
    const env = { KAFKA_BROKERS: kafka.brokers, SCHEMA_REGISTRY_URL: registryUrl() }
    const words = ['start', '--simulate', '--for', '5s', '--verify', '--json', '--rate', '500']
    const end = await folder.run(words, env)
    assert.equal(end.code, 0, end.stderr)
    assert.ok(end.stderr.includes(`registry: ${registryUrl()}.`))
    const summary = summaryOf(end)
    assertSettled(summary)
    for (const fault of truthFaults) assert.equal(summary.truth?.[fault], 0, fault)
    assert.ok(summary.truth!.delivered > 0)

    const connects = regions.map(region => `ws.connect_success.${region}`)
    const records = await witness(kafka.brokers, [...topics, ...connects], registryUrl())
    assert.ok(records.length > summary.records.published)
    const expected = { ticker: 'Ticker', trade: 'Trade', orderbook: 'OrderBook', ws: 'ConnectSuccess' }
    for (const { topic, schema, value, bytes } of records) {
      assert.equal(schema, expected[/^[a-z]+/.exec(topic)![0] as keyof typeof expected])
      assert.equal(value['region'], topic.split('.').at(-1))
      assert.ok(bytes.readInt32BE(1) < localIdMin, topic)
    }
    for (const topic of [...topics, ...connects]) {
      const ids = new Set(
        records.filter(each => each.topic === topic).map(({ bytes }) => bytes.readInt32BE(1))
      )
      const { record } = allSubjects().find(each => each.topic === topic)!
      const found = await withRegistry(registry =>
        registry.lookUp(`${topic}-value`, avroSchemas[record].text)
      )
      assert.deepEqual([...ids], [found?.id], topic)
    }

    const filter = ['--filter', 'korea|upbit|trade']
    const tail = await folder.run(
      ['tail', 'trade-data.korea', '--from', 'earliest', '-n', '3', ...filter],
      env
    )
    assert.equal(tail.code, 0, tail.stderr)
    for (const line of tail.stdout.trim().split('\n')) {
      assert.equal((JSON.parse(line) as { value: { exchange?: string } }).value.exchange, 'upbit', line)
    }
  })

  /** Starts for a moment; the embedded log would not ask a registry, so Kafka is named, but never reached. */
  async function refusal(subject: string, schema: string, target: string): Promise<string> {
    await plant(subject, schema)
    using folder = new CliFolder()
    const env = { KAFKA_BROKERS: '127.0.0.1:9', SCHEMA_REGISTRY_URL: registryUrl() }
    const end = await folder.run(['start', target, '--simulate', '--for', '1s', '--json'], env)
    assert.equal(end.code, 1, end.stderr)
    assert.equal(end.stdout, '')
    await forget(subject)
    return end.stderr
  }

  test('is refused when older records of a control topic could no longer be read, with field and reason', async () => {
    const before = altered(avroSchemas.ConnectSuccess.text, fields => {
      fields.splice(
        fields.findIndex(({ name }) => name === 'connection_id'),
        1
      )
    })
    const said = await refusal('ws.connect_success.korea-value', before, 'upbit/trade:BTC-KRW')
    assert.match(
      said,
      /coin-stream: Subject ws\.connect_success\.korea-value cannot take our schema of ConnectSuccess after its version \d+, which would not be BACKWARD compatible: field connection_id: the new schema needs it \(string, without a default\), and version \d+ does not write it\./
    )
  })

  test('is refused when readers of data could not read on, with field and reason', async () => {
    const before = altered(avroSchemas.Ticker.text, fields => fields.push({ name: 'vwap', type: 'string' }))
    const said = await refusal('ticker-data.asia-value', before, 'binance/ticker:BTC-USDT')
    assert.match(
      said,
      /coin-stream: Subject ticker-data\.asia-value cannot take our schema of Ticker after its version \d+, which would not be FORWARD compatible: field vwap: version \d+ needs it \(string, without a default\), and the new schema does not write it\./
    )
  })

  test('is refused by wrong credentials without a word of them', async () => {
    await using stub = await StubRegistry.start([
      (response, request) =>
        json(401, { error_code: 401, message: request.headers.authorization })(response, request)
    ])
    using folder = new CliFolder()
    const password = 'correct horse battery staple'
    const end = await folder.run(['start', 'upbit/trade:BTC-KRW', '--simulate', '--for', '1s'], {
      KAFKA_BROKERS: '127.0.0.1:9',
      SCHEMA_REGISTRY_URL: stub.url,
      COIN_STREAM_REGISTRY_USERNAME: 'me',
      COIN_STREAM_REGISTRY_PASSWORD: password
    })
    assert.equal(end.code, 1, end.stderr)
    assert.match(end.stderr, /wants other credentials than it was given \(status 401\)/)
    const all = end.stdout + end.stderr
    for (const secret of [password, Buffer.from(`me:${password}`).toString('base64')]) {
      assert.ok(!all.includes(secret), all)
    }
  })
})
