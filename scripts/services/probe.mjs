import { connect, createServer } from 'node:net'

/** Ports that were free a moment ago: all are held open together, so that no two are the same. */
export async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map(server => new Promise(resolve => server.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

/** Sends bytes and resolves with the answer as soon as `isComplete` says so; rejects after a second. */
function exchange(port, bytes, isComplete) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let received = Buffer.alloc(0)
    socket.setTimeout(1000, () => socket.destroy(new Error('no answer')))
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('connection closed')))
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      if (!isComplete(received)) return
      resolve(received)
      socket.destroy()
    })
  })
}

function kafkaRequest(key, version, body) {
  const client = Buffer.from('probe')
  const head = Buffer.alloc(14)
  head.writeInt32BE(10 + client.length + body.length, 0)
  head.writeInt16BE(key, 4)
  head.writeInt16BE(version, 6)
  head.writeInt32BE(1, 8)
  head.writeInt16BE(client.length, 12)
  return Buffer.concat([head, client, body])
}

const isFrameComplete = bytes => bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)

/** Node ids in a Metadata v1 answer: `count, (id, host, port, rack)…` behind the correlation id. */
function nodeIds(answer) {
  const ids = []
  let at = 12
  for (let left = answer.readInt32BE(8); left > 0; left--) {
    ids.push(answer.readInt32BE(at))
    at += 4
    at += 2 + answer.readInt16BE(at)
    at += 4
    at += 2 + Math.max(0, answer.readInt16BE(at))
  }
  return ids
}

/** Ready is a broker that answers ApiVersions and names itself in the metadata: a fenced one does not. */
export async function probeKafka(port, nodeId = 1) {
  const versions = await exchange(port, kafkaRequest(18, 0, Buffer.alloc(0)), isFrameComplete)
  if (versions.readInt16BE(8) !== 0) throw new Error('ApiVersions was refused')
  const noTopics = Buffer.alloc(4)
  const metadata = await exchange(port, kafkaRequest(3, 1, noTopics), isFrameComplete)
  if (!nodeIds(metadata).includes(nodeId)) throw new Error(`broker ${nodeId} is not registered yet`)
}

export async function probeRedis(port) {
  const answer = await exchange(port, 'PING\r\n', bytes => bytes.includes('\r\n'))
  if (!answer.toString().startsWith('+PONG')) throw new Error('no PONG')
}

/** Sets the default compatibility as it asks whether the registry is there. */
export async function probeRegistry(url) {
  const response = await fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{"compatibility":"BACKWARD"}',
    signal: AbortSignal.timeout(2000)
  })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`status ${response.status}`)
}
