import { type Gap } from '../domain/gap.ts'
import { type Fault, type FaultLog } from '../simulator/fault-log.ts'
import { readConnectionId } from './connections.ts'

/** A frame may lie this long in the buffers of two sockets between the fault and the service's stamp. */
const onItsWayMs = 3000
const afterwardsMs = 500
/** The service stamps the dial, the venue the accept; under load they lie apart. */
const handshakeMs = 10_000
const earlyMs = 1000

/** Whether something happened that a gap may rightly be declared for, although nothing was lost in the end. */
export function isExcused(gap: Gap, faults: FaultLog): boolean {
  // Records of unknown fate may have arrived all the same.
  if (gap.reason === 'undelivered') return true
  return faults.unlogged > 0 || faults.all().some(fault => concerns(fault, gap))
}

function concerns(fault: Fault, gap: Gap): boolean {
  const openedMs = gap.opened_ts / 1000
  const closedMs = gap.closed_ts === null ? Number.POSITIVE_INFINITY : gap.closed_ts / 1000
  const endsMs = Number.isFinite(fault.untilMs) ? Math.max(fault.untilMs, fault.atMs) : fault.untilMs
  if (fault.atMs > closedMs + afterwardsMs || endsMs < openedMs - onItsWayMs) return false
  if (fault.exchange !== null && fault.exchange !== gap.target.exchange) return false
  return isOnChannel(fault, gap) && isOnConnection(fault, gap)
}

function isOnChannel(fault: Fault, gap: Gap): boolean {
  if (fault.channels === null) return true
  const { request_type: requestType } = gap.target
  // What cannot be read may have been of any symbol of its connection, and where nothing counts them it matters to all.
  const isOfAny = gap.symbol === null || (fault.kind === 'corrupt' && gap.reason === 'decode')
  return fault.channels.some(channel =>
    isOfAny ? channel.startsWith(`${requestType}:`) : channel === `${requestType}:${gap.symbol}`
  )
}

/** Connections that were dialled from the gap's first to its next one. */
function isOnConnection(fault: Fault, gap: Gap): boolean {
  if (fault.connectionOpenedMs === null) return true
  const fromMs = readConnectionId(gap.connection_id).dialMs
  const toMs = gap.next_connection_id === null ? fromMs : readConnectionId(gap.next_connection_id).dialMs
  // A gap that is still open may reach into connections that nobody has heard of.
  const lastMs = gap.status === 'open' ? Number.POSITIVE_INFINITY : toMs + handshakeMs
  return fault.connectionOpenedMs >= fromMs - earlyMs && fault.connectionOpenedMs <= lastMs
}
