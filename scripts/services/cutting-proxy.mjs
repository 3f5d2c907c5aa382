import { connect, createServer } from 'node:net'
import { FrameWalk } from './frame-walk.mjs'

const produceKey = 0
/** Length, api key, api version, correlation id; of an answer, length and correlation id. */
const requestHeadBytes = 12
const answerHeadBytes = 8
const trafficWithinMs = 10_000

/** Between the clients and a broker, so that connections can be lost without any harm to the broker. */
export class CuttingProxy {
  #upstreamPort
  #server = null
  #clients = new Set()
  #afterWrite = null
  port

  constructor(port, upstreamPort) {
    this.port = port
    this.#upstreamPort = upstreamPort
  }

  /** Takes connections and passes them on. */
  async listen() {
    const server = createServer(client => this.#connected(client))
    await new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.port, '127.0.0.1', resolve)
    })
    // Whoever ends while it listens need not close it.
    this.#server = server.unref()
  }

  /** Takes no more connections, as the machine of a dead broker; those there are end with the broker. */
  close() {
    this.#server?.close()
    this.#server = null
  }

  /** Resets every connection; answers how many there were. */
  cut() {
    const { size } = this.#clients
    for (const client of this.#clients) reset(client)
    return size
  }

  /** Passes on the next Produce request, and resets its connection when the broker begins to answer: it is written. */
  cutAfterWrite() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#afterWrite = null
        reject(new Error(`no Produce request came through within ${trafficWithinMs / 1000} s`))
      }, trafficWithinMs)
      this.#afterWrite = () => {
        clearTimeout(timer)
        this.#afterWrite = null
        resolve()
      }
    })
  }

  #connected(client) {
    this.#clients.add(client)
    const upstream = connect(this.#upstreamPort, '127.0.0.1')
    /** Correlation id of the request whose answer shall not arrive. */
    let awaited = null
    const requests = new FrameWalk(requestHeadBytes, {
      ended: head => {
        if (this.#afterWrite !== null && head.readInt16BE(4) === produceKey) awaited ??= head.readInt32BE(8)
      }
    })
    const answers = new FrameWalk(answerHeadBytes, {
      began: head => {
        if (awaited === null || this.#afterWrite === null || head.readInt32BE(4) !== awaited) return
        reset(client)
        this.#afterWrite()
      }
    })
    client.setNoDelay(true)
    upstream.setNoDelay(true)
    client.on('data', chunk => requests.take(chunk))
    upstream.on('data', chunk => answers.take(chunk))
    client.pipe(upstream)
    upstream.pipe(client)
    client.on('error', () => {})
    upstream.on('error', () => {})
    client.on('close', () => {
      this.#clients.delete(client)
      upstream.destroy()
    })
    upstream.on('close', () => client.destroy())
  }
}

/** A reset of a socket that is already ending can leave Node's handle in a loop at exit. */
function reset(socket) {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
