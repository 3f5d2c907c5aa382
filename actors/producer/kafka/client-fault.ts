import { protocolCodeOf } from '../../../src/bus/cluster-client.ts'
import { policyOf } from './error-policy.ts'

const certificateCodes = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/

/** Whether the cluster refuses us for who we are, or we it: only somebody who changes something can mend that. */
export function isAccessFault(error: unknown): boolean {
  const code = protocolCodeOf(error)
  if (code !== null) return policyOf(code).action === 'alert'
  let at: unknown = error
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    const { name, code: text } = at as { name: string; code?: unknown }
    if (name === 'KafkaJSSASLAuthenticationError') return true
    if (typeof text === 'string' && certificateCodes.test(text)) return true
    at = at.cause
  }
  return false
}

/** What a failed question to the cluster says, without the client's preamble and full stop. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const text = message.replace(/^Connection error: /, '').replace(/\.$/, '')
  return protocolCodeOf(error) === null ? text : `${text} (error ${protocolCodeOf(error)})`
}
