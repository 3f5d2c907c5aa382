import { IngestError } from '../core/errors.ts'
import { Clockwork } from './clockwork.ts'
import { type WireCounters } from './connection.ts'
import { FaultLog } from './fault-log.ts'
import { type FaultPlan } from './faults.ts'
import { Ledger } from './ledger.ts'
import { checkFaultChannels, listings, type World } from './listings.ts'
import { Random } from './random.ts'
import { type SimulatedExchange, simulatedExchanges, simulations } from './simulations.ts'
import { type Timings, venueTimings } from './timings.ts'
import { type Handshake, VenueServer } from './venue-server.ts'

export interface SimulatorOptions {
  readonly seed: number
  /** Events a second over all venues, or `max`. */
  readonly rate: number | 'max'
  readonly faults: FaultPlan
  /** Default: all that there are. */
  readonly exchanges?: readonly SimulatedExchange[]
  /** How far the reader of the sink is behind, in milliseconds; `max` keeps this below a second. */
  readonly onLag?: () => number
  /** Only tests shorten the venues' timers. */
  readonly timings?: Partial<Timings>
}

export interface SimulatedVenue {
  readonly exchange: SimulatedExchange
  readonly websocket: string
  readonly rest: string
  /** Canonical symbols, the usual ones first. */
  readonly symbols: readonly string[]
}

export interface SimulatorStats {
  /** Events made since the first confirmation. */
  readonly sent: number
  readonly asked: number | 'max'
  /** Events a second: over the whole run, or over the last ten seconds with `max`. */
  readonly reached: number
  readonly framesSent: number
  readonly framesCorrupted: number
  readonly bytesSent: number
  readonly connections: number
}

export interface Simulators {
  readonly venues: readonly SimulatedVenue[]
  readonly ledger: Ledger
  readonly faultLog: FaultLog
  /** Handshakes of one venue with their times. */
  handshakes(exchange: SimulatedExchange): readonly Handshake[]
  /** Stops the markets and waits until every byte has left the servers' sockets. */
  freeze(): Promise<void>
  stats(): SimulatorStats
  close(): Promise<void>
}

/**
 * Starts the simulated exchanges on ports of their own.
 * @throws IngestError USAGE when a fault names a symbol that no simulated exchange has; SIMULATOR_FAILED.
 */
export async function startSimulators(options: SimulatorOptions): Promise<Simulators> {
  const exchanges = options.exchanges ?? simulatedExchanges
  const { seed, faults } = options
  const timings = { ...venueTimings, ...options.timings }
  const faultLog = new FaultLog()
  const ledger = new Ledger()
  const counters: WireCounters = { framesSent: 0, framesCorrupted: 0, bytesSent: 0 }
  const wire = { corruptRate: faults.corruptRate, random: new Random(seed, 'wire'), log: faultLog }
  const world: World = { seed, faults, faultLog, ledger }
  const sets = exchanges.map(exchange => ({ exchange, markets: listings(simulations[exchange], world) }))
  checkFaultChannels(faults, ledger)
  const clockwork = new Clockwork({
    rate: options.rate,
    lagMs: options.onLag ?? (() => 0),
    faults,
    ledger,
    wire,
    seed
  })
  let connectionId = 0
  const servers = sets.map(({ exchange, markets }) => {
    const venue = simulations[exchange].venue(markets, clockwork, timings)
    const closesAtOnce = faults.acceptClose.some(name => name === 'all' || name === exchange)
    const context = {
      wire,
      counters,
      closesAtOnce,
      nextConnectionId: () => ++connectionId,
      markDirty: clockwork.markDirty
    }
    return { exchange, server: new VenueServer(venue, context), markets }
  })
  try {
    for (const { server } of servers) await server.listen()
  } catch (error) {
    throw new IngestError(
      'SIMULATOR_FAILED',
      'The simulated exchanges could not listen on a loopback port.',
      {
        cause: error
      }
    )
  }
  clockwork.start(servers.map(({ server }) => server))
  return {
    venues: servers.map(({ exchange, server, markets }) => ({
      exchange,
      websocket: server.websocketUrl,
      rest: server.restUrl,
      symbols: [...markets.values()].map(({ spec }) => spec.symbol)
    })),
    ledger,
    faultLog,
    handshakes: exchange => servers.find(known => known.exchange === exchange)?.server.handshakes ?? [],
    freeze: () => clockwork.freeze(),
    stats: () => ({
      sent: ledger.sent,
      asked: options.rate,
      reached: clockwork.reached,
      ...counters,
      connections: servers.reduce((sum, { server }) => sum + server.connections.size, 0)
    }),
    close: async () => {
      clockwork.stop()
      await Promise.all(servers.map(({ server }) => server.close()))
    }
  }
}
