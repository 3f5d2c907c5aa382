import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { parseJson } from '../exchange-kit/json.ts'

/** Whether a frame that is no data is one of the venue's control frames. Slow: such frames are rare here. */
export function isControlFrame(
  adapter: ExchangeAdapter,
  bytes: Uint8Array,
  start: number,
  end: number
): boolean {
  return adapter.control(parseJson(bytes, start, end)).length > 0
}
