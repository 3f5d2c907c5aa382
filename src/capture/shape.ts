import { type Instrument } from '../domain/instrument.ts'
import { exchangeRegions, isExchangeName, isRequestType, type Target } from '../domain/target.ts'

/** JSON of a capture is what somebody may have written by hand: these look before anything relies on it. */
export type Shape = Readonly<Record<string, unknown>>

/** Null for what is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

export function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** A count, an index or a size. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Microseconds since the epoch. */
export function isMicros(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

export function isListOf<Item>(
  value: unknown,
  isItem: (item: unknown) => item is Item
): value is readonly Item[] {
  return Array.isArray(value) && value.every(isItem)
}

export function isTarget(value: unknown): value is Target {
  if (!isShape(value)) return false
  const { region, exchange, request_type } = value
  if (!isText(exchange) || !isExchangeName(exchange)) return false
  return region === exchangeRegions[exchange] && isText(request_type) && isRequestType(request_type)
}

export function isInstrument(value: unknown): value is Instrument {
  return isShape(value) && isText(value['symbol']) && isText(value['native'])
}
