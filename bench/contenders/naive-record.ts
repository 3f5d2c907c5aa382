import { normalise } from './normalise.ts'

/** A record as the baselines hand it to their sink. */
export interface NaiveRecord {
  readonly topic: string
  readonly key: string
  readonly value: string
}

/** Null for a control frame. */
export function naiveRecord(text: string, receivedMicros: number, frameSeq: number): NaiveRecord | null {
  const normalised = normalise(text, receivedMicros, frameSeq)
  if (normalised === null) return null
  const { type, record } = normalised
  return {
    topic: `${type}-data.${record.region}`,
    key: `${record.region}|${record.exchange}|${type}|${record.symbol}`,
    value: JSON.stringify(record)
  }
}
