import { asIngestError, IngestError } from '../core/errors.ts'
import { type ProbeResult, probeBroker } from './broker-probe.ts'
import { type KafkaAccess, tlsOf } from './kafka-client.ts'

const causesMax = 8
const probeWithinMs = 3_000

/** The parts of kafkajs's errors that say something; which of them there are depends on the error. */
interface ClientError {
  readonly name?: unknown
  readonly type?: unknown
  readonly broker?: unknown
  readonly host?: unknown
  readonly port?: unknown
}

/**
 * Why a cluster could not be used, as a clause that names the address or the user and says what to do; it ends without a
 * full stop. Where the client's error says too little the address is looked at, which takes up to some seconds.
 */
export async function explainKafkaFault(error: unknown, access: KafkaAccess): Promise<string> {
  const chain = causesOf(error)
  const own = chain.find(each => each instanceof IngestError)
  if (own !== undefined) return clause(own)
  const login = loginClause(chain, access)
  if (login !== null) return login
  // A broker that answered with an error code is there; the code is the reason.
  const refusal = chain.find(each => typeof (each as ClientError).type === 'string')
  if (refusal !== undefined) return clause(refusal)
  const failed = chain.map(addressOf).find(address => address !== null)
  const first = chain.at(-1)
  const found = await addressClause(failed ?? null, access)
  if (found !== null) return found
  const isClosed = chain.some(({ name }) => name === 'KafkaJSConnectionClosedError')
  if (isClosed && access.sasl === null) {
    return `${access.brokers.join(', ')} speaks Kafka and closes the connection of who does not log in; set kafka.sasl`
  }
  return clause(first ?? error)
}

/** The wrapped errors, the outermost first; kafkajs wraps what it retried. */
export function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = []
  for (let at = error; at instanceof Error && chain.length < causesMax; at = at.cause) chain.push(at)
  return chain
}

function loginClause(chain: readonly Error[], { sasl }: KafkaAccess): string | null {
  const named = (type: string) => chain.find(each => (each as ClientError).type === type)
  const mechanism = sasl?.mechanism.toUpperCase() ?? ''
  if (named('UNSUPPORTED_SASL_MECHANISM') !== undefined) {
    return `the brokers do not offer SASL ${mechanism}; choose another kafka.sasl.mechanism`
  }
  if (named('ILLEGAL_SASL_STATE') !== undefined) {
    return 'the brokers want no login on this port; leave kafka.sasl out, or take the port for SASL'
  }
  const refused = chain.find(({ name }) => name === 'KafkaJSSASLAuthenticationError')
  if (refused === undefined) return null
  return `the brokers refuse the login of user ${sasl?.username ?? '?'} by SASL ${mechanism} (${clause(refused)}); check kafka.sasl`
}

/** Looks at the address that failed, else at all that are configured; null when there is nothing to say of them. */
async function addressClause(failed: string | null, access: KafkaAccess): Promise<string | null> {
  const { brokers } = access
  if (failed !== null && !brokers.includes(failed)) {
    const found = await probe(failed, access)
    if (found.isKafka) return null
    return `the cluster answers, but gives out the address ${failed} (advertised.listeners of its brokers), which cannot be used from here: ${found.clause}`
  }
  const found = await Promise.all(brokers.map(broker => probe(broker, access)))
  const clauses = found.flatMap(each => (each.isKafka ? [] : [each.clause]))
  return clauses.length === 0 ? null : [...new Set(clauses)].join('; ')
}

function probe(address: string, access: KafkaAccess): Promise<ProbeResult> {
  return probeBroker(address, tlsOf(access), probeWithinMs)
}

function addressOf(error: ClientError): string | null {
  if (typeof error.broker === 'string' && error.broker.includes(':')) return error.broker
  if (typeof error.host !== 'string' || typeof error.port !== 'number') return null
  return `${error.host}:${error.port}`
}

function clause(error: unknown): string {
  return asIngestError(error).message.trim().replace(/\.$/, '')
}
