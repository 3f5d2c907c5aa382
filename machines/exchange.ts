import { assign, enqueueActions, setup } from 'xstate'
import { TokenBucket } from '../src/core/token-bucket.ts'

export interface BreakerPolicy {
  /** Failures in a row that open the circuit; also how many dials may be unproven at once. */
  readonly failuresToOpen: number
  /** The circuit opens too when this share of at least `attemptsMin` attempts within the window failed. */
  readonly failureShare: number
  readonly attemptsMin: number
  readonly windowMs: number
  readonly openBaseMs: number
  readonly openCapMs: number
  /** ± share of the time the circuit is open. */
  readonly jitter: number
  /** How long a dial that neither proved itself nor failed keeps others from dialling: a quiet market sends nothing. */
  readonly patienceMs: number
}

export const defaultBreakerPolicy: BreakerPolicy = {
  failuresToOpen: 5,
  failureShare: 0.5,
  attemptsMin: 10,
  windowMs: 60_000,
  openBaseMs: 15_000,
  openCapMs: 300_000,
  jitter: 0.25,
  patienceMs: 20_000
}

/** The venue tells us to stay away: the circuit opens at once. */
const refusals: ReadonlySet<number> = new Set([403, 418, 429, 451])

export interface ExchangeMachineInput {
  readonly policy: BreakerPolicy
  /** The venue's published limit on connects; 80 % of it are used. */
  readonly connects: { readonly count: number; readonly windowMs: number }
  /** How long to stay away after a refusal that states no time. */
  readonly penaltyMs: number
  readonly random: () => number
  /** Milliseconds of any steady clock. */
  readonly nowMs: () => number
}

/** `key` names a connection towards its gate. */
export type ExchangeMachineEvent =
  | { readonly type: 'REQUEST'; readonly key: number }
  /** The connection no longer wants to dial, or ended unproven because it was asked to. */
  | { readonly type: 'WITHDRAW'; readonly key: number }
  /** Subscribed, and data has come. */
  | { readonly type: 'PROVED'; readonly key: number }
  /** The dial failed, or the session ended before data; `status` when the handshake was refused over HTTP. */
  | {
      readonly type: 'FAILED'
      readonly key: number
      readonly status: number | null
      readonly retryAfterMs: number | null
    }
  | { readonly type: 'ADMIT' }
  | { readonly type: 'PATIENCE_ENDED'; readonly key: number }

/** What the machine emits in answer to REQUEST. */
export type ExchangeMachineAnswer =
  | { readonly type: 'PERMITTED'; readonly key: number }
  /** The circuit is open; PERMITTED follows when it is this connection's turn. */
  | { readonly type: 'DENIED'; readonly key: number }

interface Attempt {
  readonly atMs: number
  readonly failed: boolean
}

interface ExchangeMachineContext extends ExchangeMachineInput {
  readonly bucket: TokenBucket
  /** Connections that want to dial, in their order. */
  readonly waiting: readonly number[]
  /** Dials of which nothing is known yet. */
  readonly unproven: readonly number[]
  /** Dials made while half-open: their fate decides. */
  readonly probes: readonly number[]
  readonly attempts: readonly Attempt[]
  readonly failuresInARow: number
  /** Openings since the circuit was last closed. */
  readonly openings: number
  readonly openMs: number
}

function without(keys: readonly number[], key: number): readonly number[] {
  return keys.filter(other => other !== key)
}

function noted(context: ExchangeMachineContext, failed: boolean): readonly Attempt[] {
  const atMs = context.nowMs()
  const recent = context.attempts.filter(attempt => attempt.atMs > atMs - context.policy.windowMs)
  return [...recent, { atMs, failed }]
}

/** Whether this failure, not yet counted, opens the circuit. */
function opensCircuit(context: ExchangeMachineContext, status: number | null): boolean {
  const { policy } = context
  if (status !== null && refusals.has(status)) return true
  if (context.failuresInARow + 1 >= policy.failuresToOpen) return true
  const attempts = noted(context, true)
  const failed = attempts.filter(attempt => attempt.failed).length
  return attempts.length >= policy.attemptsMin && failed >= attempts.length * policy.failureShare
}

function openTimeMs(
  context: ExchangeMachineContext,
  status: number | null,
  retryAfterMs: number | null
): number {
  const { policy, random } = context
  const base = Math.min(policy.openCapMs, policy.openBaseMs * 2 ** Math.min(context.openings, 30))
  const jittered = base * (1 + (random() * 2 - 1) * policy.jitter)
  if (status === null || !refusals.has(status)) return jittered
  // What the venue states is a floor: jitter only ever adds to it.
  return Math.max(jittered, (retryAfterMs ?? context.penaltyMs) * (1 + random() * policy.jitter))
}

const patienceId = (key: number): string => `patience:${key}`

/**
 * The gate of one exchange host: all its connections ask here before they dial. A bucket bounds the dials, a circuit
 * breaker stops them when they fail. While nothing is proven at most `failuresToOpen` dials are under way, so that a
 * server that accepts and closes is met by that many connects, however many connections there are.
 */
