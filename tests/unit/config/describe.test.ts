import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import {
  configJsonSchema,
  configurationMarkdown,
  printable,
  printYaml
} from '../../../src/config/describe.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { settings } from '../../../src/config/settings.ts'

const page = new URL('../../../../docs/configuration.md', import.meta.url)

suite('the description of the configuration', () => {
  test('docs/configuration.md is what the schema makes', () => {
    assert.equal(readFileSync(page, 'utf8'), configurationMarkdown())
  })

  test('names every key and its variable', () => {
    const text = configurationMarkdown()
    for (const { path, env } of settings)
      assert.ok(text.includes(`| \`${path}\` |`) && text.includes(`\`${env}\``), path)
    assert.equal(new Set(settings.map(({ env }) => env)).size, settings.length)
  })

  test('prints a configuration that reads back the same, without its password', () => {
    const env = {
      KAFKA_BROKERS: 'a:9092',
      SCHEMA_REGISTRY_URL: 'none',
      COIN_STREAM_KAFKA_SASL_MECHANISM: 'plain',
      COIN_STREAM_KAFKA_SASL_USERNAME: 'reader',
      COIN_STREAM_KAFKA_SASL_PASSWORD: 'hunter22',
      COIN_STREAM_TARGETS: 'upbit/trade:BTC-KRW'
    }
    const { config } = loadConfig({ file: null, env, flags: [] })
    const text = printYaml(config)
    assert.ok(!text.includes('hunter22'))
    assert.equal(config.kafka.sasl?.password, 'hunter22')
    assert.deepEqual(parse(text), printable(config))
    assert.deepEqual(printable(config)['targets'], ['upbit/trade:BTC-KRW'])
  })

  test('is a JSON Schema that accepts what is documented and refuses unknown keys', () => {
    const validate = new Ajv({ strict: false }).compile(configJsonSchema())
    const { config } = loadConfig({ file: null, env: {}, flags: [] })
    assert.ok(validate(printable(config)), JSON.stringify(validate.errors))
    assert.ok(validate({}) && validate({ registry: 'none', kafka: { brokers: ['a:9092'] } }))
    assert.ok(!validate({ ...printable(config), extra: 1 }))
    assert.ok(!validate({ kafka: { sasl: { mechanism: 'plain' } } }))
  })
})
