import { type Instrument } from '../domain/instrument.ts'
import {
  type ControlEvent,
  FrameClass,
  type Peeked,
  type SubscriptionChange,
  type SubscriptionRequest
} from './adapter.ts'
import { listOf, membersOf, textOf } from './json-members.ts'
import { type JsonValue } from './json-value.ts'
import { ascii, behind, noteSymbol, startsWith } from './peek.ts'

/**
 * What venues share whose requests begin with a ticket: a request replaces the whole subscription of its socket and is not
 * acknowledged, frames begin with their type (under a long or a short name), and markets are named quote first.
 */
const typeKey = ascii('{"type":"')
const shortTypeKey = ascii('{"ty":"')
const codeKey = ascii('"code":"')
const shortCodeKey = ascii('"cd":"')
const statusKey = ascii('{"status"')
const errorKey = ascii('{"error"')
const quote = 0x22
/** The symbol is the second field of every data frame; further in we do not look. */
const peekBytes = 96

/** `KRW-BTC` is quote first; the canonical form is base first, so the same step leads both ways. */
export function swapped(name: string): string | null {
  const dash = name.indexOf('-')
  if (dash <= 0 || dash === name.length - 1) return null
  return `${name.slice(dash + 1)}-${name.slice(0, dash)}`
}

/** An empty subscription is an error; closing the socket is the way. */
export function ticketRequests(change: SubscriptionChange): readonly SubscriptionRequest[] {
  if (change.desired.length === 0) return []
  const frame = JSON.stringify([
    { ticket: `coin-stream-${change.nextId()}` },
    { type: change.requestType, codes: change.desired },
    { format: 'DEFAULT' }
  ])
  return [{ frame, id: null, natives: change.added }]
}

export function peekTyped(bytes: Uint8Array, start: number, end: number, found: Peeked): void {
  found.symbolStart = 0
  found.symbolEnd = 0
  const isLong = startsWith(bytes, start, end, typeKey)
  if (isLong || startsWith(bytes, start, end, shortTypeKey)) {
    found.frameClass = FrameClass.data
    const near = Math.min(end, start + peekBytes)
    noteSymbol(found, bytes, behind(bytes, start, near, isLong ? codeKey : shortCodeKey), near, quote)
    return
  }
  const isControl = startsWith(bytes, start, end, statusKey) || startsWith(bytes, start, end, errorKey)
  found.frameClass = isControl ? FrameClass.control : FrameClass.unclear
}

export function typedControl(message: JsonValue): readonly ControlEvent[] {
  const fields = membersOf(message)
  if (fields === null) return []
  const error = membersOf(fields['error'])
  // The text is Korean prose; the name is what one can rely on. It names no request, and the server closes after it.
  if (error !== null)
    return [
      { type: 'error', message: `${textOf(error['name']) ?? 'ERROR'}: ${textOf(error['message']) ?? ''}` }
    ]
  return typeof fields['status'] === 'string' ? [{ type: 'alive' }] : []
}

export function marketListing(body: JsonValue): readonly Instrument[] {
  const instruments: Instrument[] = []
  for (const entry of listOf(body)) {
    const market = textOf(membersOf(entry)?.['market'])
    const canonical = market === null ? null : swapped(market)
    if (market !== null && canonical !== null) instruments.push({ symbol: canonical, native: market })
  }
  return instruments
}
