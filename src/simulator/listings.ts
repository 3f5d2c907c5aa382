import { IngestError } from '../core/errors.ts'
import { type RequestType, requestTypes } from '../domain/target.ts'
import { type ChannelFaults } from './channel.ts'
import { ChannelSet } from './channel-set.ts'
import { type FaultLog } from './fault-log.ts'
import { type ChannelRef, type FaultPlan, muteAfterMs } from './faults.ts'
import { ChannelLedger, type Ledger } from './ledger.ts'
import { type MarketSpec } from './market-spec.ts'
import { Random } from './random.ts'
import { type ChannelParts, type Simulation } from './simulation.ts'

/** What all markets of a run share. */
export interface World {
  readonly seed: number
  readonly faults: FaultPlan
  readonly faultLog: FaultLog
  readonly ledger: Ledger
}

/** The markets of a venue by native symbol; their channels' ledgers are registered at once, empty. */
export function listings(simulation: Simulation, world: World): ReadonlyMap<string, ChannelSet> {
  return new Map(simulation.markets.map(spec => [spec.native, channelSetOf(simulation, spec, world)]))
}

/** @throws IngestError USAGE when a fault names a channel that is not simulated, or loses what nobody could miss. */
export function checkFaultChannels(faults: FaultPlan, ledger: Ledger): void {
  const { mutes, loses, rejects, floods } = faults
  for (const ref of [...mutes, ...loses, ...rejects, ...floods]) {
    const channel = ledger.get(ref.exchange, ref.requestType, ref.symbol)
    const name = `${ref.exchange}/${ref.requestType}:${ref.symbol}`
    if (channel === undefined) {
      throw new IngestError('USAGE', `A fault names ${name}, which no simulated exchange of this run has.`)
    }
    if (loses.includes(ref) && !channel.lossIsNoticed) {
      const why = 'the venue does not number its events, so nobody can notice that one is missing'
      throw new IngestError('USAGE', `An event of ${name} cannot be lost on request: ${why}.`)
    }
  }
}

function channelSetOf(simulation: Simulation, spec: MarketSpec, world: World): ChannelSet {
  const parts = Object.fromEntries(
    requestTypes.map(type => {
      const ledger = new ChannelLedger(
        spec.exchange,
        type,
        spec.symbol,
        spec.native,
        simulation.ledgers[type]
      )
      world.ledger.add(ledger)
      return [type, { ledger, faults: faultsOf(ledger, world) }]
    })
  ) as unknown as Record<RequestType, ChannelParts>
  return new ChannelSet(spec, rejectedOf(spec, world.faults), () =>
    simulation.channels(spec, world.seed, parts)
  )
}

function faultsOf(ledger: ChannelLedger, world: World): ChannelFaults {
  const { faults, faultLog, seed } = world
  const names = (refs: readonly ChannelRef[]): boolean => refs.some(ref => isOf(ref, ledger))
  return {
    muteAfterMs: names(faults.mutes) ? muteAfterMs : null,
    loseAfterMs: names(faults.loses) ? muteAfterMs : null,
    reorderRate: faults.reorderRate,
    random: new Random(seed, `faults ${ledger.exchange}/${ledger.requestType}:${ledger.symbol}`),
    log: faultLog
  }
}

function isOf(ref: ChannelRef, ledger: ChannelLedger): boolean {
  return (
    ref.exchange === ledger.exchange && ref.requestType === ledger.requestType && ref.symbol === ledger.symbol
  )
}

function rejectedOf(spec: MarketSpec, faults: FaultPlan): ReadonlySet<RequestType> {
  const refs = faults.rejects.filter(ref => ref.exchange === spec.exchange && ref.symbol === spec.symbol)
  return new Set(refs.map(ref => ref.requestType))
}
