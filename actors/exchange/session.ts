import { type ActorRefFrom, createActor } from 'xstate'
import { type ConnectionEvent, connectionMachine, defaultTimings } from '../../machines/connection.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type Instrument } from '../../src/domain/instrument.ts'
import { type SessionNotice } from '../../src/wire/session-messages.ts'
import { type ConnectionState } from '../../src/wire/shared-ledger.ts'
import { connectionStateOf } from './connection-state.ts'
import { type GateClient } from './gate.ts'
import { Link } from './link.ts'
import { type LinkPlan } from './link-plan.ts'
import { type ExchangeServices, type ShardPlan } from './services.ts'
import { type SocketEnd } from './socket.ts'
import { symbolList } from './symbol-list.ts'

export interface SessionEvents {
  moved(state: ConnectionState): void
  /** The venue wants this connection to be replaced by a new one. */
  replacementAsked(): void
}

/**
 * One connection over all its sockets: the machine decides, this does. It holds no market data; what a socket delivers
 * goes its way in `link.ts`.
 */
export class Session implements GateClient {
  readonly key: number
  readonly #host: ExchangeServices
  readonly #events: SessionEvents
  readonly #shard: ShardPlan
  readonly #instruments: readonly Instrument[]
  readonly #machine: ActorRefFrom<typeof connectionMachine>
  readonly #rejected = new Set<string>()
  readonly #reported = new Set<string>()
  #link: Link | null = null
  #previous: number | null
  #state: ConnectionState = 'idle'
  #reason: string | null = null
  #hasProved = false
  #dials: number

