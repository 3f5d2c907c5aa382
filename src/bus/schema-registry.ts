import { type BackoffPolicy, backoffMs } from '../core/backoff.ts'
import { type Clock, SystemClock } from '../core/clock.ts'
import { IngestError } from '../core/errors.ts'
import { type Exchange, type RegistryAccess, RegistryHttp } from './registry-http.ts'

/** A schema as a subject has it. */
export interface SubjectSchema {
  readonly id: number
  readonly version: number
  /** The schema's text. */
  readonly schema: string
}

/** What a registry made of a wish: done, or refused with its reason. */
export type Registered = { readonly id: number } | { readonly refused: string }

export interface Verdict {
  readonly isCompatible: boolean
  /** The registry's own words; empty when it has none. */
  readonly reasons: readonly string[]
}

export interface SchemaRegistryOptions {
  /** How long one operation may take with all its tries. */
  readonly deadlineMs: number
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
}

const defaultDeadlineMs = 15_000
const retryPolicy: BackoffPolicy = { baseMs: 200, capMs: 3_000, floorMs: 50 }
/** Of each kind; the oldest goes first. A service knows a few ids, a reader of old topics some more. */
const remembered = 1_000
const schemaIdMax = 2 ** 31 - 1

interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * A client of a registry that speaks Confluent's API, for Avro. What can never change is asked once: an id's schema, and
 * the id of a schema under a subject; the same question asked twice at a time is asked once. Passing faults (no answer,
 * 429, 5xx) are tried again until the deadline of the operation.
 * Every operation may throw IngestError REGISTRY_UNAVAILABLE; no message ever holds credentials.
 * @see https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
export class SchemaRegistry {
  readonly #http: RegistryHttp
  readonly #options: SchemaRegistryOptions
  readonly #inFlight = new Map<string, Promise<Answer>>()
  readonly #schemas = new Map<number, string>()
  readonly #found = new Map<string, SubjectSchema>()
  /** Ends each wait before another try at once. */
  readonly #waits = new Set<() => void>()
  #isClosed = false

