/** What a reader of a topic asks for. */
export interface TailRequest {
  readonly topic: string
  readonly from: 'earliest' | 'latest'
  /** Ends after this many records; null goes on until the reader leaves. */
  readonly count: number | null
  /** Only records whose key starts with this; empty takes all. */
  readonly filter: string
}

/** Where the records of a `tail` go, one JSON document a line, without line ends. */
export interface TailStream {
  /** Never blocks: lines that a slow reader has no room for are skipped, counted and told. */
  line(text: string): void
  /** No more lines; harmless when repeated or when the reader has gone. */
  end(): void
}

/** What the admin server asks of the service. */
export interface AdminHandlers {
  status(): object
  targets(): readonly object[]
  /** The closed list of topics that `tail` takes. */
  readonly topics: readonly string[]
  /**
   * Starts a tail; the answer stops it, and is called exactly once when the reader has gone or has its count.
   * Throws an IngestError when the topic cannot be read here.
   */
  tail(request: TailRequest, stream: TailStream): () => void
}
