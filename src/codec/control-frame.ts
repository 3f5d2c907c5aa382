import { type ExchangeAdapter, FrameClass, type Peeked } from '../exchange-kit/adapter.ts'
import { parseJson } from '../exchange-kit/json.ts'

/** Whether a frame is a heartbeat that says nothing else; it need not be JSON (a plain `pong`). */
export function isAliveFrame(
  adapter: ExchangeAdapter,
  bytes: Uint8Array,
  start: number,
  end: number
): boolean {
  const found: Peeked = { frameClass: FrameClass.unclear, symbolStart: 0, symbolEnd: 0 }
  adapter.peek(bytes, start, end, found)
  return found.frameClass === FrameClass.alive
}

/** Whether a well-formed frame that is no data is one of the venue's control frames. Slow: such frames are rare here. */
export function isControlFrame(
  adapter: ExchangeAdapter,
  bytes: Uint8Array,
  start: number,
  end: number
): boolean {
  return isAliveFrame(adapter, bytes, start, end) || adapter.control(parseJson(bytes, start, end)).length > 0
}
