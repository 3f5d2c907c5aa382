import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { dialWebSocket, type SocketEnd, type VenueSocket } from '../../actors/exchange/socket.ts'
import { SystemClock } from '../../src/core/clock.ts'

/** A socket to a peer that accepts it and then reads nothing. */
async function unreadSocket() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[WebSocket]>
  let onOpened: () => void = () => undefined
  let onEnded: (end: SocketEnd) => void = () => undefined
  const opened = new Promise<void>(resolve => {
    onOpened = resolve
  })
  const ended = new Promise<SocketEnd>(resolve => {
    onEnded = resolve
  })
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const socket: VenueSocket = dialWebSocket(
    { url, connectionId: 'c', frameBytesMax: 1_024, clock: new SystemClock() },
    { opened: () => onOpened(), frame: () => undefined, ended: end => onEnded(end) }
  )
  const [peer] = await accepted
  await opened
  peer.pause()
  return { server, socket, peer, ended }
}

test('a socket whose peer does not read what it is sent is given up', async () => {
  const { server, socket, peer, ended } = await unreadSocket()
  let isEnded = false
  void ended.then(() => {
    isEnded = true
  })
  const text = 'x'.repeat(65_536)
  while (!isEnded) {
    socket.send(text)
    await new Promise(resolve => setImmediate(resolve))
  }
  const { error } = await ended
  assert.equal(error?.code, 'LIMIT_HIT')
  assert.match(error?.message ?? '', /does not read: \d+ bytes wait to be sent, more than 1048576/)
  peer.terminate()
  server.close()
})
