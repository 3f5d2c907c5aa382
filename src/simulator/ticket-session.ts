import { type Channel } from './channel.ts'
import { type ChannelSet, type Run } from './channel-set.ts'
import { type Connection } from './connection.ts'
import { Opcode } from './frame-template.ts'
import { type Session } from './venue-server.ts'

/** What a request asks of one channel. */
export interface TicketWish<Shown extends Channel> {
  readonly channel: Shown
  readonly set: ChannelSet
  /** In which form the channel is wanted. */
  readonly key: string
  readonly wantsSnapshot: boolean
  readonly wantsRealtime: boolean
}

/**
 * The server's side of a ticket protocol: a request replaces the whole subscription of its connection and is not
 * acknowledged; the last event of every channel is its snapshot, then comes what happens, all of it in binary frames.
 */
export abstract class TicketSession<Shown extends Channel> implements Session {
  protected readonly connection: Connection
  readonly #run: Run
  readonly #statusEveryMs: number
  readonly #idle: NodeJS.Timeout
  #status: NodeJS.Timeout | null = null
  #subscribed: readonly Shown[] = []

  constructor(
    connection: Connection,
    run: Run,
    { idleMs, statusEveryMs }: { readonly idleMs: number; readonly statusEveryMs: number }
  ) {
    this.connection = connection
    this.#run = run
    this.#statusEveryMs = statusEveryMs
    this.#idle = setTimeout(() => connection.cut('idle'), idleMs)
    this.#idle.unref()
  }

  /** The whole new subscription, or the name of what is wrong with the request. */
  protected abstract read(text: string): readonly TicketWish<Shown>[] | string

  protected abstract showLast(wish: TicketWish<Shown>): void

  /** Clients read the name, not the message. */
  protected abstract error(name: string): { readonly name: string; readonly message: string }

  message(text: string): void {
    this.#idle.refresh()
    if (text === 'PING') this.beginStatus()
    else this.#request(text)
  }

  ping(): void {
    this.#idle.refresh()
  }

  pong(): void {
    this.#idle.refresh()
  }

  closed(): void {
    clearTimeout(this.#idle)
    if (this.#status !== null) clearInterval(this.#status)
    this.#replace([])
  }

  /** A text `PING` turns the status on, which then comes by the clock. */
  protected beginStatus(): void {
    this.#status ??= setInterval(() => this.sendStatus(), this.#statusEveryMs).unref()
  }

  protected sendStatus(): void {
    this.connection.reply(Opcode.binary, '{"status":"UP"}')
  }

  #request(text: string): void {
    const wishes = this.read(text)
    if (typeof wishes === 'string') return this.#fail(wishes)
    this.#replace(wishes.filter(({ wantsRealtime }) => wantsRealtime).map(({ channel }) => channel))
    for (const wish of wishes) this.#grant(wish)
    this.connection.flush()
  }

  #replace(channels: readonly Shown[]): void {
    for (const channel of this.#subscribed) channel.unsubscribe(this.connection)
    this.#subscribed = channels
  }

  #grant(wish: TicketWish<Shown>): void {
    const { channel, set, key, wantsSnapshot, wantsRealtime } = wish
    if (!channel.ledger.isConfirmed) {
      if (this.#run.isFrozen) return
      this.#run.activate(set, channel)
      // What the first snapshot shows is the first event of all.
      channel.make(Date.now())
    }
    if (wantsRealtime) channel.subscribe(this.connection, key)
    if (wantsSnapshot) this.showLast(wish)
  }

  /** One error and then a normal close. */
  #fail(name: string): void {
    this.connection.reply(Opcode.binary, JSON.stringify({ error: this.error(name) }))
    this.connection.close(1000, '', null)
  }
}
