import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { after, suite, test } from 'node:test'
import { probeBroker } from '../../../src/bus/broker-probe.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
after(() => {
  for (const server of servers) server.close()
  for (const socket of sockets) socket.destroy()
})

async function serve(answer: (socket: Socket) => void): Promise<string> {
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    answer(socket)
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function clauseOf(address: string, tls: boolean, withinMs = 5_000): Promise<string> {
  const found = await probeBroker(address, tls, withinMs)
  return found.isKafka ? 'it is Kafka' : found.clause.replaceAll(address, 'A')
}

/** Answers the request for the versions with its correlation id, and as many bytes as it says. */
function answerVersions(socket: Socket): void {
  socket.once('data', request => {
    const answer = Buffer.alloc(4 + 10)
    answer.writeInt32BE(10, 0)
    request.copy(answer, 4, 8, 12)
    socket.write(answer)
  })
}

suite('the look at an address', () => {
  test('knows a broker', async () => {
    assert.equal(await clauseOf(await serve(answerVersions), false), 'it is Kafka')
  })

  test('tells a broker without TLS from one with it', async () => {
    // As a broker does when it is sent a handshake: the size that it reads is absurd.
    const address = await serve(socket => {
      socket.once('data', bytes => {
        if (bytes[0] !== 0x16) {
          const answer = Buffer.concat([Buffer.of(0, 0, 0, 10), bytes.subarray(8, 12), Buffer.alloc(6)])
          socket.write(answer)
        } else socket.end()
      })
    })
    assert.equal(
      await clauseOf(address, true),
      'A speaks Kafka without TLS; set kafka.tls=false, or take the port for TLS'
    )
  })

  test('knows a TLS alert', async () => {
    const address = await serve(socket => socket.end(Buffer.of(0x15, 3, 3, 0, 2, 2, 80)))
    assert.equal(await clauseOf(address, false), 'A speaks TLS; set kafka.tls=true')
  })

  test('shows the beginning of what it does not know, and takes another answer for none of ours', async () => {
    const ssh = await serve(socket => socket.write('SSH-2.0-server\r\n'))
    assert.equal(
      await clauseOf(ssh, false),
      'what answers at A is not Kafka: it says "SSH-2.0-server\\r\\n"; check the port'
    )
    const foreign = await serve(socket => socket.write(Buffer.alloc(14, 1)))
    assert.match(await clauseOf(foreign, false), /^what answers at A is not Kafka: it says "\\u0001/)
  })

  test('gives up on one that says nothing', async () => {
    const address = await serve(() => undefined)
    assert.equal(
      await clauseOf(address, false, 50),
      'A takes connections and then says nothing for 0.05 s; it hangs, or is no Kafka broker'
    )
  })

  test('takes an address of version 6 in brackets', async () => {
    const found = await probeBroker('[::1]:1', false, 5_000)
    assert.ok(!found.isKafka)
    assert.match(found.clause, /\[::1\]:1/)
  })

  test('says which name is not known', async () => {
    const found = await probeBroker('no-such-host.invalid:9092', false, 10_000)
    assert.ok(!found.isKafka)
    assert.match(
      found.clause,
      /^the name no-such-host\.invalid (?:is not known here|cannot be looked up now); /
    )
  })
})
