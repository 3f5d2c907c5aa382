/**
 * What the broker's answer for a partition means for its batch.
 * - `written`: it is in the log.
 * - `refresh`: the same batch again, to whom the cluster then names as leader.
 * - `retry`: the same batch again, to the same broker.
 * - `split`: one of its records is the trouble, or all of them together are too many; a record alone is refused for good.
 * - `reject`: none of it will ever be taken.
 * - `renew`: the broker does not accept the producer's numbering; it goes on under a new producer id.
 * - `alert`: somebody must change rights or versions; tried again seldom, and said.
 */
export type Action = 'written' | 'refresh' | 'retry' | 'split' | 'reject' | 'renew' | 'alert'

export interface ErrorPolicy {
  readonly action: Action
  /** Whether the leader may have written the batch before it answered so. */
  readonly mayBeWritten: boolean
  /** What it means, as the end of a sentence that begins with the partition. */
  readonly text: string
}

function policy(action: Action, text: string, mayBeWritten = false): ErrorPolicy {
  return { action, mayBeWritten, text }
}

/**
 * By number, since kafkajs does not know all of them. A leader writes first and then waits for its followers: the codes
 * that can come from that wait leave the batch's fate open.
 *
 * @see https://kafka.apache.org/protocol.html#protocol_error_codes
 */
const policies: ReadonlyMap<number, ErrorPolicy> = new Map<number, ErrorPolicy>([
  [0, policy('written', 'is written', true)],
  [46, policy('written', 'was written by an earlier attempt', true)],
  [3, policy('refresh', 'does not exist')],
  [5, policy('refresh', 'has no leader at the moment')],
  [6, policy('refresh', 'is led by another broker', true)],
  [9, policy('refresh', 'has no replica on this broker')],
  [56, policy('refresh', 'cannot be written by its leader, whose disk has failed', true)],
  [72, policy('refresh', 'has a leader that does not listen where we connect')],
  [74, policy('refresh', 'has a newer leader')],
  [75, policy('refresh', 'has a leader that has not heard of its election yet')],
  [100, policy('refresh', 'is not known to the broker by its id')],
  [-1, policy('retry', 'met an unexpected error in the broker', true)],
  [2, policy('retry', 'received a batch that was damaged on its way')],
  [7, policy('retry', 'was not replicated in time', true)],
  [13, policy('retry', 'lost the connection between its brokers', true)],
  [19, policy('retry', 'has fewer replicas in sync than min.insync.replicas asks for')],
  [20, policy('retry', 'lost replicas while it was written', true)],
  [89, policy('retry', 'is over its quota')],
  [10, policy('split', 'takes no record as large as this (max.message.bytes)')],
  [18, policy('split', 'takes no batch as large as this (segment.bytes)')],
  [32, policy('split', 'refuses the timestamp of the record (message.timestamp settings)')],
  [87, policy('split', 'refuses the record as invalid')],
  [17, policy('reject', 'has a name that Kafka does not allow')],
  [43, policy('reject', 'has a message format too old for these records')],
  [76, policy('reject', 'does not take this compression')],
  [45, policy('renew', 'misses the batch before this one')],
  [47, policy('renew', 'has seen a newer epoch of our producer id')],
  [59, policy('renew', 'does not know our producer id any more')],
  [90, policy('renew', 'has fenced our producer id')],
  [29, policy('alert', 'may not be written by this user (topic authorization)')],
  [31, policy('alert', 'may not be written idempotently by this user (cluster authorization)')],
  [35, policy('alert', 'does not take our version of the Produce request')],
  [58, policy('alert', 'is closed to us: SASL authentication failed')]
])

/** Total: what is not known is retried, since only the broker's clear word can condemn a record. */
export function policyOf(code: number): ErrorPolicy {
  return (
    policies.get(code) ?? policy('retry', 'was answered with an error that this producer does not know', true)
  )
}

/** `<topic>/<partition> <what it means> (error <code>)` */
export function faultText(topic: string, partition: number, code: number): string {
  return `${topic}/${partition} ${policyOf(code).text} (error ${code})`
}
