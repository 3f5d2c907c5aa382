/** Where in the streams a record stood. */
export interface Place {
  connectionId: string
  receivedMicros: number
  frameSeq: number
}
