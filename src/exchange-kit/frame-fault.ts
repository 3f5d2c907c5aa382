/** What a compiled table says of a frame: the number of its records, or one of these. */
export const FrameFault = { noMatch: -1, missing: -2, invalid: -3, symbol: -4, empty: -5 } as const
