import fc from 'fast-check'
import { type Batch } from '../../actors/producer/kafka/batch.ts'
import { encodeHeaders } from '../../actors/producer/kafka/record-headers.ts'
import { type Route } from '../../actors/producer/sinks/record-sink.ts'
import { type ReadRecord } from './broker-double/record-batch.ts'

/** A record as a test describes it. */
export interface GivenRecord {
  readonly key: string
  readonly value: Uint8Array
  readonly headers: readonly (readonly [string, string | Uint8Array])[]
  readonly receivedMicros: number
  readonly owner: number
}

const encoder = new TextEncoder()

/** Routes by key, as the session's: one each, with ids from 0. */
export class TestRoutes {
  readonly #routes = new Map<string, Route>()

  to(key: string): Route {
    let route = this.#routes.get(key)
    if (route === undefined) {
      route = { id: this.#routes.size, topic: 'test', partition: 0, key, keyBytes: encoder.encode(key) }
      this.#routes.set(key, route)
    }
    return route
  }
}

/** Appends records out of one buffer, as they come from the codec; answers how many fitted. */
export function appendAll(batch: Batch, records: readonly GivenRecord[], routes = new TestRoutes()): number {
  const bytes = Buffer.concat(records.map(({ value }) => value))
  let start = 0
  for (const [row, { key, value, headers, receivedMicros, owner }] of records.entries()) {
    const end = start + value.length
    const encoded = headers.length === 0 ? undefined : encodeHeaders(headers)
    if (!batch.append(routes.to(key), bytes, start, end, receivedMicros, owner, encoded)) return row
    start = end
  }
  return records.length
}

/** What a reader must find. */
export function expectedOf({ key, value, headers, receivedMicros }: GivenRecord): ReadRecord {
  return {
    timestamp: Math.floor(receivedMicros / 1000),
    key: Buffer.from(key),
    value: Buffer.from(value),
    headers: headers.map(([name, content]) => [name, Buffer.from(content)] as const)
  }
}

const textArb = fc.oneof(
  fc.string({ maxLength: 20, unit: 'grapheme' }),
  fc.string({ minLength: 60, maxLength: 70 })
)
/** Lengths at which a varint grows, and at which the way of copying changes, are likelier than by chance. */
const valueArb = fc
  .oneof(fc.nat(40), fc.constantFrom(0, 1, 63, 64, 383, 384, 385, 8191, 8192, 20_000), fc.nat(1000))
  .chain(length => fc.uint8Array({ minLength: length, maxLength: length }))
const microsArb = fc.oneof(
  fc.integer({ min: 1_790_000_000_000_000, max: 1_790_000_000_999_999 }),
  // Clocks that jump by months.
  fc.integer({ min: 1_700_000_000_000_000, max: 1_800_000_000_000_000 })
)

export const recordsArb: fc.Arbitrary<GivenRecord[]> = fc.array(
  fc.record({
    key: textArb,
    value: valueArb,
    headers: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      fc.array(fc.tuple(textArb, fc.oneof(textArb, fc.uint8Array({ maxLength: 200 }))), { maxLength: 3 })
    ),
    receivedMicros: microsArb,
    owner: fc.nat(1_000_000)
  }),
  { minLength: 1, maxLength: 150 }
)
