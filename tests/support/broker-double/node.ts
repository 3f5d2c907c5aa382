import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type ClusterState, type NodeAddress } from './cluster-state.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { type ProduceRequest } from './produce.ts'
import { type MetFault } from './script.ts'

const relistenMs = 20
/**
 * Ports of all doubles of this process, those of nodes that are down included: given to another double, such a port would
 * lead the clients of the one into the log of the other.
 */
const heldPorts = new Set<number>()

/** One broker of the double: a real server on loopback. */
export class DoubleNode implements NodeAddress, ConnectionHost {
  readonly id: number
  readonly cluster: ClusterState
  readonly meet: (request: ProduceRequest) => readonly MetFault[]
  readonly sleep: (ms: number) => Promise<void>
  /** Connections that were accepted, ever. */
  accepted = 0
  isDown = false
  #port = 0
  #server: Server | null = null
  #comingUp: Promise<void> | null = null
  #isClosed = false
  readonly #connections = new Set<Connection>()
  #thaw: { readonly promise: Promise<void>; readonly resolve: () => void } | null = null

  constructor(
    id: number,
    cluster: ClusterState,
    meet: (request: ProduceRequest) => readonly MetFault[],
    sleep: (ms: number) => Promise<void>
  ) {
    this.id = id
    this.cluster = cluster
    this.meet = meet
    this.sleep = sleep
  }

  get port(): number {
    return this.#port
  }

  get isFrozen(): boolean {
    return this.#thaw !== null
  }

  async listen(): Promise<void> {
    const server = createServer(socket => this.#accept(socket))
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    if (this.#port === 0 && heldPorts.has(port)) {
      // Closed only after the next try, which could be given the same port otherwise.
      await this.listen()
      server.close()
      return
    }
    heldPorts.add(port)
    this.#server = server
    this.#port = port
  }

  thawed(): Promise<void> {
    return this.#thaw?.promise ?? Promise.resolve()
  }

  freeze(): void {
    if (this.#thaw !== null) return
    let resolve = (): void => undefined
    const promise = new Promise<void>(resolved => {
      resolve = resolved
    })
    this.#thaw = { promise, resolve }
    for (const connection of this.#connections) connection.pause()
  }

  thaw(): void {
    const thaw = this.#thaw
    if (thaw === null) return
    this.#thaw = null
    for (const connection of this.#connections) connection.resume()
    thaw.resolve()
  }

  cut(): void {
    for (const connection of this.#connections) connection.reset()
    this.#connections.clear()
  }

  /** Connections are refused until it comes up again, on the same port. */
  takeDown(): void {
    if (this.isDown) return
    this.isDown = true
    this.#server?.close()
    this.#server = null
    this.cut()
  }

  async comeUp(): Promise<void> {
    this.#comingUp ??= this.#listenAgain()
    await this.#comingUp
    this.#comingUp = null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#comingUp
    this.thaw()
    this.cut()
    heldPorts.delete(this.#port)
    const server = this.#server
    if (server === null) return
    this.#server = null
    server.close()
    await once(server, 'close')
  }

  async #listenAgain(): Promise<void> {
    while (this.isDown && !this.#isClosed) {
      try {
        await this.listen()
        this.isDown = false
      } catch {
        // Somebody's outgoing connection may have been given the port meanwhile.
        await this.sleep(relistenMs)
      }
    }
  }

  #accept(socket: Socket): void {
    this.accepted++
    const connection = new Connection(socket, this)
    this.#connections.add(connection)
    socket.on('close', () => this.#connections.delete(connection))
    if (this.isFrozen) connection.pause()
  }
}
