import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { type RegistryAccess } from '../../../src/bus/registry-http.ts'
import { SchemaRegistry } from '../../../src/bus/schema-registry.ts'
import { type Clock } from '../../../src/core/clock.ts'
import { IngestError } from '../../../src/core/errors.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import {
  closedPort,
  json,
  raw,
  type StubAnswer,
  StubRegistry,
  type StubRequest,
  silence
} from '../../support/stub-registry.ts'

const schema = '{"type":"record","name":"A","fields":[{"name":"x","type":"string"}]}'
const found = json(200, { subject: 'a-value', id: 7, version: 3, schema })
const absent = json(404, { error_code: 40401, message: "Subject 'a-value' not found." })

/** A clock on which every wait is over at once, and has taken the time that was asked for. */
class WaitlessClock implements Clock {
  readonly waits: number[] = []
  #nowMicros = 0

  nowMicros(): number {
    return this.#nowMicros
  }

  setTimeout(callback: () => void, ms: number): unknown {
    this.waits.push(ms)
    this.#nowMicros += ms * 1000
    return setImmediate(callback)
  }

  clearTimeout(timer: unknown): void {
    clearImmediate(timer as NodeJS.Immediate)
  }
}

interface Rig extends AsyncDisposable {
  readonly stub: StubRegistry
  readonly registry: SchemaRegistry
  readonly clock: WaitlessClock
}

async function rigOf(answers: readonly StubAnswer[], access: Partial<RegistryAccess> = {}): Promise<Rig> {
  const stub = await StubRegistry.start(answers)
  const clock = new WaitlessClock()
  const registry = new SchemaRegistry(stub.access(access), { clock, random: () => 0.5 })
  return {
    stub,
    registry,
    clock,
    async [Symbol.asyncDispose]() {
      registry.close()
      await stub[Symbol.asyncDispose]()
    }
  }
}

/** What the client says when the registry answers so. */
async function complaint(
  answers: readonly StubAnswer[],
  access: Partial<RegistryAccess> = {}
): Promise<string> {
  await using rig = await rigOf(answers, access)
  return await complaintOf(rig.registry.lookUp('a-value', schema))
}

async function complaintOf(operation: Promise<unknown>): Promise<string> {
  const error = await operation.then(
    value => assert.fail(`it was answered ${JSON.stringify(value)}`),
    (error: unknown) => error
  )
  assert.ok(error instanceof IngestError)
  assert.equal(error.code, 'REGISTRY_UNAVAILABLE')
  assert.match(error.message, /^The schema registry at http:\/\/127\.0\.0\.1:\d+ /)
  return error.message
}

