import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { readPemFile } from './pem-file.ts'

/** How a schema registry is reached. */
export interface RegistryAccess {
  /** http:// or https://, without user and password; a path is kept in front of the registry's own. */
  readonly url: string
  /** Basic authentication; null for none. */
  readonly username: string | null
  readonly password: string | null
  /** Bearer token, which goes before user and password; null for none. */
  readonly token: string | null
  /** PEM file of the authorities to trust instead of the system's; null for the system's. */
  readonly caFile: string | null
  /** How long one request may take, from dialling to the last byte of the answer. */
  readonly timeoutMs: number
}

/** What became of one request: an answer of whatever status, or the reason why there is none. */
export type Exchange =
  | {
      readonly kind: 'answer'
      readonly status: number
      /** What the server asks us to wait; null when it does not. */
      readonly retryAfterMs: number | null
      readonly text: string
    }
  | {
      readonly kind: 'failed'
      /** The end of a sentence that begins with the registry: `does not answer: …`. */
      readonly reason: string
      /** Whether the same request may succeed a little later. */
      readonly mayPass: boolean
    }

/** A schema has some kilobytes; what is larger is no answer of a registry. */
const bodyBytesMax = 1024 * 1024
const socketsMax = 4
const quotedMax = 300
const mediaType = 'application/vnd.schemaregistry.v1+json'

/** Faults of a certificate or of the TLS handshake stay until somebody mends them. */
const tlsFault = /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|EPROTO)/

/** HTTP requests to one registry, each tried once. Redirects are refused: they would carry our credentials elsewhere. */
export class RegistryHttp {
  /** Origin and path, as messages show it. */
  readonly address: string
  readonly #agent: HttpAgent | HttpsAgent
  readonly #request: typeof requestHttp
  readonly #headers: Readonly<Record<string, string>>
  readonly #secrets: readonly string[]
  readonly #timeoutMs: number

  /** @throws IngestError FILE_UNREADABLE when the file of authorities cannot be read */
  constructor(access: RegistryAccess) {
    const { origin, pathname, protocol } = new URL(access.url)
    this.address = origin + pathname.replace(/\/+$/, '')
    this.#timeoutMs = access.timeoutMs
    const pool = { keepAlive: true, maxSockets: socketsMax }
    if (protocol === 'https:') {
      this.#agent = new HttpsAgent({
        ...pool,
        ...(access.caFile === null ? {} : { ca: readPemFile(access.caFile, 'registry.caFile') })
      })
      this.#request = requestHttps
    } else {
      this.#agent = new HttpAgent(pool)
      this.#request = requestHttp
    }
    const { authorization, secrets } = credentialsOf(access)
    this.#secrets = secrets
    this.#headers = {
      accept: `${mediaType}, application/json`,
      'accept-encoding': 'identity',
      ...(authorization === null ? {} : { authorization })
    }
  }

  /**
   * @param path what follows the registry's address, with its slash, already encoded
   * @param timeoutMs at most the configured one
   */
  exchange(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body: string | null,
    timeoutMs: number
  ): Promise<Exchange> {
    return new Promise(resolve => {
      const limitMs = Math.max(1, Math.ceil(Math.min(timeoutMs, this.#timeoutMs)))
      const end = (exchange: Exchange): void => {
        clearTimeout(timer)
        resolve(exchange)
      }
      const fail = (reason: string, mayPass: boolean): void =>
        end({ kind: 'failed', reason: this.quote(reason), mayPass })
      const timer = setTimeout(() => {
        fail(`did not answer within ${limitMs} ms`, true)
        asked?.destroy()
      }, limitMs)
      const asked = this.#dial(method, path, body, fail)
      asked?.on('response', response => this.#read(response, end, fail))
      asked?.on('error', (error: NodeJS.ErrnoException) => {
        const { code = '', message } = error
        const isTls = tlsFault.test(code)
        fail(`${isTls ? 'cannot be trusted' : 'does not answer'}: ${message || code}`, !isTls)
      })
      asked?.end(body ?? undefined)
    })
  }

  /** A text of the other side as it may stand in a message: one line, not long, and without our credentials. */
  quote(text: string): string {
    let clean = text
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, '…')
    // Control characters of a stranger's text would let it write lines of its own into our logs.
    clean = clean.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim()
    return clean.length <= quotedMax ? clean : `${clean.slice(0, quotedMax)}…`
  }

  close(): void {
    this.#agent.destroy()
  }

  #dial(
    method: string,
    path: string,
    body: string | null,
    fail: (reason: string, mayPass: boolean) => void
  ): ReturnType<typeof requestHttp> | null {
    const about =
      body === null ? {} : { 'content-type': mediaType, 'content-length': Buffer.byteLength(body) }
    try {
      return this.#request(this.address + path, {
        method,
        agent: this.#agent,
        headers: { ...this.#headers, ...about }
      })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const isHeader = code === 'ERR_INVALID_CHAR'
      fail(
        `cannot be asked: ${isHeader ? 'the user, password or token holds characters that no HTTP header can carry' : message}`,
        false
      )
      return null
    }
  }

  #read(
    response: IncomingMessage,
    end: (exchange: Exchange) => void,
    fail: (reason: string, mayPass: boolean) => void
  ): void {
    const { statusCode: status = 0, headers } = response
    // What is given up is not read to its end, so that a stream without one holds nothing up.
    const giveUp = (reason: string, mayPass: boolean): void => {
      fail(reason, mayPass)
      response.destroy()
    }
    if (status >= 300 && status < 400) {
      const where = headers.location === undefined ? 'elsewhere' : `to ${withoutQuery(headers.location)}`
      giveUp(`redirects ${where}, which is not followed; configure the address it should be asked at`, false)
      return
    }
    const encoding = headers['content-encoding'] ?? 'identity'
    if (encoding !== 'identity') {
      giveUp(`answers in the encoding ${encoding}, which was not asked for`, false)
      return
    }
    const parts: Buffer[] = []
    let bytes = 0
    response.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes > bodyBytesMax) giveUp(`answers with more than ${bodyBytesMax} bytes`, false)
      else parts.push(part)
    })
    response.on('error', error => fail(`broke off its answer: ${error.message}`, true))
    response.on('end', () => {
      const text = Buffer.concat(parts).toString('utf8')
      end({ kind: 'answer', status, retryAfterMs: retryAfterMs(headers['retry-after']), text })
    })
  }
}

/** The header, and every form in which its secret could come back to us in a text of the other side. */
function credentialsOf({ username, password, token }: RegistryAccess): {
  authorization: string | null
  secrets: string[]
} {
  if (token !== null) return { authorization: `Bearer ${token}`, secrets: formsOf(token) }
  if (username === null) return { authorization: null, secrets: [] }
  const basic = Buffer.from(`${username}:${password ?? ''}`).toString('base64')
  return {
    authorization: `Basic ${basic}`,
    secrets: [basic, ...(password === null ? [] : formsOf(password))]
  }
}

function formsOf(secret: string): string[] {
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]
}

function withoutQuery(location: string): string {
  return location.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//')
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after — seconds, or a date */
function retryAfterMs(header: string | undefined): number | null {
  if (header === undefined) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now())
}
