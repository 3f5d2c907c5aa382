const firstBytes = 256

interface State {
  content: Uint8Array
  length: number
  exchangeMicros: number
}

/**
 * The contents of the last two tickers or whole books of a symbol. A venue repeats its newest state to a new
 * subscription, and where it sent two states in the wrong order the newest is the last but one that came.
 */
export class RecentStates {
  #last: State = noState()
  #before: State = noState()
  /** Highest event time remembered; NaN while none had one. */
  newestMicros = Number.NaN
  isEmpty = true

  /** Whether one of the two has these bytes and this event time (NaN: none; then it must be the last one). */
  has(bytes: Uint8Array, start: number, end: number, exchangeMicros: number): boolean {
    if (isSame(this.#last, bytes, start, end, exchangeMicros)) return true
    // Without event times a state that was left for another may well come back as news.
    return !Number.isNaN(exchangeMicros) && isSame(this.#before, bytes, start, end, exchangeMicros)
  }

  /** Keeps a copy; the older of the two is forgotten. */
  add(bytes: Uint8Array, start: number, end: number, exchangeMicros: number): void {
    const state = this.#before
    this.#before = this.#last
    this.#last = state
    const length = end - start
    if (length > state.content.length) state.content = new Uint8Array(length * 2)
    state.content.set(bytes.subarray(start, end))
    state.length = length
    state.exchangeMicros = exchangeMicros
    this.isEmpty = false
    if (!(exchangeMicros <= this.newestMicros)) this.newestMicros = exchangeMicros
  }
}

function noState(): State {
  return { content: new Uint8Array(firstBytes), length: 0, exchangeMicros: Number.NaN }
}

function isSame(
  state: State,
  bytes: Uint8Array,
  start: number,
  end: number,
  exchangeMicros: number
): boolean {
  if (state.length === 0 || end - start !== state.length) return false
  if (!Object.is(state.exchangeMicros, exchangeMicros)) return false
  const { content } = state
  for (let i = start, j = 0; i < end; i++, j++) if (bytes[i] !== content[j]) return false
  return true
}
