import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createWebServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import kafkajs, { type AclOperationTypes as Operation, type AclResourceTypes as ResourceType } from 'kafkajs'
import { planTopics } from '../../actors/kafka/topic-plan.ts'
import { manageTopics } from '../../actors/kafka/topics.ts'
import { createKafkaClient, type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { explainKafkaFault } from '../../src/bus/kafka-fault.ts'
import { runCli } from '../../src/cli/run.ts'
import { createLogger } from '../../src/core/logger.ts'
import { type Summary } from '../../src/domain/summary.ts'
import { type Target } from '../../src/domain/target.ts'
import { KafkaReader } from '../../src/verify/kafka-reader.ts'
import { answerApiVersions, apiKeys } from '../support/broker-double/api-versions.ts'
import { ClusterState } from '../support/broker-double/cluster-state.ts'
import { answerMetadata } from '../support/broker-double/metadata.ts'
import { WireReader } from '../support/broker-double/wire-reader.ts'
import { accessTo, type GuardedKafka, startGuardedKafka } from '../support/kafka.ts'
import { CliProcess } from '../support/run-cli.ts'
import { FakeIo } from '../unit/cli/fake-io.ts'

const logger = createLogger('silent', 'test')
const koreanTargets: Target[] = [{ region: 'korea', exchange: 'upbit', request_type: 'trade' }]
const targets: Target[] = [{ region: 'na', exchange: 'kraken', request_type: 'trade' }]

/** The reason for which this access cannot be used. */
async function fault(access: KafkaAccess): Promise<string> {
  const admin = createKafkaClient(access, logger).admin()
  try {
    await admin.connect()
    await admin.listTopics()
    // Goes to the broker that the cluster names, not to the one that was dialled first.
    await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: 'any' }]
    })
  } catch (error) {
    return await explainKafkaFault(error, access)
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
  assert.fail(`${access.brokers.join()} was of use`)
}

