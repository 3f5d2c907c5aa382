/** Parent → flood: how fast, and the question for its CPU time. A rate is over all connections; null is flat out. */
export type FloodOrder =
  | { readonly type: 'usage' }
  | { readonly type: 'rate'; readonly eventsPerS: number | null }

/** Flood → parent. */
export type FloodReport =
  | { readonly type: 'listening'; readonly port: number }
  /** `subscribed` counts the symbols of every channel that are being sent. */
  | { readonly type: 'usage'; readonly cpuMicros: number; readonly subscribed: number }
