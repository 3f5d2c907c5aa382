import { assign, setup } from 'xstate'
import { backoffMs } from '../src/core/backoff.ts'

export interface ConnectionTimings {
  /** From the dial to the open socket. */
  readonly handshakeMs: number
  /** From the open socket to the confirmation of everything; what is missing then is reported, the rest goes on. */
  readonly confirmMs: number
  /** How long a probe of a silent socket may stay unanswered. */
  readonly probeMs: number
  /** How long a closing handshake may take. */
  readonly closeMs: number
  readonly backoffBaseMs: number
  readonly backoffCapMs: number
  /** The venue's own floor between two dials after a failure. */
  readonly backoffFloorMs: number
}

export const defaultTimings: Omit<ConnectionTimings, 'backoffFloorMs'> = {
  handshakeMs: 10_000,
  confirmMs: 10_000,
  probeMs: 5_000,
  closeMs: 2_000,
  backoffBaseMs: 1_000,
  backoffCapMs: 60_000
}

export interface ConnectionInput {
  readonly timings: ConnectionTimings
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export type ConnectionEvent =
  | { readonly type: 'START' }
  | { readonly type: 'STOP' }
  /** The exchange's gate lets this connection dial now. */
  | { readonly type: 'DIAL' }
  /** The exchange's circuit is open; DIAL comes when it is this connection's turn. */
  | { readonly type: 'CIRCUIT_OPEN' }
  | { readonly type: 'SOCKET_OPENED' }
  /** Every subscription is confirmed or refused. */
  | { readonly type: 'SUBSCRIBED' }
  /** The socket has been silent beyond the venue's watchdog. */
  | { readonly type: 'SILENT' }
  /** Something came over a socket that was thought silent. */
  | { readonly type: 'ALIVE' }
  /** The socket is gone (or was never made); `dataMs` is the time between its first and its last data. */
  | { readonly type: 'SOCKET_LOST'; readonly dataMs: number }

interface ConnectionMachineContext extends ConnectionInput {
  /** Failures in a row, the `n` of the backoff. */
  readonly failures: number
  /** Data delivered since the last failure. */
  readonly steadyMs: number
  readonly delayMs: number
}

/** A session with less data than this has failed as far as the backoff goes. */
const hardlyAnyDataMs = 1_000
const failuresForgottenAfterMs = 30_000
const quickRetryAfterMs = 60_000
const quickRetryMs = 250

/**
 * The life of one connection. It sees life-cycle events only, never market data, and touches nothing itself: the
 * session provides the actions, the exchange's gate answers `requestDial` with DIAL or CIRCUIT_OPEN.
 */
export const connectionMachine = setup({
  types: {
    context: {} as ConnectionMachineContext,
    input: {} as ConnectionInput,
    events: {} as ConnectionEvent
  },
  actions: {
    requestDial: () => undefined,
    withdrawDial: () => undefined,
    dial: () => undefined,
    subscribe: () => undefined,
    reportUnconfirmed: () => undefined,
    probe: () => undefined,
    close: () => undefined,
    terminate: (_, _params: { reason: 'handshake' | 'stale' | 'stopping' }) => undefined,
    countLoss: assign(({ context, event }) => {
      if (event.type !== 'SOCKET_LOST') return {}
      const { timings, random } = context
      const hasFailed = event.dataMs < hardlyAnyDataMs
      const steadyMs = hasFailed ? 0 : context.steadyMs + event.dataMs
      let failures = hasFailed ? context.failures + 1 : context.failures
      if (steadyMs >= failuresForgottenAfterMs) failures = 0
      const policy = {
        baseMs: event.dataMs >= quickRetryAfterMs ? quickRetryMs : timings.backoffBaseMs,
        capMs: timings.backoffCapMs,
        floorMs: timings.backoffFloorMs
      }
      return { failures, steadyMs, delayMs: backoffMs(policy, Math.max(0, failures - 1), random) }
    })
  },
  delays: {
    handshake: ({ context }) => context.timings.handshakeMs,
    confirm: ({ context }) => context.timings.confirmMs,
    probe: ({ context }) => context.timings.probeMs,
    close: ({ context }) => context.timings.closeMs,
    backoff: ({ context }) => context.delayMs
  }
}).createMachine({
  id: 'connection',
  context: ({ input }) => ({ ...input, failures: 0, steadyMs: 0, delayMs: 0 }),
  initial: 'idle',
  states: {
    idle: {
      on: { START: 'connecting', STOP: 'stopped' }
    },
    connecting: {
      initial: 'queued',
      states: {
        queued: {
          entry: 'requestDial',
          on: {
            DIAL: 'dialling',
            CIRCUIT_OPEN: '#connection.open',
            STOP: { target: '#connection.stopped', actions: 'withdrawDial' }
          }
        },
        dialling: {
          entry: 'dial',
          after: { handshake: { actions: { type: 'terminate', params: { reason: 'handshake' } } } },
          on: {
            SOCKET_OPENED: '#connection.subscribing',
            SOCKET_LOST: { target: '#connection.backoff', actions: 'countLoss' },
            STOP: '#connection.stopping'
          }
        }
      }
    },
    subscribing: {
      entry: 'subscribe',
      after: { confirm: { target: 'subscribed', actions: 'reportUnconfirmed' } },
      on: {
        SUBSCRIBED: 'subscribed',
        SOCKET_LOST: { target: 'backoff', actions: 'countLoss' },
        STOP: 'stopping'
      }
    },
    subscribed: {
      initial: 'live',
      on: {
        SOCKET_LOST: { target: 'backoff', actions: 'countLoss' },
        STOP: 'stopping'
      },
      states: {
        live: { on: { SILENT: 'stale' } },
        stale: {
          entry: 'probe',
          after: { probe: { actions: { type: 'terminate', params: { reason: 'stale' } } } },
          on: { ALIVE: 'live' }
        }
      }
    },
    backoff: {
      after: { backoff: 'connecting' },
      on: { STOP: 'stopped' }
    },
    open: {
      on: {
        DIAL: 'connecting.dialling',
        STOP: { target: 'stopped', actions: 'withdrawDial' }
      }
    },
    stopping: {
      entry: 'close',
      after: { close: { actions: { type: 'terminate', params: { reason: 'stopping' } } } },
      on: { SOCKET_LOST: 'stopped' }
    },
    stopped: { type: 'final' }
  }
})