export const exchangeMachine = setup({
  types: {
    context: {} as ExchangeMachineContext,
    input: {} as ExchangeMachineInput,
    events: {} as ExchangeMachineEvent,
    emitted: {} as ExchangeMachineAnswer
  },
  actions: {
    enlist: assign(({ context, event }) =>
      event.type === 'REQUEST' ? { waiting: [...without(context.waiting, event.key), event.key] } : {}
    ),
    forget: enqueueActions(({ context, event, enqueue }) => {
      if (!('key' in event)) return
      enqueue.cancel(patienceId(event.key))
      enqueue.assign({
        waiting: without(context.waiting, event.key),
        unproven: without(context.unproven, event.key),
        probes: without(context.probes, event.key)
      })
    }),
    release: assign(({ context, event }) =>
      'key' in event ? { unproven: without(context.unproven, event.key) } : {}
    ),
    countProof: assign(({ context }) => ({ attempts: noted(context, false), failuresInARow: 0 })),
    countFailure: assign(({ context }) => ({
      attempts: noted(context, true),
      failuresInARow: context.failuresInARow + 1
    })),
    setOpenTime: assign(({ context, event }) => {
      const failure = event.type === 'FAILED' ? event : { status: null, retryAfterMs: null }
      return {
        openMs: openTimeMs(context, failure.status, failure.retryAfterMs),
        openings: context.openings + 1,
        unproven: [],
        probes: []
      }
    }),
    /** One more refusal by a dial that was under way: the same opening, but perhaps a longer one. */
    extendOpenTime: assign(({ context, event }) => {
      if (event.type !== 'FAILED') return {}
      const sameOpening = { ...context, openings: Math.max(0, context.openings - 1) }
      return { openMs: openTimeMs(sameOpening, event.status, event.retryAfterMs) }
    }),
    denyAll: enqueueActions(({ context, enqueue }) => {
      enqueue.cancel('admit')
      for (const key of context.waiting) enqueue.emit({ type: 'DENIED', key })
    }),
    denyOne: enqueueActions(({ event, enqueue }) => {
      if (event.type === 'REQUEST') enqueue.emit({ type: 'DENIED', key: event.key })
    }),
    heal: assign({ openings: 0, failuresInARow: 0, attempts: [], probes: [] }),
    /** Lets as many connections dial as the bucket and the unproven ones leave room for. */
    admit: enqueueActions(({ context, enqueue }, params: { isProbe: boolean }) => {
      const room = params.isProbe ? 1 : context.policy.failuresToOpen - context.failuresInARow
      let { waiting, unproven, probes } = context
      while (waiting.length > 0 && unproven.length < room) {
        const now = context.nowMs()
        if (!context.bucket.tryTake(1, now)) {
          enqueue.cancel('admit')
          enqueue.raise({ type: 'ADMIT' }, { id: 'admit', delay: context.bucket.msUntil(1, now) })
          break
        }
        const key = waiting[0]!
        waiting = waiting.slice(1)
        unproven = [...unproven, key]
        if (params.isProbe) probes = [...probes, key]
        enqueue.emit({ type: 'PERMITTED', key })
        enqueue.raise(
          { type: 'PATIENCE_ENDED', key },
          { id: patienceId(key), delay: context.policy.patienceMs }
        )
      }
      enqueue.assign({ waiting, unproven, probes })
    })
  },
  guards: {
    opensCircuit: ({ context, event }) => event.type === 'FAILED' && opensCircuit(context, event.status),
    isProbe: ({ context, event }) => 'key' in event && context.probes.includes(event.key),
    isRefusal: ({ event }) => event.type === 'FAILED' && event.status !== null && refusals.has(event.status)
  },
  delays: {
    open: ({ context }) => context.openMs
  }
}).createMachine({
  id: 'exchange',
  context: ({ input }) => ({
    ...input,
    bucket: new TokenBucket(input.connects),
    waiting: [],
    unproven: [],
    probes: [],
    attempts: [],
    failuresInARow: 0,
    openings: 0,
    openMs: 0
  }),
  initial: 'closed',
  states: {
    closed: {
      entry: { type: 'admit', params: { isProbe: false } },
      on: {
        REQUEST: { actions: ['enlist', { type: 'admit', params: { isProbe: false } }] },
        WITHDRAW: { actions: ['forget', { type: 'admit', params: { isProbe: false } }] },
        PROVED: { actions: ['forget', 'countProof', { type: 'admit', params: { isProbe: false } }] },
        PATIENCE_ENDED: { actions: ['release', { type: 'admit', params: { isProbe: false } }] },
        ADMIT: { actions: { type: 'admit', params: { isProbe: false } } },
        FAILED: [
          { guard: 'opensCircuit', target: 'open', actions: ['forget', 'countFailure', 'setOpenTime'] },
          { actions: ['forget', 'countFailure', { type: 'admit', params: { isProbe: false } }] }
        ]
      }
    },
    open: {
      entry: 'denyAll',
      after: { open: 'halfOpen' },
      on: {
        REQUEST: { actions: ['enlist', 'denyOne'] },
        WITHDRAW: { actions: 'forget' },
        // Dials that were under way when the circuit opened: a refusal still tells how long to stay away.
        FAILED: { guard: 'isRefusal', target: 'open', reenter: true, actions: ['forget', 'extendOpenTime'] }
      }
    },
    halfOpen: {
      entry: { type: 'admit', params: { isProbe: true } },
      on: {
        REQUEST: { actions: ['enlist', 'denyOne', { type: 'admit', params: { isProbe: true } }] },
        WITHDRAW: { actions: ['forget', { type: 'admit', params: { isProbe: true } }] },
        PATIENCE_ENDED: { actions: ['release', { type: 'admit', params: { isProbe: true } }] },
        ADMIT: { actions: { type: 'admit', params: { isProbe: true } } },
        PROVED: { guard: 'isProbe', target: 'closed', actions: ['forget', 'heal', 'countProof'] },
        FAILED: { guard: 'isProbe', target: 'open', actions: ['forget', 'countFailure', 'setOpenTime'] }
      }
    }
  }
})