  /** @throws IngestError FILE_UNREADABLE when `caFile` cannot be read */
  constructor(access: RegistryAccess, options: Partial<SchemaRegistryOptions> = {}) {
    this.#http = new RegistryHttp(access)
    this.#options = {
      deadlineMs: Math.max(defaultDeadlineMs, access.timeoutMs),
      clock: new SystemClock(),
      random: Math.random,
      ...options
    }
  }

  /** Where it is asked, without credentials. */
  get address(): string {
    return this.#http.address
  }

  /** Id and version under which the subject has this very schema; null when it does not have it. */
  async lookUp(subject: string, schema: string): Promise<SubjectSchema | null> {
    const key = `${subject}\n${schema}`
    const known = this.#found.get(key)
    if (known !== undefined) return known
    const path = `/subjects/${encodeURIComponent(subject)}`
    const answer = await this.#ask('POST', path, { schema })
    if (this.#isAbsent(answer, path)) return null
    const found = this.#subjectSchema(this.#expect(answer, path), path)
    remember(this.#found, key, found)
    return found
  }

  /** The newest version of a subject; null when it has none. */
  async latest(subject: string): Promise<SubjectSchema | null> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions/latest`
    const answer = await this.#ask('GET', path)
    if (this.#isAbsent(answer, path)) return null
    return this.#subjectSchema(this.#expect(answer, path), path)
  }

  /** Makes the schema a version of the subject unless it is one already, and answers its id. */
  async register(subject: string, schema: string): Promise<Registered> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`
    const answer = await this.#ask('POST', path, { schema })
    // 409: it breaks the subject's rule; 422: not a schema to this registry, or the registry takes none at present.
    if (answer.status === 409 || answer.status === 422) return { refused: this.#words(answer) }
    return { id: this.#id(this.#expect(answer, path), path) }
  }

  /** The text of the Avro schema with this id; null when there is none. */
  async schemaOf(id: number): Promise<string | null> {
    const known = this.#schemas.get(id)
    if (known !== undefined) return known
    const path = `/schemas/ids/${id}`
    const answer = await this.#ask('GET', path)
    if (this.#isAbsent(answer, path)) return null
    const body = this.#expect(answer, path)
    const { schema, schemaType = 'AVRO' } = body
    if (typeof schema !== 'string') throw this.#lie(path, 'names no schema')
    if (schemaType !== 'AVRO') return null
    remember(this.#schemas, id, schema)
    return schema
  }

  /**
   * The subject's own compatibility level; null when it has none, so that the registry's default is in force. Some
   * registries say NONE instead.
   */
  async compatibility(subject: string): Promise<string | null> {
    const path = `/config/${encodeURIComponent(subject)}`
    const answer = await this.#ask('GET', path)
    if (this.#isAbsent(answer, path)) return null
    const { compatibilityLevel } = this.#expect(answer, path)
    if (typeof compatibilityLevel !== 'string') throw this.#lie(path, 'names no compatibility level')
    return this.#http.quote(compatibilityLevel)
  }

  /** Sets the subject's own level; answers null when it is set, else why the registry would not. */
  async setCompatibility(subject: string, compatibility: string): Promise<string | null> {
    const path = `/config/${encodeURIComponent(subject)}`
    const answer = await this.#ask('PUT', path, { compatibility })
    if (answer.status >= 400) return this.#words(answer)
    this.#expect(answer, path)
    return null
  }

  /** Whether the subject would take the schema, by the level in force there; null when there is nothing to compare. */
  async check(subject: string, schema: string): Promise<Verdict | null> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/latest?verbose=true`
    const answer = await this.#ask('POST', path, { schema })
    if (this.#isAbsent(answer, path)) return null
    if (answer.status === 422) return { isCompatible: false, reasons: [this.#words(answer)] }
    const { is_compatible, messages, reason } = this.#expect(answer, path)
    if (typeof is_compatible !== 'boolean') throw this.#lie(path, 'does not say whether it is compatible')
    // Confluent gives a list, Apicurio one text.
    const words: unknown[] = Array.isArray(messages) ? messages : [reason]
    const reasons = words.filter(word => typeof word === 'string').map(word => this.#http.quote(word))
    return { isCompatible: is_compatible, reasons: is_compatible ? [] : reasons }
  }

  /** Ends the connections that are kept open; operations under way fail. Twice is harmless. */
  close(): void {
    this.#isClosed = true
    this.#http.close()
    for (const end of [...this.#waits]) end()
  }

  #ask(method: 'GET' | 'POST' | 'PUT', path: string, content?: object): Promise<Answer> {
    const body = content === undefined ? null : JSON.stringify(content)
    const key = `${method} ${path}\n${body}`
    const under = this.#inFlight.get(key)
    if (under !== undefined) return under
    const asked = this.#try(method, path, body).finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, asked)
    return asked
  }

  async #try(method: 'GET' | 'POST' | 'PUT', path: string, body: string | null): Promise<Answer> {
    const { clock, deadlineMs, random } = this.#options
    const endMicros = clock.nowMicros() + deadlineMs * 1000
    for (let failures = 0; ; failures++) {
      const leftMs = (endMicros - clock.nowMicros()) / 1000
      const exchange = await this.#http.exchange(method, path, body, leftMs)
      const trouble = this.#troubleOf(exchange)
      if (trouble === null && exchange.kind === 'answer') {
        if (exchange.status === 401) throw this.#unwelcome(exchange.status)
        return this.#read(exchange.status, exchange.text, path)
      }
      const { reason, mayPass, waitMs } = trouble!
      const delayMs = Math.max(backoffMs(retryPolicy, failures, random), waitMs)
      if (!mayPass) throw this.#unavailable(`${reason}.`)
      if (clock.nowMicros() + delayMs * 1000 >= endMicros) {
        const times = failures === 0 ? 'once' : `${failures + 1} times`
        throw this.#unavailable(`${reason}; it was asked ${times} within ${deadlineMs / 1000} s.`)
      }
      await this.#wait(delayMs)
      if (this.#isClosed) throw this.#unavailable('is not asked any more.')
    }
  }

  #wait(delayMs: number): Promise<void> {
    const { clock } = this.#options
    return new Promise(resolve => {
      const end = (): void => {
        clock.clearTimeout(timer)
        this.#waits.delete(end)
        resolve()
      }
      const timer = clock.setTimeout(end, this.#isClosed ? 0 : delayMs)
      this.#waits.add(end)
    })
  }

  /** What speaks against taking an exchange for the registry's answer. */
  #troubleOf(exchange: Exchange): { reason: string; mayPass: boolean; waitMs: number } | null {
    if (exchange.kind === 'failed') return { ...exchange, waitMs: 0 }
    const { status, retryAfterMs, text } = exchange
    if (status !== 429 && status < 500) return null
    const words = this.#words({ status, body: parsed(text) })
    const reason = status === 429 ? `is asked too often (${words})` : `is in trouble (${words})`
    const wait = retryAfterMs === null ? '' : `, and asks to wait ${retryAfterMs / 1000} s`
    return { reason: reason + wait, mayPass: true, waitMs: retryAfterMs ?? 0 }
  }

  #read(status: number, text: string, path: string): Answer {
    const body = parsed(text)
    if (body !== undefined) return { status, body }
    // An error may come as plain text, but then it is not the registry's word on what it has and has not.
    if (status >= 400 && status !== 404) return { status, body: { message: text } }
    const start = this.#http.quote(text).slice(0, 60)
    throw this.#lie(path, start === '' ? 'is empty' : `is not JSON; it begins with ${JSON.stringify(start)}`)
  }

  /** A 404 with one of the registry's own codes; any other 404 comes from something that is no registry. */
  #isAbsent({ status, body }: Answer, path: string): boolean {
    if (status !== 404) return false
    const code =
      typeof body === 'object' && body !== null ? (body as { error_code?: unknown }).error_code : null
    if (typeof code === 'number' && code >= 40_401 && code <= 40_499) return true
    throw this.#lie(path, 'is 404 without a code of the registry')
  }

  #expect(answer: Answer, path: string): Readonly<Record<string, unknown>> {
    const { status, body } = answer
    if (status === 403) throw this.#unwelcome(status)
    if (status >= 400) throw this.#lie(path, `is ${this.#words(answer)}`)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
      return body as Readonly<Record<string, unknown>>
    }
    throw this.#lie(path, 'is no JSON object')
  }

  #id({ id }: Readonly<Record<string, unknown>>, path: string): number {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= schemaIdMax) return id
    throw this.#lie(path, `names ${this.#http.quote(JSON.stringify(id) ?? 'nothing')} as the id of a schema`)
  }

  #subjectSchema(body: Readonly<Record<string, unknown>>, path: string): SubjectSchema {
    const { version, schema } = body
    if (typeof version !== 'number' || !Number.isInteger(version)) throw this.#lie(path, 'names no version')
    if (typeof schema !== 'string') throw this.#lie(path, 'names no schema')
    return { id: this.#id(body, path), version, schema }
  }

  /** What the registry says of an error. */
  #words({ status, body }: Answer): string {
    const message = typeof body === 'object' && body !== null ? (body as { message?: unknown }).message : null
    const hasWords = typeof message === 'string' && message !== ''
    return `status ${status}${hasWords ? `: ${this.#http.quote(message)}` : ''}`
  }

  #unwelcome(status: number): IngestError {
    const what = status === 401 ? 'wants other credentials than it was given' : 'does not allow it'
    return this.#unavailable(
      `${what} (status ${status}); see registry.username, registry.password and registry.token.`
    )
  }

  #lie(path: string, what: string): IngestError {
    const [shown] = path.split('?')
    return this.#unavailable(
      `cannot be understood: its answer to ${shown} ${what}. Is the address that of a registry with Confluent's API?`
    )
  }

  #unavailable(what: string): IngestError {
    return new IngestError('REGISTRY_UNAVAILABLE', `The schema registry at ${this.address} ${what}`)
  }
}

/** Undefined when the text is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.set(key, value)
  if (map.size > remembered) map.delete(map.keys().next().value!)
}
