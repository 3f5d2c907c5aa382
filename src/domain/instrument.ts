/** One tradable pair of one exchange. `symbol` is canonical (`BTC-KRW`), `native` as the exchange writes it (`KRW-BTC`). */
export interface Instrument {
  readonly symbol: string
  readonly native: string
}
