import { type ActorRefFrom, createActor } from 'xstate'
import { defaultBreakerPolicy, exchangeMachine } from '../../machines/exchange.ts'
import { type Clock } from '../../src/core/clock.ts'
import { type Limits } from '../../src/exchange-kit/adapter.ts'

export type CircuitState = 'closed' | 'open' | 'halfOpen'

/** Who asks to dial. */
export interface GateClient {
  readonly key: number
  permitted(): void
  denied(): void
}

/** The exchange machine with its connections around it: connect budget and circuit breaker of one host. */
export class Gate {
  readonly #clients = new Map<number, GateClient>()
  readonly #actor: ActorRefFrom<typeof exchangeMachine>
  #state: CircuitState = 'closed'

  constructor(options: {
    clock: Clock
    random: () => number
    limits: Limits
    onCircuit: (state: CircuitState, openMs: number) => void
  }) {
    const { clock, limits } = options
    this.#actor = createActor(exchangeMachine, {
      clock: {
        setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
        clearTimeout: timer => clock.clearTimeout(timer)
      },
      input: {
        policy: defaultBreakerPolicy,
        connects: limits.connects,
        penaltyMs: limits.penaltyMs,
        random: options.random,
        nowMs: () => clock.nowMicros() / 1000
      }
    })
    this.#actor.on('PERMITTED', ({ key }) => this.#clients.get(key)?.permitted())
    this.#actor.on('DENIED', ({ key }) => this.#clients.get(key)?.denied())
    this.#actor.subscribe(snapshot => {
      const state = snapshot.value
      if (state === this.#state) return
      this.#state = state
      options.onCircuit(state, snapshot.context.openMs)
    })
    this.#actor.start()
  }

  /** Answered by `permitted`, now or later; by `denied` meanwhile when the circuit is open. */
  request(client: GateClient): void {
    this.#clients.set(client.key, client)
    this.#actor.send({ type: 'REQUEST', key: client.key })
  }

  withdraw(client: GateClient): void {
    this.#clients.delete(client.key)
    this.#actor.send({ type: 'WITHDRAW', key: client.key })
  }

  proved(client: GateClient): void {
    this.#actor.send({ type: 'PROVED', key: client.key })
  }

  failed(client: GateClient, status: number | null, retryAfterMs: number | null): void {
    this.#actor.send({ type: 'FAILED', key: client.key, status, retryAfterMs })
  }

  stop(): void {
    this.#actor.stop()
  }
}
