import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'
import { IngestError } from '../../../src/core/errors.ts'

const kafka = { 'kafka.brokers': 'a:9092', 'registry.url': 'http://registry:8081' }

/** The faults of a configuration made of these keys, without the head line, the indentation and the flag's name. */
function faults(settings: Readonly<Record<string, string>>): string[] {
  const flags = Object.entries(settings).map(([path, text]) => ({ flag: '--set', path, text }))
  try {
    loadConfig({ file: null, env: {}, flags })
    return []
  } catch (error) {
    assert.ok(error instanceof IngestError && error.code === 'CONFIG_INVALID')
    const lines = error.message.split('\n').slice(1)
    return lines.map(line => line.trim().replace(' (--set)', ''))
  }
}

const refused: readonly (readonly [
  name: string,
  settings: Readonly<Record<string, string>>,
  fault: RegExp
])[] = [
  [
    'a compression for a topic that is nearly one of ours',
    { 'producer.compressionByTopic': 'ws.gap.event=gzip' },
    /^producer\.compressionByTopic\.0: names ws\.gap\.event, which this service never writes; did you mean ws\.gap\.events\?$/
  ],
  [
    'a compression for a topic of somebody else',
    { 'producer.compressionByTopic': 'ws.dlq=none,orders=gzip' },
    /^producer\.compressionByTopic\.1: names orders, .*; there are ticker-data\.korea, .*, monitoring\.batch\.performance\.$/
  ],
  [
    'two compressions for one topic',
    { 'producer.compressionByTopic': 'ws.dlq=none,ws.dlq=gzip' },
    /^producer\.compressionByTopic\.1: names ws\.dlq a second time; keep one of them\.$/
  ],
  [
    'a compression that does not exist',
    { 'producer.compressionByTopic': 'ws.dlq=brotli' },
    /^producer\.compressionByTopic\.0: "ws\.dlq=brotli" does not have the right form; write for example ws\.dlq=gzip\.$/
  ],
  [
    'partitions for a topic that does not exist',
    { 'topics.partitions': 'trade-data.asai=24' },
    /^topics\.partitions\.0: names trade-data\.asai, .* did you mean trade-data\.asia\?$/
  ],
  [
    'no partitions at all',
    { 'topics.partitions': 'trade-data.asia=0' },
    /^topics\.partitions\.0: "trade-data\.asia=0" does not have the right form/
  ],
  [
    'batches larger than a request',
    { 'producer.batchBytes': '2097152', 'producer.requestBytesMax': '1048576' },
    /^producer\.batchBytes: 2097152 is more than producer\.requestBytesMax, which is 1048576; lower it or raise the other\.$/
  ],
  [
    "a request smaller than the profile's batches",
    { 'producer.requestBytesMax': '65536' },
    /^producer\.batchBytes: 131072 is more than producer\.requestBytesMax, which is 65536;/
  ],
  [
    'batches larger than the buffer',
    {
      'producer.batchBytes': '2097152',
      'producer.bufferBytes': '1048576',
      'producer.requestBytesMax': '4194304'
    },
    /^producer\.batchBytes: 2097152 is more than producer\.bufferBytes, which is 1048576;/
  ],
  [
    'a linger beyond the delivery timeout',
    { 'producer.lingerMs': '5000', 'producer.deliveryTimeoutMs': '1000' },
    /^producer\.lingerMs: 5000 is more than producer\.deliveryTimeoutMs, which is 1000;/
  ],
  [
    'a long linger in the latency profile',
    { 'producer.profile': 'latency', 'producer.lingerMs': '17' },
    /^producer\.lingerMs: 17 is more than the 16 ms that profile latency aims at .*; lower it, or choose profile throughput\.$/
  ],
  [
    'a user of the registry without a password',
    { ...kafka, 'registry.username': 'u' },
    /^registry\.password: is missing, and registry\.username is set; give both or none\.$/
  ],
  [
    'a password of the registry without a user',
    { ...kafka, 'registry.password': 'hidden' },
    /^registry\.username: is missing, and registry\.password is set; give both or none\.$/
  ],
  [
    'a token beside user and password',
    { ...kafka, 'registry.token': 'hidden', 'registry.username': 'u', 'registry.password': 'hidden' },
    /^registry\.token: stands beside a user or password; .* leave one of them out\.$/
  ],
  [
    'authorities for a registry without TLS',
    { ...kafka, 'registry.caFile': 'ca.pem' },
    /^registry\.caFile: is of no use with a URL that begins with http:\/\/;/
  ],
  [
    'a certificate without its key',
    { 'kafka.tls': 'true', 'kafka.certFile': 'c.pem' },
    /^kafka\.keyFile: is missing, and kafka\.certFile is set; give both or none\.$/
  ],
  [
    'a key without its certificate',
    { 'kafka.tls': 'true', 'kafka.keyFile': 'k.pem' },
    /^kafka\.certFile: is missing, and kafka\.keyFile is set; give both or none\.$/
  ],
  [
    'authorities while TLS is off',
    { 'kafka.caFile': 'ca.pem' },
    /^kafka\.caFile: is of no use while kafka\.tls is false; set kafka\.tls=true or leave it out\.$/
  ]
]

suite('keys that do not go together', () => {
  for (const [name, settings, fault] of refused) {
    test(`are one fault with its path and what to do: ${name}`, () => {
      const found = faults(settings)
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0]!, fault)
      assert.ok(!found[0]!.includes('hidden'))
    })
  }

  test('are let be where they do go together', () => {
    assert.deepEqual(
      faults({
        ...kafka,
        'registry.url': 'https://registry:8081',
        'registry.caFile': 'ca.pem',
        'registry.username': 'u',
        'registry.password': 'p',
        'kafka.tls': 'true',
        'kafka.caFile': 'ca.pem',
        'kafka.certFile': 'c.pem',
        'kafka.keyFile': 'k.pem',
        'topics.partitions': 'trade-data.asia=24, ws.dlq=1',
        'producer.compressionByTopic': 'ws.dlq=gzip,monitoring.batch.performance=none',
        'producer.profile': 'latency',
        'producer.lingerMs': '16',
        'producer.batchBytes': '4194304'
      }),
      []
    )
    assert.deepEqual(faults({ ...kafka, 'registry.token': 't' }), [])
  })

  test('are not judged where the schema has already spoken', () => {
    const found = faults({ 'producer.batchBytes': 'lots', 'producer.profile': 'fast' })
    assert.deepEqual(
      found.map(line => line.slice(0, line.indexOf(':'))),
      ['producer.profile', 'producer.batchBytes']
    )
  })
})
