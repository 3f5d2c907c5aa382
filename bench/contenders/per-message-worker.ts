import { type NaiveRecord, naiveRecord } from './naive-record.ts'

export interface FrameTask {
  readonly text: string
  readonly receivedMicros: number
  readonly frameSeq: number
}

/** Piscina wants the task as the default export. */
export default function task({ text, receivedMicros, frameSeq }: FrameTask): NaiveRecord | null {
  return naiveRecord(text, receivedMicros, frameSeq)
}
