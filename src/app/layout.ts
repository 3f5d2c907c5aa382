import { type Config } from '../config/schema.ts'
import { IngestError } from '../core/errors.ts'
import { type ExchangeName, type TargetPlan, targetName } from '../domain/target.ts'
import { unknownProjection } from '../exchange-kit/field-table.ts'
import { adapterOf } from '../exchanges/registry.ts'

/** Where a target stands in the shared ledger and which thread carries it. */
export interface PlacedTarget {
  readonly plan: TargetPlan
  readonly targetIndex: number
  readonly firstShard: number
  readonly shards: number
}

export interface PlacedExchange {
  readonly exchange: ExchangeName
  readonly thread: number
  readonly targets: readonly PlacedTarget[]
}

export interface Layout {
  readonly exchanges: readonly PlacedExchange[]
  readonly targets: readonly PlacedTarget[]
  readonly shards: number
  readonly threads: number
  /** Raw frame bytes that each connection may have on its way; their sum is the producer's cap. */
  readonly creditBytesPerConnection: number
}

/**
 * Shards every target by its venue's limit and places the exchanges on threads: in the order of their names, so that the
 * placement is the same after a restart.
 * @throws IngestError TARGET_INVALID when a limit of the configuration or of an exchange is exceeded
 */
export function layOut(plans: readonly TargetPlan[], config: Config): Layout {
  const { targetsMax, connectionsMax, creditBytes } = config.limits
  if (plans.length > targetsMax) {
    throw new IngestError(
      'TARGET_INVALID',
      `${plans.length} targets are more than limits.targetsMax (${targetsMax}); raise it or run a second process.`
    )
  }
  for (const { target, projection } of plans) {
    const unknown = unknownProjection(adapterOf(target.exchange).frames, target.request_type, projection)
    if (unknown.length > 0) {
      throw new IngestError(
        'TARGET_INVALID',
        `${targetName(target)} has no field ${unknown.join(', ')} to project; see docs/configuration.md.`
      )
    }
  }
  let shards = 0
  const connections = new Map<ExchangeName, number>()
  const targets = plans.map((plan, targetIndex): PlacedTarget => {
    const count = connectionsOf(plan)
    const taken = connections.get(plan.target.exchange) ?? 0
    refuseBeyondVenue(plan, count, taken)
    connections.set(plan.target.exchange, taken + count)
    const placed = { plan, targetIndex, firstShard: shards, shards: count }
    shards += count
    return placed
  })
  if (shards > connectionsMax) {
    throw new IngestError(
      'TARGET_INVALID',
      `The targets need ${shards} connections, more than limits.connectionsMax (${connectionsMax}).`
    )
  }
  const names = [...new Set(plans.map(plan => plan.target.exchange))].sort()
  const threads = Math.max(1, Math.min(config.threads.connections, names.length))
  const exchanges = names.map((exchange, index) => ({
    exchange,
    thread: index % threads,
    targets: targets.filter(placed => placed.plan.target.exchange === exchange)
  }))
  const creditBytesPerConnection = Math.floor(creditBytes / Math.max(1, shards))
  return { exchanges, targets, shards, threads, creditBytesPerConnection }
}

function connectionsOf({ target, symbols }: TargetPlan): number {
  return Math.max(1, Math.ceil(symbols.length / adapterOf(target.exchange).limits.symbolsPerConnection))
}

/** An exchange may allow one address so many connections, whatever they carry. */
function refuseBeyondVenue(plan: TargetPlan, count: number, taken: number): void {
  const { exchange } = plan.target
  const { connections, symbolsPerConnection, connectionAgeMaxMs } = adapterOf(exchange).limits
  if (connections === null) return
  // A connection that is replaced before it is too old needs one beside it for a moment.
  const room = connections - (connectionAgeMaxMs === null ? 0 : 1) - taken
  if (count <= room) return
  const fit = Math.min(plan.symbols.length, Math.max(0, room) * symbolsPerConnection)
  throw new IngestError(
    'TARGET_INVALID',
    `${targetName(plan.target)} needs ${count} connections for its ${plan.symbols.length} symbols, but ${exchange} ` +
      `allows one address ${connections}, of which the targets before it take ${taken}: ${fit} of its symbols fit. ` +
      `Name fewer, or collect the rest from another address.`
  )
}
