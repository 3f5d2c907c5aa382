import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import kafkajs, { type AclOperationTypes, type AclPermissionTypes, type Admin } from 'kafkajs'
import { Routes } from '../../actors/producer/routes.ts'
import { KafkaSink } from '../../actors/producer/sinks/kafka.ts'
import { createKafkaClient, type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { createLogger } from '../../src/core/logger.ts'
import { accessTo, type GuardedKafka, startGuardedKafka, witness } from '../support/kafka.ts'
import { createTopic, testTuning } from '../support/kafka-writer.ts'
import { Settlements } from '../support/settlements.ts'

const logger = createLogger('silent', 'test')
const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512']

let kafka: GuardedKafka
before(async () => {
  kafka = await startGuardedKafka()
})
after(() => kafka[Symbol.asyncDispose]())

/** A sink through one of the broker's doors, with what it is told. */
class GuardedSink implements AsyncDisposable {
  readonly settlements = new Settlements()
  readonly sink: KafkaSink
  readonly #routes = new Routes({})
  #next = 0

  constructor(access: KafkaAccess) {
    this.sink = new KafkaSink({ access, tuning: testTuning }, this.settlements, logger)
  }

  write(topic: string, count: number, receivedMs = Date.now()): void {
    for (let i = 0; i < count; i++) {
      const n = this.#next++
      const bytes = new TextEncoder().encode(JSON.stringify({ n }))
      this.sink.append(this.#routes.to(topic, 'key'), bytes, 0, bytes.length, receivedMs * 1000, n)
    }
  }

  published(count: number): Promise<void> {
    return this.settlements.until(() => this.settlements.published.size === count)
  }

  /** The first sentence about what is wrong. */
  async complaint(): Promise<string> {
    await this.settlements.until(() => this.settlements.availabilities.length > 0)
    const { isUp, message } = this.settlements.availabilities[0]!
    assert.equal(isUp, false)
    return message
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.sink.close()
  }
}

function tlsTo(brokers: string, files: Partial<KafkaAccess> = {}): KafkaAccess {
  return { ...accessTo(brokers), tls: true, caFile: kafka.files.caFile, ...files }
}

function saslTo(mechanism: string, password = kafka.user.password): KafkaAccess {
  return { ...accessTo(kafka.sasl), sasl: { ...kafka.user, mechanism, password } }
}

async function assertDelivers(access: KafkaAccess): Promise<void> {
  const topic = await createTopic(kafka.plain, { topicPartitions: 1 })
  await using writer = new GuardedSink(access)
  await writer.sink.open()
  writer.write(topic, 100)
  await writer.published(100)
  assert.deepEqual(writer.settlements.availabilities, [])
  assert.deepEqual(await numbersIn(topic), numbers(0, 100))
}

async function numbersIn(topic: string): Promise<unknown[]> {
  return (await witness(kafka.plain, [topic])).map(({ value }) => value['n'])
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

/** Nothing comes through and the reason is said once; what waits is failed by the end and reported. */
async function assertRefused(access: KafkaAccess, complaint: RegExp): Promise<void> {
  const topic = await createTopic(kafka.plain, { topicPartitions: 1 })
  await using writer = new GuardedSink(access)
  await writer.sink.open()
  writer.write(topic, 10)
  const said = await writer.complaint()
  assert.match(said, complaint)
  // One sentence for the operator, whatever the library wraps it in.
  assert.doesNotMatch(said, /KafkaJS|\n|undefined|\[object/)
  await writer.sink.drain(100)
  const { failed, lost, published } = writer.settlements
  assert.deepEqual([failed.size, lost.get('key'), published.size], [10, 10, 0])
  assert.equal(writer.settlements.availabilities.length, 1)
  assert.deepEqual(await numbersIn(topic), [])
}

suite('Kafka over TLS', () => {
  test('takes records when we trust who signed its certificate', () => assertDelivers(tlsTo(kafka.tls)))

  test('takes records from who shows a certificate where it asks for one', () =>
    assertDelivers(tlsTo(kafka.mutualTls, { certFile: kafka.files.certFile, keyFile: kafka.files.keyFile })))

  test('is refused when its certificate is for another host', () =>
    assertRefused(
      tlsTo(kafka.tls.replace('localhost', '127.0.0.1')),
      /does not take records: .*127\.0\.0\.1.*(?:host name|altnames|certificate)|certificate.*127\.0\.0\.1/
    ))

  test('is refused when it sends us on to a host that is not in its certificate', () =>
    assertRefused(
      tlsTo(kafka.tlsElsewhere),
      /does not take records: .*127\.0\.0\.1.*certificate|certificate.*127\.0\.0\.1/
    ))

  test('is refused when nobody we trust has signed its certificate', () =>
    assertRefused(
      tlsTo(kafka.tls, { caFile: null }),
      /does not take records: .*(?:authority|certificate|issuer)/
    ))

  test('is refused when we trust somebody else', () =>
    assertRefused(
      tlsTo(kafka.tls, { caFile: kafka.files.strangerCaFile }),
      /does not take records: .*(?:authority|certificate|issuer)/
    ))

  test('refuses who shows no certificate where it asks for one', () =>
    assertRefused(tlsTo(kafka.mutualTls), /does not take records: .*certificate/))

  test('says which file of ours cannot be read', () => {
    const settlements = new Settlements()
    const access = tlsTo(kafka.tls, { caFile: `${kafka.files.caFile}.missing` })
    assert.throws(() => new KafkaSink({ access, tuning: testTuning }, settlements, logger), {
      code: 'FILE_UNREADABLE',
      message: /^kafka\.caFile names .*ca\.pem\.missing, which cannot be read: ENOENT/
    })
  })
})

suite('Kafka with SASL', () => {
  for (const mechanism of mechanisms) {
    test(`takes records from a user known by ${mechanism}`, () => assertDelivers(saslTo(mechanism)))

    test(`refuses a wrong password by ${mechanism}`, () =>
      assertRefused(saslTo(mechanism, 'wrong'), /does not take records: .*[Aa]uthentication/))
  }

  test('takes records over TLS with SCRAM', () =>
    assertDelivers({
      ...saslTo('scram-sha-512'),
      ...tlsTo(kafka.saslTls),
      sasl: saslTo('scram-sha-512').sasl
    }))
})

suite('Kafka with an authorizer', () => {
  async function withAdmin(act: (admin: Admin) => Promise<unknown>): Promise<void> {
    const admin = createKafkaClient(accessTo(kafka.plain), logger).admin()
    await admin.connect()
    await act(admin).finally(() => admin.disconnect())
  }

  function rule(
    topic: string,
    operation: AclOperationTypes,
    permissionType: AclPermissionTypes,
    user: string
  ) {
    return {
      resourceType: kafkajs.AclResourceTypes.TOPIC,
      resourceName: topic,
      resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: '*',
      operation,
      permissionType
    }
  }

  /** Others may still read it, as a test must. */
  async function deny(topic: string, operation: AclOperationTypes): Promise<void> {
    const acl = [
      rule(topic, operation, kafkajs.AclPermissionTypes.DENY, kafka.user.username),
      rule(topic, kafkajs.AclOperationTypes.ALL, kafkajs.AclPermissionTypes.ALLOW, '*')
    ]
    await withAdmin(admin => admin.createAcls({ acl }))
  }

  const denials = [
    ['written', kafkajs.AclOperationTypes.WRITE],
    ['seen', kafkajs.AclOperationTypes.DESCRIBE]
  ] as const
  for (const [what, operation] of denials) {
    test(`a topic that may not be ${what} is told, and the others go on`, async () => {
      const allowed = await createTopic(kafka.plain, { topicPartitions: 1 })
      const denied = await createTopic(kafka.plain, { topicPartitions: 1 })
      await deny(denied, operation)
      await using writer = new GuardedSink(saslTo('plain'))
      await writer.sink.open()
      writer.write(allowed, 10)
      writer.write(denied, 10)
      const said = await writer.complaint()
      assert.match(said, /authorization\) \(error 29\)|authorization.*29/)
      assert.ok(said.includes(denied), said)
      writer.write(allowed, 10)
      await writer.published(20)
      assert.equal(writer.settlements.failed.size, 0)
      // Somebody grants the right: what waited goes out without a restart.
      const filter = {
        ...rule(denied, operation, kafkajs.AclPermissionTypes.DENY, kafka.user.username),
        host: '*'
      }
      await withAdmin(admin => admin.deleteAcls({ filters: [filter] }))
      await writer.published(30)
      await writer.settlements.until(() => writer.settlements.availabilities.length === 2)
      assert.equal(writer.settlements.availabilities[1]!.isUp, true)
      assert.deepEqual(await numbersIn(denied), numbers(10, 20))
      assert.deepEqual(await numbersIn(allowed), [...numbers(0, 10), ...numbers(20, 30)])
    })
  }
})

suite('a record that Kafka does not take', () => {
  test('for its timestamp fails alone, and its neighbours in the batch are kept', async () => {
    const topic = await createTopic(kafka.plain, { topicPartitions: 1 })
    await using writer = new GuardedSink(accessTo(kafka.plain))
    await writer.sink.open()
    const twoHoursMs = 7_200_000
    writer.write(topic, 20)
    writer.write(topic, 1, Date.now() + twoHoursMs)
    writer.write(topic, 20)
    writer.write(topic, 2, Date.now() + twoHoursMs)
    writer.write(topic, 1)
    await writer.sink.drain(30_000)
    const { failed, published, lost, refusals } = writer.settlements
    assert.deepEqual([...failed.keys()].sort(), [20, 41, 42])
    assert.ok([...failed.values()].every(times => times === 1))
    assert.deepEqual([published.size, lost.get('key')], [41, 3])
    assert.equal(refusals.length, 3)
    for (const { reason } of refusals) assert.match(reason, /timestamp.*error 32/)
    const kept = numbers(0, 44).filter(n => !failed.has(n))
    assert.deepEqual(await numbersIn(topic), kept)
  })

  test('since its topic does not exist waits, and nobody creates the topic', async () => {
    const topic = `missing-${randomUUID()}`
    await using writer = new GuardedSink(accessTo(kafka.plain))
    await writer.sink.open()
    writer.write(topic, 3)
    assert.match(await writer.complaint(), new RegExp(`${topic}/0 does not exist \\(error 3\\)`))
    const admin = createKafkaClient(accessTo(kafka.plain), logger).admin()
    await admin.connect()
    assert.ok(!(await admin.listTopics()).includes(topic))
    // Once it is there, what waited is written.
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1 }] })
    await admin.disconnect()
    await writer.published(3)
    assert.deepEqual(await numbersIn(topic), [0, 1, 2])
  })
})
