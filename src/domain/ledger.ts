/** `received = control + transcoded + ignored + dead + shed + in_flight`; `in_flight` is counted, never computed as the rest. */
export interface FrameLedger {
  readonly received: number
  readonly control: number
  readonly transcoded: number
  readonly ignored: number
  readonly dead: number
  readonly shed: number
  readonly in_flight: number
}

/** `made = published + duplicate + superseded + failed + in_flight`. */
export interface RecordLedger {
  readonly made: number
  readonly published: number
  readonly duplicate: number
  readonly superseded: number
  readonly failed: number
  readonly in_flight: number
}

export function framesBalance(ledger: FrameLedger): boolean {
  const { control, transcoded, ignored, dead, shed, in_flight } = ledger
  return ledger.received === control + transcoded + ignored + dead + shed + in_flight
}

export function recordsBalance(ledger: RecordLedger): boolean {
  const { published, duplicate, superseded, failed, in_flight } = ledger
  return ledger.made === published + duplicate + superseded + failed + in_flight
}
