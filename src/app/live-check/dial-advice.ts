import { type SocketEnd } from '../../../actors/exchange/socket.ts'
import { type ExchangeAdapter } from '../../exchange-kit/adapter.ts'

const unresolved: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA'])
const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EACCES',
  'EPERM'
])
const tlsCodes = /^(?:CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|EPROTO)/

/** Why no socket opened, as one sentence with what to do about it. */
export function dialAdvice(end: SocketEnd, host: string, adapter: ExchangeAdapter): string {
  const { status } = end
  if (status !== null) return refusalAdvice(status, end, host, adapter)
  const code = networkCodeOf(end.error)
  if (code !== null && unresolved.has(code)) {
    return `name resolution of ${host} failed (${code}); check that this machine reaches the internet and its DNS server, and whether the host is still the one in ${adapter.documentation}`
  }
  if (code !== null && unreachable.has(code)) {
    return `${host} could not be reached (${code}); check the network and firewalls between here and the exchange`
  }
  if (code !== null && tlsCodes.test(code)) {
    return `TLS with ${host} failed (${code}); check this machine's clock and certificates, and whether a proxy stands between`
  }
  return `no connection to ${host} came about: ${end.reason}; try again, and if it stays so compare with ${adapter.documentation}`
}

function refusalAdvice(status: number, end: SocketEnd, host: string, adapter: ExchangeAdapter): string {
  const refused = `${host} refused the handshake with HTTP status ${status}`
  switch (status) {
    case 403:
    case 451:
      return `${refused}; the exchange does not serve this address or country: try from another network`
    case 418:
    case 429: {
      const wait = end.retryAfterMs ?? adapter.limits.penaltyMs
      return `${refused}; too many connections came from this address: wait ${Math.ceil(wait / 1000)} s and try again`
    }
    default:
      return status >= 500
        ? `${refused}; the exchange has trouble or is under maintenance: look at its notices and try again`
        : `${refused}; the endpoint may have moved: compare with ${adapter.documentation}`
  }
}

/** The code of the operating system or of TLS behind an error; null when there is none. */
function networkCodeOf(error: Error | null): string | null {
  const cause: unknown = error?.cause
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : null
}
