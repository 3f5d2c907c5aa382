import { type NaiveRecord, normalise } from './normalise.ts'

/** Piscina wants the task as the default export. */
export default function task(message: { text: string; receivedMicros: number }): NaiveRecord | null {
  return normalise(message.text, message.receivedMicros)
}
