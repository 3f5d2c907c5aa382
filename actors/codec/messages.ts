/** One task of the codec pool. The batch is transferred; the context (JSON of a CodecContext) is shared memory. */
export interface CodecTask {
  readonly batch: ArrayBuffer
  readonly context: SharedArrayBuffer
}
