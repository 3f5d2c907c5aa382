import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { checkSchemaFiles, preflightSchemas, schemaIdsFor } from '../../../src/app/schema-preflight.ts'
import { SchemaRegistry } from '../../../src/bus/schema-registry.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { createLogger, type Logger } from '../../../src/core/logger.ts'
import { avroSchemas, localSchemaIds, subjectsOf } from '../../../src/domain/avro-subjects.ts'
import { type Target } from '../../../src/domain/target.ts'
import { closedPort, json, type StubAnswer, StubRegistry } from '../../support/stub-registry.ts'

const target: Target = { region: 'korea', exchange: 'upbit', request_type: 'trade' }
const subjects = subjectsOf([target])
const [trade, connects] = ['trade-data.korea-value', 'ws.connect_success.korea-value'] as const
const silent = createLogger('silent', 'test')

/** A registry in memory, as Confluent's answers; `id` lets it lie. */
class MemoryRegistry {
  readonly versions = new Map<string, string[]>()
  readonly levels = new Map<string, string>()
  readonly ids: string[] = []
  /** What the registry itself finds incompatible, whatever we find. */
  refuses: string | null = null
  canSetLevels = true
  idOf = (text: string): number => {
    if (!this.ids.includes(text)) this.ids.push(text)
    return this.ids.indexOf(text) + 1
  }

  readonly answer: StubAnswer = (response, request) => {
    const [, head = '', subject = '', tail = ''] = decodeURIComponent(request.path).split('?')[0]!.split('/')
    const { schema = '', compatibility = '' } = (request.body ?? {}) as Record<string, string>
    const reply = (status: number, body: unknown): void => json(status, body)(response, request)
    const texts = this.versions.get(head === 'compatibility' ? tail : subject) ?? []
    switch (`${request.method} ${head} ${tail === 'versions' ? tail : ''}`) {
      case 'POST subjects ': {
        const at = texts.indexOf(schema)
        if (at < 0) reply(404, { error_code: 40403, message: 'not found' })
        else reply(200, { subject, id: this.idOf(schema), version: at + 1, schema })
        break
      }
      case 'GET subjects versions': {
        const last = texts.at(-1)
        if (last === undefined) reply(404, { error_code: 40401, message: 'not found' })
        else reply(200, { subject, id: this.idOf(last), version: texts.length, schema: last })
        break
      }
      case 'POST subjects versions':
        if (this.refuses === null) {
          this.versions.set(subject, [...texts, schema])
          reply(200, { id: this.idOf(schema) })
        } else reply(409, { error_code: 409, message: this.refuses })
        break
      case 'GET config ': {
        const level = this.levels.get(subject)
        if (level === undefined) reply(404, { error_code: 40408, message: 'not set' })
        else reply(200, { compatibilityLevel: level })
        break
      }
      case 'PUT config ':
        if (this.canSetLevels) {
          this.levels.set(subject, compatibility)
          reply(200, { compatibility })
        } else reply(403, { error_code: 40301, message: 'not yours' })
        break
      case 'POST compatibility ':
        reply(200, {
          is_compatible: this.refuses === null,
          messages: this.refuses === null ? [] : [this.refuses]
        })
        break
      default: {
        const text = this.ids[Number(tail) - 1]
        if (text === undefined) reply(404, { error_code: 40403, message: 'no such id' })
        else reply(200, { schema: text })
      }
    }
  }
}

/** Runs the preflight; answers the ids, what it warned of, and what it asked. */
async function preflight(
  memory: MemoryRegistry,
  mayRegister = true
): Promise<{ ids: Readonly<Record<string, number>>; warnings: string[]; asked: string[] }> {
  await using stub = await StubRegistry.start([memory.answer])
  const registry = new SchemaRegistry(stub.access())
  const warnings: string[] = []
  const logger = { info: () => undefined, warn: (text: string) => warnings.push(text) } as unknown as Logger
  try {
    const ids = await preflightSchemas(registry, subjects, mayRegister, logger)
    return { ids, warnings, asked: stub.asked }
  } finally {
    registry.close()
  }
}

function altered(text: string, alter: (fields: Record<string, unknown>[]) => void): string {
  const schema = JSON.parse(text) as { fields: Record<string, unknown>[] }
  alter(schema.fields)
  return JSON.stringify(schema)
}