suite('Kafka behind TLS and SASL', () => {
  let kafka: GuardedKafka
  before(async () => {
    kafka = await startGuardedKafka()
  })
  after(() => kafka[Symbol.asyncDispose]())

  const tlsTo = (brokers: string, files: Partial<KafkaAccess> = {}): KafkaAccess => ({
    ...accessTo(brokers),
    tls: true,
    caFile: kafka.files.caFile,
    ...files
  })
  const login = (mechanism = 'scram-sha-512', password = kafka.user.password): KafkaAccess['sasl'] => ({
    ...kafka.user,
    mechanism,
    password
  })
  const environment = ({ brokers, tls, caFile, sasl }: KafkaAccess): Record<string, string> => ({
    KAFKA_BROKERS: brokers.join(','),
    SCHEMA_REGISTRY_URL: 'none',
    COIN_STREAM_KAFKA_TLS: String(tls),
    COIN_STREAM_KAFKA_CA_FILE: caFile ?? '',
    COIN_STREAM_KAFKA_SASL_MECHANISM: sasl?.mechanism ?? '',
    COIN_STREAM_KAFKA_SASL_USERNAME: sasl?.username ?? '',
    COIN_STREAM_KAFKA_SASL_PASSWORD: sasl?.password ?? ''
  })

  test('has topics made, records read back by the check and shown by tail, all with one access', async () => {
    // Frozen as a configuration is: the client keeps its authenticator in what it is given.
    const access = tlsTo(kafka.saslTls, { sasl: Object.freeze(login()) })
    const io = new FakeIo('', environment(access))
    assert.equal(await runCli('topics apply --region korea'.split(' '), io), 0, io.stderr)

    const topic = 'ws.gap.events'
    const read: string[] = []
    const take = (_topic: string, key: string, bytes: Buffer, start: number, end: number): void => {
      read.push(`${key}=${bytes.toString('utf8', start, end)}`)
    }
    const reader = new KafkaReader(access, [topic], take, () => undefined)
    await reader.attach()
    const producer = createKafkaClient(access, logger).producer()
    await producer.connect()
    await producer.send({ topic, messages: [{ key: 'k', value: '{"gap_id":"g"}' }] })
    await producer.disconnect()
    await reader.finish(30_000)
    await reader.close()
    assert.deepEqual(read, ['k={"gap_id":"g"}'])

    const tail = new FakeIo('', environment(access))
    assert.equal(await runCli(`tail ${topic} --from earliest -n 1`.split(' '), tail), 0, tail.stderr)
    assert.deepEqual((JSON.parse(tail.stdout) as { value: unknown }).value, { gap_id: 'g' })
  })

  test('refuses what does not fit, and each time a sentence says what to change', async () => {
    const { sasl, saslTls, tls, tlsElsewhere, mutualTls, plain, files } = kafka
    const wrong = { ...accessTo(sasl), sasl: login('plain', 'wrong') }
    const cases: readonly (readonly [access: KafkaAccess, clause: RegExp])[] = [
      [wrong, /^the brokers refuse the login of user alice by SASL PLAIN \(.*\); check kafka\.sasl$/],
      [
        { ...accessTo(sasl), sasl: login('scram-sha-256', 'wrong') },
        /^the brokers refuse the login of user alice by SASL SCRAM-SHA-256 \(/
      ],
      [accessTo(sasl), /speaks Kafka and closes the connection of who does not log in; set kafka\.sasl$/],
      [
        { ...accessTo(plain), sasl: login() },
        /^the brokers want no login on this port; leave kafka\.sasl out, or take the port for SASL$/
      ],
      [accessTo(tls), /^localhost:\d+ speaks TLS; set kafka\.tls=true$/],
      [accessTo(saslTls), /^localhost:\d+ speaks TLS; set kafka\.tls=true$/],
      [
        tlsTo(plain),
        /^localhost:\d+ speaks Kafka without TLS; set kafka\.tls=false, or take the port for TLS$/
      ],
      [
        tlsTo(tls.replace('localhost', '127.0.0.1')),
        /^the certificate of 127\.0\.0\.1:\d+ is not for the name 127\.0\.0\.1; take a name that it is for/
      ],
      [
        tlsTo(tls, { caFile: null }),
        /^the certificate of localhost:\d+ is from an authority that is not trusted here; .*kafka\.caFile$/
      ],
      [
        tlsTo(tls, { caFile: files.strangerCaFile }),
        /^the certificate of localhost:\d+ is from an authority that is not trusted here/
      ],
      [
        tlsTo(mutualTls),
        /^localhost:\d+ does not accept our certificate, or wants one; check kafka\.certFile/
      ],
      [
        tlsTo(tlsElsewhere),
        /^the cluster answers, but gives out the address 127\.0\.0\.1:\d+ \(advertised\.listeners of its brokers\), which cannot be used from here: the certificate of 127\.0\.0\.1:\d+ is not for the name/
      ]
    ]
    const found: string[] = []
    for (const [access, clause] of cases) {
      const said = await fault(access)
      if (!clause.test(said)) found.push(`${said}\n  is not ${clause.source}`)
      assert.ok(!said.includes(kafka.user.password) && !said.includes('wrong'), said)
    }
    assert.deepEqual(found, [])
  })

  test('is verified by the simulation, whose process is told the password over its socket', async () => {
    const access = tlsTo(kafka.saslTls, { sasl: login() })
    const folder = mkdtempSync(join(tmpdir(), 'coin-stream-access-'))
    const words =
      'start upbit/trade:BTC-KRW,ETH-KRW upbit/orderbook:BTC-KRW binance/orderbook:BTC-USDT --simulate --verify --for 4s --rate 500 --json --log-level debug'.split(
        ' '
      )
    await using run = new CliProcess(words, folder, environment(access))
    const { code, stdout, stderr } = await run.ended
    rmSync(folder, { recursive: true, force: true })
    assert.equal(code, 0, stderr)
    const { truth, records } = JSON.parse(stdout) as Summary
    assert.ok((truth?.delivered ?? 0) > 0 && records.failed === 0, stdout)
    assert.ok(!`${stdout}${stderr}`.includes(kafka.user.password))
  })

  test('names each topic that this user may not create or see, and whom to ask', async () => {
    const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs
    const rule = (resourceType: ResourceType, resourceName: string, operation: Operation) => ({
      resourceType,
      resourceName,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal: `User:${kafka.user.username}`,
      host: '*',
      operation,
      permissionType: AclPermissionTypes.DENY
    })
    const admin = createKafkaClient(accessTo(kafka.plain), logger).admin()
    await admin.connect()
    const acl = [
      rule(AclResourceTypes.CLUSTER, 'kafka-cluster', AclOperationTypes.CREATE),
      rule(AclResourceTypes.TOPIC, 'trade-data.na', AclOperationTypes.CREATE),
      rule(AclResourceTypes.TOPIC, 'ws.dlq', AclOperationTypes.DESCRIBE),
      {
        ...rule(AclResourceTypes.TOPIC, 'ws.dlq', AclOperationTypes.CREATE),
        permissionType: AclPermissionTypes.ALLOW
      }
    ]
    await admin.createAcls({ acl })
    await manageTopics(accessTo(kafka.plain), planTopics(koreanTargets), 'create', logger)
    await admin.disconnect()
    const access = { ...accessTo(kafka.sasl), sasl: login('plain') }
    const { created, missing, refused } = await manageTopics(access, planTopics(targets), 'create', logger)
    assert.deepEqual(created, ['ws.connect_success.na'])
    assert.deepEqual(missing, ['trade-data.na', 'ws.dlq'])
    assert.deepEqual(refused, [
      'Topic trade-data.na could not be created: user alice is not authorized; allow Create on topic trade-data.na, or have it done by somebody who may.',
      'Topic ws.dlq exists, and user alice may not see it; allow Describe on topic ws.dlq.'
    ])
  })
})

suite('an address that is no Kafka, or not the one to use', () => {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  after(() => {
    for (const server of servers) server.close()
    for (const socket of sockets) socket.destroy()
  })

  async function listen(server: Server): Promise<string> {
    servers.push(server)
    server.on('connection', (socket: Socket) => sockets.add(socket))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function plan(brokers: string): Promise<{ code: number; said: string }> {
    const io = new FakeIo('', { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: 'none' })
    const code = await runCli(['topics', 'plan'], io)
    assert.equal(io.stdout, '')
    return { code, said: io.stderr }
  }

  const failed = (brokers: string, reason: string) => ({
    code: 1,
    said: `coin-stream: The topics at ${brokers} could not be verified: ${reason}.\n`
  })

  test('is said to be a web server', async () => {
    const address = await listen(createWebServer((_request, response) => response.end('hello')))
    const reason = `a web server (HTTP) answers at ${address}, not a Kafka broker; check the port`
    assert.deepEqual(await plan(address), failed(address, reason))
  })

  test('is said to have nobody there, for each of several', async () => {
    const nobody = '127.0.0.1:1,127.0.0.1:2'
    const reasons = [1, 2].map(
      port => `nothing listens at 127.0.0.1:${port}; check the port, and that the broker runs`
    )
    const { code, said } = await plan(nobody)
    assert.equal(code, 1)
    assert.ok(said.includes(reasons[0]!) || said.includes(reasons[1]!), said)
  })

  test('is said to close connections, or to say something else', async () => {
    const closing = await listen(createServer(socket => socket.destroy()))
    const closed = `${closing} closes connections without a word; check that the port is one for clients`
    assert.deepEqual(await plan(closing), failed(closing, closed))
  })

  test('is named when the cluster gives it out and nobody is there', async () => {
    const cluster = new ClusterState({ topics: {}, nodes: 1 })
    cluster.nodes = [{ id: 1, port: 1, isDown: false }]
    const address = await listen(createServer(socket => answer(socket, cluster)))
    const reason = `the cluster answers, but gives out the address 127.0.0.1:1 (advertised.listeners of its brokers), which cannot be used from here: nothing listens at 127.0.0.1:1; check the port, and that the broker runs`
    assert.deepEqual(await plan(address), failed(address, reason))
  })

  test('is not asked for at all when no brokers are configured', async () => {
    const io = new FakeIo('', {})
    assert.equal(await runCli(['topics', 'apply'], io), 2)
    assert.match(io.stderr, /No brokers are configured.*set KAFKA_BROKERS\.\n$/)
    const region = new FakeIo('', { KAFKA_BROKERS: 'a:1', SCHEMA_REGISTRY_URL: 'none' })
    assert.equal(await runCli('topics plan --region corea'.split(' '), region), 2)
    assert.match(region.stderr, /There is no region corea; did you mean korea\?/)
  })
})

/** A broker that answers what it is and where its cluster is, and nothing else. */
function answer(socket: Socket, cluster: ClusterState): void {
  socket.on('error', () => undefined)
  socket.on('data', bytes => {
    for (let at = 0; at + 4 <= bytes.length; at += 4 + bytes.readInt32BE(at)) {
      const request = new WireReader(bytes.subarray(at + 4, at + 4 + bytes.readInt32BE(at)))
      const [key, version, correlation] = [request.int16(), request.int16(), request.int32()]
      request.nullableString()
      if (key === apiKeys.apiVersions && version >= 3) request.skipTags()
      const body =
        key === apiKeys.apiVersions
          ? answerApiVersions(request, version)
          : answerMetadata(request, version, cluster)
      const head = Buffer.alloc(8)
      head.writeInt32BE(4 + body.length, 0)
      head.writeInt32BE(correlation, 4)
      socket.write(Buffer.concat([head, body]))
    }
  })
}
