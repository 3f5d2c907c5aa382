/**
 * What a failed request means for its batch. `retry`: the same batch again, later. `written`: it is in the log already.
 * `renew`: again, under a new producer id. `split`: one of its records is the trouble. `reject`: none of it will ever be
 * taken.
 */
export type FaultKind = 'retry' | 'written' | 'renew' | 'split' | 'reject'

export interface SendFault {
  readonly kind: FaultKind
  readonly message: string
}

/** By number: the client does not know all of them. @see https://kafka.apache.org/protocol.html#protocol_error_codes */
const kindsByCode: ReadonlyMap<number, FaultKind> = new Map<number, FaultKind>([
  [46, 'written'],
  [45, 'renew'],
  [47, 'renew'],
  [59, 'renew'],
  [90, 'renew'],
  [10, 'split'],
  [18, 'split'],
  [32, 'split'],
  [87, 'split'],
  [17, 'reject'],
  [43, 'reject'],
  [76, 'reject']
])

const causesMax = 8

/**
 * Total: what is not known is retried, since only the broker's word can condemn a record. The client wraps errors in
 * errors; the protocol's number stands at the bottom.
 */
export function classifySendFault(error: unknown): SendFault {
  let message = String(error)
  let at: unknown = error
  for (let depth = 0; depth < causesMax && at instanceof Error; depth++) {
    message = at.message.replace(/\.$/, '')
    const { code } = at as { code?: unknown }
    if (typeof code === 'number')
      return { kind: kindsByCode.get(code) ?? 'retry', message: `${message} (${code})` }
    at = at.cause
  }
  return { kind: 'retry', message }
}