suite('the preflight of the schemas', () => {
  test('registers what is missing under the level that its topic wants, and answers the ids by topic', async () => {
    const memory = new MemoryRegistry()
    const { ids, warnings } = await preflight(memory)
    assert.deepEqual(ids, { 'trade-data.korea': 1, 'ws.connect_success.korea': 2 })
    assert.deepEqual(
      [...memory.levels],
      [
        [trade, 'FORWARD'],
        [connects, 'BACKWARD']
      ]
    )
    assert.deepEqual(warnings, [])
  })

  test('changes nothing where everything is registered, not even below a newer version', async () => {
    const memory = new MemoryRegistry()
    await preflight(memory)
    memory.versions.get(trade)!.push(altered(avroSchemas.Trade.text, fields => fields.splice(0, 1)))
    const { ids, asked } = await preflight(memory)
    assert.equal(ids['trade-data.korea'], 1)
    const writes = asked.filter(each => /^PUT|^POST.*versions$/.test(each))
    assert.deepEqual(writes, [])
  })

  test('gives each topic the id of its own subject', async () => {
    const memory = new MemoryRegistry()
    const two = subjectsOf([target, { ...target, region: 'asia', exchange: 'binance' }])
    await using stub = await StubRegistry.start([
      (response, request) => {
        // A registry with an id for each subject.
        const isAsia = request.path.includes('asia') || request.path === '/schemas/ids/40'
        if (/ids\/\d+0$/.test(request.path))
          json(200, { schema: memory.ids[Number(request.path.at(-2)) % 2] })(response, request)
        else if (request.path.startsWith('/config'))
          json(200, { compatibilityLevel: 'FULL' })(response, request)
        else {
          const { schema } = request.body as { schema: string }
          memory.idOf(schema)
          const id = (memory.ids.indexOf(schema) + (isAsia ? 2 : 4)) * 10
          json(200, { id, version: 1, schema })(response, request)
        }
      }
    ])
    const registry = new SchemaRegistry(stub.access())
    const ids = await preflightSchemas(registry, two, true, silent)
    registry.close()
    assert.equal(new Set(Object.values(ids)).size, 4)
  })

  test('says which schemas are missing when it may not register', async () => {
    await assert.rejects(preflight(new MemoryRegistry(), false), {
      code: 'SCHEMA_INVALID',
      message:
        /does not have our schema under trade-data\.korea-value, ws\.connect_success\.korea-value, and registry\.register is off/
    })
  })

  test('refuses a change that breaks readers of the data, with the subject, the field and why', async () => {
    const memory = new MemoryRegistry()
    const before = altered(avroSchemas.Trade.text, fields => fields.push({ name: 'venue', type: 'string' }))
    memory.versions.set(trade, [before])
    await assert.rejects(preflight(memory), {
      code: 'SCHEMA_INVALID',
      message:
        'Subject trade-data.korea-value cannot take our schema of Trade after its version 1, which would not be FORWARD ' +
        'compatible: field venue: version 1 needs it (string, without a default), and the new schema does not write it.'
    })
    assert.deepEqual([...memory.versions.keys()], [trade])
  })

  test('refuses a change that leaves us unable to read our own older records', async () => {
    const memory = new MemoryRegistry()
    const before = altered(avroSchemas.ConnectSuccess.text, fields => fields.splice(-1, 1))
    memory.versions.set(connects, [avroSchemas.Trade.text, before])
    // Even where the registry itself would take anything.
    memory.levels.set(connects, 'NONE')
    await assert.rejects(preflight(memory), {
      message:
        /^Subject ws\.connect_success\.korea-value .+ version 2, .+ BACKWARD compatible: field ts: the new schema needs it \(long/
    })
  })

  test('takes the word of a registry that refuses what we find no fault with', async () => {
    const memory = new MemoryRegistry()
    memory.versions.set(trade, [avroSchemas.Trade.text.replace('"doc"', '"note"')])
    memory.refuses = 'a rule of this house'
    await assert.rejects(preflight(memory), { message: /gives as the reason: a rule of this house\.$/ })
    memory.versions.clear()
    await assert.rejects(preflight(memory), { message: /refuses it \(status 409: a rule of this house\)\.$/ })
  })

  test('leaves another level as it is, and says so unless it promises more', async () => {
    const memory = new MemoryRegistry()
    memory.levels.set(trade, 'BACKWARD').set(connects, 'FULL_TRANSITIVE')
    const { warnings } = await preflight(memory)
    assert.deepEqual(warnings, [
      'Subject trade-data.korea-value has the compatibility level BACKWARD where FORWARD is wanted; it is left as it is.'
    ])
    assert.equal(memory.levels.get(trade), 'BACKWARD')
  })

  test('goes on without a level where it may register but not set one, and says so', async () => {
    const memory = new MemoryRegistry()
    memory.canSetLevels = false
    const { ids, warnings } = await preflight(memory)
    assert.equal(Object.keys(ids).length, 2)
    assert.match(warnings[0]!, /does not let us set FORWARD: status 403: not yours\.$/)
  })

  test('does not believe an id under which the registry has another schema, or none', async () => {
    const memory = new MemoryRegistry()
    memory.ids.push(avroSchemas.Ticker.text)
    memory.idOf = () => 1
    await assert.rejects(preflight(memory), {
      message: /the id 1 under .+, but has another schema with this id/
    })
    memory.versions.clear()
    memory.idOf = () => 99
    await assert.rejects(preflight(memory), {
      message: /the id 99 under .+, but has no Avro schema with this id/
    })
  })

  test('a registry that is down ends the start with its address, within the deadline', async () => {
    const registry = new SchemaRegistry(
      {
        url: `http://127.0.0.1:${await closedPort()}`,
        username: null,
        password: null,
        token: null,
        caFile: null,
        timeoutMs: 100
      },
      { deadlineMs: 300 }
    )
    await assert.rejects(preflightSchemas(registry, subjects, true, silent), {
      code: 'REGISTRY_UNAVAILABLE',
      message: /^The schema registry at http:\/\/127\.0\.0\.1:\d+ does not answer/
    })
    registry.close()
  })
})

suite('the schema ids of a service', () => {
  const configOf = (env: Record<string, string>) => loadConfig({ file: null, env, flags: [] }).config

  test('are those of schemas/ids.json without Kafka, and without a registry', async () => {
    for (const env of [{}, { KAFKA_BROKERS: 'a:9092', SCHEMA_REGISTRY_URL: 'none' }]) {
      assert.deepEqual(await schemaIdsFor(configOf(env), [target], silent), localSchemaIds(subjects))
    }
  })

  test('data in JSON is not registered', async () => {
    const memory = new MemoryRegistry()
    await using stub = await StubRegistry.start([memory.answer])
    const env = {
      KAFKA_BROKERS: 'a:9092',
      SCHEMA_REGISTRY_URL: stub.url,
      COIN_STREAM_SERIALIZATION_DATA: 'json'
    }
    const ids = await schemaIdsFor(configOf(env), [target], silent)
    assert.deepEqual([...memory.versions.keys()], [connects])
    assert.equal(ids['ws.connect_success.korea'], 1)
  })
})

suite('the files in schemas/', () => {
  test('are those from which the code was generated', () =>
    checkSchemaFiles(['Ticker', 'Trade', 'OrderBook', 'ConnectSuccess']))

  test('a file that differs, or that is broken, is named', t => {
    const path = mkdtempSync(join(tmpdir(), 'coin-stream-test-'))
    t.after(() => rmSync(path, { recursive: true }))
    const folder = pathToFileURL(`${path}/`)
    assert.throws(() => checkSchemaFiles(['Trade'], folder), /schemas\/trade\.avsc cannot be read/)
    writeFileSync(join(path, 'trade.avsc'), '{')
    assert.throws(() => checkSchemaFiles(['Trade'], folder), /schemas\/trade\.avsc cannot be read/)
    writeFileSync(join(path, 'trade.avsc'), avroSchemas.Ticker.text)
    assert.throws(() => checkSchemaFiles(['Trade'], folder), {
      code: 'SCHEMA_INVALID',
      message: /npm run generate/
    })
    checkSchemaFiles(['Trade'], pathToFileURL(`${path}/no-such-folder/`))
  })
})