  /** @param previous the connection whose place this one takes, null for the first of its shard */
  constructor(
    host: ExchangeServices,
    shard: ShardPlan,
    instruments: readonly Instrument[],
    previous: number | null,
    events: SessionEvents
  ) {
    this.key = host.nextKey()
    this.#host = host
    this.#events = events
    this.#shard = shard
    this.#instruments = instruments
    this.#previous = previous
    this.#dials = previous === null ? 0 : 1
    const { clock, random, adapter } = host
    const machine = connectionMachine.provide({
      actions: {
        requestDial: () => host.gate.request(this),
        withdrawDial: () => host.gate.withdraw(this),
        dial: () => this.#dial(),
        subscribe: () => this.#link?.subscriptions.subscribeAll(),
        reportUnconfirmed: () => this.#reportUnconfirmed(this.#link, this.#link?.subscriptions.wanted ?? []),
        probe: () => this.#link?.probe(),
        close: () => this.#link?.close(),
        terminate: (_, { reason }) => this.#terminate(reason)
      }
    })
    this.#machine = createActor(machine, {
      clock: {
        setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
        clearTimeout: timer => clock.clearTimeout(timer)
      },
      input: { timings: { ...defaultTimings, backoffFloorMs: adapter.limits.reconnectFloorMs }, random }
    })
    this.#machine.subscribe(snapshot => this.#moved(connectionStateOf(snapshot.value)))
  }

  get state(): ConnectionState {
    return this.#state
  }

  get link(): Link | null {
    return this.#link
  }

  get connection(): number | null {
    return this.#link?.plan.connection ?? this.#previous
  }

  start(): void {
    this.#machine.start()
    this.#send({ type: 'START' })
  }

  stop(): void {
    this.#send({ type: 'STOP' })
  }

  permitted(): void {
    this.#send({ type: 'DIAL' })
  }

  denied(): void {
    this.#send({ type: 'CIRCUIT_OPEN' })
  }

  /** About once a second: heartbeats and the watchdog of the socket, and what is to be asked for again. */
  tick(nowMicros: number): void {
    const link = this.#link
    if (link === null) return
    link.heartbeat(nowMicros)
    if (this.#state === 'live') this.#askAgain(link, nowMicros)
    if (this.#state === 'live' && link.silentMs(nowMicros) > this.#host.adapter.heartbeat.watchdogMs) {
      this.#send({ type: 'SILENT' })
    } else if (
      this.#state === 'stale' &&
      link.silentMs(nowMicros) < this.#host.adapter.heartbeat.watchdogMs
    ) {
      this.#send({ type: 'ALIVE' })
    }
  }

  /** A machine that has come to its end takes no more events. */
  #send(event: ConnectionEvent): void {
    if (this.#machine.getSnapshot().status === 'active') this.#machine.send(event)
  }

  #dial(): void {
    const { clock, limits, adapter } = this.#host
    const { target, shard, ordinal, targetIndex, projection } = this.#shard
    const dialMs = Math.floor(clock.nowMicros() / 1000)
    this.#dials++
    if (this.#dials > 1) this.#shard.account.add('reconnects', 1)
    this.#hasProved = false
    const plan: LinkPlan = {
      connection: this.#host.nextConnection(),
      connectionId: `${this.#host.pod}/${target.exchange}/${target.request_type}/${ordinal}/${dialMs}`,
      target,
      shard,
      targetIndex,
      instruments: this.#instruments.filter(instrument => !this.#rejected.has(instrument.symbol)),
      projection,
      url: this.#host.urlOf(target.request_type),
      previous: this.#previous,
      frameBytesMax: limits.frameBytesMax,
      inflatedBytesMax: limits.inflatedBytesMax
    }
    this.#link = new Link({
      plan,
      adapter,
      clock,
      batcher: this.#host.batcher,
      account: this.#shard.account,
      dial: this.#host.dial,
      events: {
        opened: () => this.#send({ type: 'SOCKET_OPENED' }),
        firstData: () => this.#prove(),
        confirmed: subscriptions => this.#confirmed(subscriptions),
        rejected: (subscriptions, reason) => this.#refused(subscriptions, reason),
        subscribed: () => this.#send({ type: 'SUBSCRIBED' }),
        reconnectAsked: () => this.#events.replacementAsked(),
        fault: error => this.#fault(error),
        ended: end => this.#ended(end),
        resumption: isForced => this.#resumption(isForced)
      },
      observer: this.#host.capture?.observe(plan, ordinal, () => this.#link) ?? null
    })
    this.#host.linkStarted(this.#link)
  }

  #ended(end: SocketEnd): void {
    const link = this.#link!
    this.#link = null
    this.#reason = end.reason
    this.#shard.lastLanes.push(link.lane)
    if (this.#shard.lastLanes.length > 2) this.#shard.lastLanes.shift()
    if (link.wasOpen) this.#previous = link.plan.connection
    this.#shard.account.set('subscribed', 0)
    this.#host.linkEnded(link)
    const isAsked = this.#state === 'stopping'
    if (!isAsked && end.error !== null) this.#fault(end.error, link)
    if (isAsked || this.#hasProved) this.#host.gate.withdraw(this)
    else this.#host.gate.failed(this, end.status, end.retryAfterMs)
    this.#send({ type: 'SOCKET_LOST', dataMs: link.dataMs })
  }

  #terminate(reason: 'handshake' | 'stale' | 'stopping'): void {
    const link = this.#link
    if (link === null) return
    switch (reason) {
      case 'handshake':
        link.terminate('disconnect', new IngestError('SOCKET_FAILED', 'the handshake did not end in time'))
        break
      case 'stale':
        link.terminate(
          'stale',
          new IngestError('SOCKET_STALE', 'the socket went silent and a ping got no answer')
        )
        break
      case 'stopping':
        link.terminate(
          'disconnect',
          new IngestError('SOCKET_FAILED', 'the closing handshake did not end in time')
        )
        break
    }
  }

  /** Subscribed and data: only this is success for the exchange's gate. */
  #prove(): void {
    const isSubscribed = this.#state === 'live' || this.#state === 'stale'
    if (this.#hasProved || !isSubscribed || (this.#link?.firstDataMicros ?? 0) === 0) return
    this.#hasProved = true
    this.#host.gate.proved(this)
  }

  #confirmed(subscriptions: readonly number[]): void {
    const link = this.#link!
    this.#shard.account.set('subscribed', link.subscriptions.confirmed.length)
    const { target } = this.#shard
    for (const index of subscriptions) {
      const { symbol } = link.plan.instruments[index]!
      this.#reported.delete(symbol)
      this.#host.report({ type: 'confirmed', target, symbol, connectionId: link.plan.connectionId })
    }
  }

  #refused(subscriptions: readonly number[], reason: string): void {
    const symbols = subscriptions.map(index => this.#link!.plan.instruments[index]!.symbol)
    for (const symbol of symbols) this.#rejected.add(symbol)
    this.#shard.account.set('subscribed', this.#link!.subscriptions.confirmed.length)
    const message = `${this.#host.adapter.name} refused ${symbolList(symbols)}: ${reason}`
    this.#fault(new IngestError('SYMBOL_REJECTED', message))
    // A socket without a single subscription is of no use to anyone.
    if (this.#rejected.size === this.#instruments.length) this.stop()
  }

  #askAgain(link: Link, nowMicros: number): void {
    const asked = link.askAgain(nowMicros)
    if (asked.length === 0) return
    this.#shard.account.set('subscribed', link.subscriptions.confirmed.length)
    this.#reportUnconfirmed(link, asked)
  }

  /** Each symbol is reported once until it has been confirmed; its connection goes on with the rest. */
  #reportUnconfirmed(link: Link | null, subscriptions: readonly number[]): void {
    if (link === null) return
    const symbols = subscriptions
      .map(index => link.plan.instruments[index]!.symbol)
      .filter(symbol => !this.#reported.has(symbol))
    if (symbols.length === 0) return
    for (const symbol of symbols) this.#reported.add(symbol)
    const seconds = defaultTimings.confirmMs / 1000
    const message = `${this.#host.adapter.name} did not confirm ${symbolList(symbols)} within ${seconds} s`
    this.#fault(new IngestError('SYMBOL_UNCONFIRMED', message))
  }

  #resumption(isForced: boolean): (SessionNotice & { readonly type: 'resumed' }) | null {
    const { epoch } = this.#host.batcher
    const isNew = this.#shard.producerEpoch !== epoch
    this.#shard.producerEpoch = epoch
    if (!isNew && !isForced) return null
    // The latest connection of the shard of which anything is settled tells how far the lost producer came.
    const lanes = this.#link === null ? this.#shard.lastLanes : [...this.#shard.lastLanes, this.#link.lane]
    const settled = lanes.findLast(lane => lane.settledMicros > 0)
    return {
      type: 'resumed',
      atMicros: settled?.settledMicros ?? 0,
      lastFrameSeq: settled?.settledFrameSeq ?? 0
    }
  }

  #moved(state: ConnectionState): void {
    if (state === this.#state) return
    const from = this.#state
    this.#state = state
    const { target, shard } = this.#shard
    this.#events.moved(state)
    this.#host.report({
      type: 'transition',
      exchange: target.exchange,
      requestType: target.request_type,
      shard,
      connectionId: this.#link?.plan.connectionId ?? null,
      from,
      to: state,
      reason: this.#reason
    })
    this.#reason = null
    if (state === 'live') this.#prove()
  }

  #fault(error: IngestError, link: Link | null = this.#link): void {
    this.#host.faults.fault(
      this.#shard.target.exchange,
      error,
      this.#shard.target,
      link?.plan.connectionId ?? null
    )
  }
}