suite('the operations of a registry', () => {
  test('a schema is looked up under its subject, and null says that the subject does not have it', async () => {
    await using rig = await rigOf([found, absent])
    assert.deepEqual(await rig.registry.lookUp('a-value', schema), { id: 7, version: 3, schema })
    assert.equal(await rig.registry.lookUp('b/c-value', schema), null)
    assert.deepEqual(rig.stub.asked, ['POST /subjects/a-value', 'POST /subjects/b%2Fc-value'])
    assert.deepEqual(rig.stub.requests[0]?.body, { schema })
    assert.equal(rig.stub.requests[0]?.headers['content-type'], 'application/vnd.schemaregistry.v1+json')
  })

  test('the path of the address stands before the path of the operation', async () => {
    await using stub = await StubRegistry.start([absent])
    const registry = new SchemaRegistry(stub.access({ url: `${stub.url}/apis/ccompat/v7/` }))
    assert.equal(await registry.latest('a-value'), null)
    assert.deepEqual(stub.asked, ['GET /apis/ccompat/v7/subjects/a-value/versions/latest'])
    registry.close()
  })

  test('registering answers the id, or the words with which it was refused', async () => {
    const refusal = json(409, { error_code: 409, message: 'incompatible with an earlier schema' })
    const readOnly = json(422, { error_code: 42205, message: 'in read-only mode' })
    await using rig = await rigOf([json(200, { id: 12 }), refusal, readOnly])
    assert.deepEqual(await rig.registry.register('a-value', schema), { id: 12 })
    assert.deepEqual(await rig.registry.register('a-value', schema), {
      refused: 'status 409: incompatible with an earlier schema'
    })
    assert.deepEqual(await rig.registry.register('a-value', schema), {
      refused: 'status 422: in read-only mode'
    })
    assert.equal(rig.stub.asked[0], 'POST /subjects/a-value/versions')
  })

  test('a level is read, is null where there is none, and is set or refused with words', async () => {
    const none = json(404, { error_code: 40408, message: 'no subject-level compatibility configured' })
    const denied = json(403, { error_code: 40301, message: 'not yours' })
    const level = json(200, { compatibilityLevel: 'FULL' })
    await using rig = await rigOf([level, none, json(200, { compatibility: 'FORWARD' }), denied])
    assert.equal(await rig.registry.compatibility('a-value'), 'FULL')
    assert.equal(await rig.registry.compatibility('a-value'), null)
    assert.equal(await rig.registry.setCompatibility('a-value', 'FORWARD'), null)
    assert.equal(await rig.registry.setCompatibility('a-value', 'FORWARD'), 'status 403: not yours')
    assert.deepEqual(rig.stub.requests[2]?.body, { compatibility: 'FORWARD' })
    assert.equal(rig.stub.asked[2], 'PUT /config/a-value')
  })

  test('a check answers with the reasons, be they a list or one text', async () => {
    await using rig = await rigOf([
      json(200, { is_compatible: true }),
      json(200, { is_compatible: false, messages: ['x is gone', 'y is new'] }),
      json(200, { is_compatible: false, reason: 'x at /fields/0' }),
      json(200, { is_compatible: false, reason: null }),
      absent
    ])
    const check = () => rig.registry.check('a-value', schema)
    assert.deepEqual(await check(), { isCompatible: true, reasons: [] })
    assert.deepEqual(await check(), { isCompatible: false, reasons: ['x is gone', 'y is new'] })
    assert.deepEqual(await check(), { isCompatible: false, reasons: ['x at /fields/0'] })
    assert.deepEqual(await check(), { isCompatible: false, reasons: [] })
    assert.equal(await check(), null)
    assert.equal(rig.stub.asked[0], 'POST /compatibility/subjects/a-value/versions/latest?verbose=true')
  })

  test('a schema of another kind than Avro is no schema to us', async () => {
    await using rig = await rigOf([json(200, { schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' })])
    assert.equal(await rig.registry.schemaOf(3), null)
  })
})

suite('what can never change is asked once', () => {
  test('the schema of an id, and the id of a schema', async () => {
    await using rig = await rigOf([json(200, { schema }), found])
    for (let i = 0; i < 3; i++) assert.equal(await rig.registry.schemaOf(7), schema)
    for (let i = 0; i < 3; i++) assert.equal((await rig.registry.lookUp('a-value', schema))?.id, 7)
    assert.deepEqual(rig.stub.asked, ['GET /schemas/ids/7', 'POST /subjects/a-value'])
  })

  test('what is not there yet is asked again', async () => {
    const noId = json(404, { error_code: 40403, message: 'Schema not found' })
    await using rig = await rigOf([noId, absent, json(200, { schema }), found])
    assert.equal(await rig.registry.schemaOf(7), null)
    assert.equal(await rig.registry.lookUp('a-value', schema), null)
    assert.equal(await rig.registry.schemaOf(7), schema)
    assert.equal((await rig.registry.lookUp('a-value', schema))?.id, 7)
  })

  test('the same question of two callers at a time is one request, and another one is another', async () => {
    await using rig = await rigOf([json(200, { schema })])
    const answers = await Promise.all([7, 7, 8].map(id => rig.registry.schemaOf(id)))
    assert.deepEqual(answers, [schema, schema, schema])
    assert.deepEqual(rig.stub.asked.sort(), ['GET /schemas/ids/7', 'GET /schemas/ids/8'])
  })

  test('a failure is not remembered: it reaches all who waited, and the next caller asks anew', async () => {
    await using rig = await rigOf([raw(200, '<html>'), json(200, { schema })])
    const both = await Promise.allSettled([rig.registry.schemaOf(7), rig.registry.schemaOf(7)])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'rejected']
    )
    assert.equal(await rig.registry.schemaOf(7), schema)
  })
})

suite('credentials', () => {
  const password = 'pass word: "ä"/+%'
  const authorizationOf = ({ headers }: StubRequest): string | undefined => headers.authorization

  test('user and password go as basic authentication, a token as bearer, nothing as nothing', async () => {
    const accesses = [{ username: 'me', password }, { token: 'abc.def' }, {}]
    const sent: (string | undefined)[] = []
    for (const access of accesses) {
      await using rig = await rigOf([absent], access)
      await rig.registry.latest('a-value')
      sent.push(...rig.stub.requests.map(authorizationOf))
    }
    const basic = Buffer.from(`me:${password}`).toString('base64')
    assert.deepEqual(sent, [`Basic ${basic}`, 'Bearer abc.def', undefined])
  })

  test('wrong ones are said at once, with the keys to look at', async () => {
    await using rig = await rigOf([json(401, { error_code: 401, message: 'Unauthorized' })], {
      username: 'me',
      password
    })
    const message = await complaintOf(rig.registry.latest('a-value'))
    assert.match(message, /wants other credentials than it was given \(status 401\).+registry\.password/)
    assert.equal(rig.stub.requests.length, 1)
    assert.match(
      await complaint([json(403, { error_code: 403, message: 'no' })]),
      /does not allow it \(status 403\)/
    )
  })

  test('no message holds them, even when the other side sends back all it was sent', async () => {
    const echo =
      (status: number): StubAnswer =>
      (response, { headers }) => {
        const { authorization = '' } = headers
        const plain = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()
        const all = [authorization, plain, password, encodeURIComponent(password), JSON.stringify(password)]
        response.writeHead(status)
        response.end(
          status === 404 ? all.join(' ') : JSON.stringify({ error_code: 1, message: all.join(' ') })
        )
      }
    const secrets = [
      password,
      encodeURIComponent(password),
      JSON.stringify(password).slice(1, -1),
      Buffer.from(`me:${password}`).toString('base64')
    ]
    for (const status of [404, 400, 500]) {
      const message = await complaint([echo(status)], { username: 'me', password })
      for (const secret of secrets) assert.ok(!message.includes(secret), `${status}: ${message}`)
    }
    const token = randomBytes(20).toString('hex')
    const message = await complaint([echo(400)], { token })
    assert.ok(!message.includes(token) && message.includes('…'), message)
  })

  test('characters that no header can carry are said without the text that holds them', async () => {
    const message = await complaint([found], { token: 'secret\ntoken' })
    assert.match(message, /holds characters that no HTTP header can carry/)
    assert.ok(!message.includes('secret'))
  })
})

suite('what may pass is tried again', () => {
  test('after 429 it waits as long as it was asked to', async () => {
    const busy = json(429, { error_code: 42901, message: 'slow down' }, { 'retry-after': '4' })
    await using rig = await rigOf([busy, found])
    assert.equal((await rig.registry.lookUp('a-value', schema))?.id, 7)
    assert.deepEqual(rig.clock.waits, [4000])
  })

  test('a wish to wait beyond the deadline is not granted, but told', async () => {
    const busy = json(503, { error_code: 50301, message: 'starting' }, { 'retry-after': '3600' })
    await using rig = await rigOf([busy])
    const message = await complaintOf(rig.registry.lookUp('a-value', schema))
    assert.match(
      message,
      /is in trouble \(status 503: starting\), and asks to wait 3600 s; it was asked once within 15 s/
    )
    assert.deepEqual(rig.clock.waits, [])
  })

  test('after 5xx and torn connections it waits longer each time', async () => {
    const reset: StubAnswer = response => response.socket?.resetAndDestroy()
    const torn: StubAnswer = response => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"id":')
      setImmediate(() => response.socket?.destroy())
    }
    await using rig = await rigOf([json(500, { error_code: 50001 }), reset, torn, raw(502, '<html>'), found])
    assert.equal((await rig.registry.lookUp('a-value', schema))?.id, 7)
    assert.deepEqual(rig.clock.waits, [100, 200, 400, 800])
  })

  test('the deadline ends it, with the last reason and how often it was tried', async () => {
    const registry = new SchemaRegistry(
      {
        url: `http://127.0.0.1:${await closedPort()}`,
        username: null,
        password: null,
        token: null,
        caFile: null,
        timeoutMs: 1000
      },
      { clock: new WaitlessClock(), random: () => 0.5, deadlineMs: 2_000 }
    )
    const message = await complaintOf(registry.latest('a-value'))
    assert.match(message, /does not answer: connect ECONNREFUSED .+; it was asked 5 times within 2 s\.$/)
    registry.close()
  })

  test('an answer that does not come in time is an answer that did not come', async () => {
    await using rig = await rigOf([silence, found], { timeoutMs: 100 })
    assert.equal((await rig.registry.lookUp('a-value', schema))?.id, 7)
    const dripping: StubAnswer = response => {
      response.writeHead(200)
      response.write('{"id":7,')
    }
    await using slow = await rigOf([dripping], { timeoutMs: 100 })
    assert.match(
      await complaintOf(slow.registry.latest('a-value')),
      /did not answer within 100 ms; it was asked/
    )
  })

  test('closing ends a wait for another try', async () => {
    await using stub = await StubRegistry.start([json(503, {}, { 'retry-after': '10' })])
    const clock = new ManualClock()
    const registry = new SchemaRegistry(stub.access(), { clock })
    const asked = registry.latest('a-value')
    while (clock.pendingTimers === 0) await new Promise(resolve => setImmediate(resolve))
    registry.close()
    await assert.rejects(asked, { code: 'REGISTRY_UNAVAILABLE' })
  })
})

suite('what is no registry is said at once', () => {
  const cases: [string, StubAnswer, RegExp][] = [
    ['a page', raw(200, '<html><body>Hello</body></html>'), /is not JSON; it begins with "<html><body>Hello/],
    ['a page that says 404', raw(404, '<h1>Not found</h1>'), /is not JSON; it begins with "<h1>Not found/],
    ['a 404 of something else', json(404, { error_code: 404 }), /is 404 without a code of the registry/],
    ['nothing', raw(200, ''), /is empty/],
    ['a list', json(200, []), /is no JSON object/],
    ['an id that is a text', json(200, { id: '7', version: 1, schema }), /names "7" as the id of a schema/],
    ['an id beyond an int32', json(200, { id: 2 ** 31, version: 1, schema }), /names 2147483648 as the id/],
    ['an id with a fraction', json(200, { id: 1.5, version: 1, schema }), /names 1\.5 as the id/],
    ['no id', json(200, { version: 1, schema }), /names nothing as the id/],
    ['no version', json(200, { id: 1, schema }), /names no version/],
    ['no schema', json(200, { id: 1, version: 1 }), /names no schema/],
    ['half a document', raw(200, '{"id":7,"vers'), /is not JSON/],
    ['a compressed answer', raw(200, 'x', { 'content-encoding': 'gzip' }), /in the encoding gzip/],
    [
      'a redirect',
      raw(302, '', { location: 'http://u:p@evil.example/x?token=1' }),
      /redirects to http:\/\/evil\.example\/x, which is not followed/
    ],
    ['too much', raw(200, 'x'.repeat(2 ** 20 + 1)), /answers with more than 1048576 bytes/]
  ]
  for (const [name, answer, expected] of cases) {
    test(name, async () => {
      await using rig = await rigOf([answer])
      assert.match(await complaintOf(rig.registry.lookUp('a-value', schema)), expected)
      assert.equal(rig.stub.requests.length, 1)
    })
  }

  test('an answer without an end is cut off', async () => {
    const endless: StubAnswer = response => {
      response.writeHead(200)
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    }
    assert.match(await complaint([endless]), /answers with more than 1048576 bytes/)
  })

  test('lines and control characters of a stranger do not reach our messages', async () => {
    const message = await complaint([json(400, { error_code: 1, message: 'a\nb\u001b[31mc'.repeat(200) })])
    assert.ok(!/\p{Cc}/u.test(message), message)
    assert.ok(message.length < 700)
  })
})
