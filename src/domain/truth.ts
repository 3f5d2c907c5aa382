/** What `--verify` found: the simulated exchanges' ledgers compared with the records read back from the sink. */
export interface Truth {
  readonly sent: number
  readonly delivered: number
  readonly superseded: number
  readonly missing: number
  readonly declared_missing: number
  readonly overdeclared: number
  readonly duplicated: number
  readonly misordered: number
  readonly altered: number
  readonly books_compared: number
  readonly books_different: number
}

export const truthFaults = [
  'missing',
  'overdeclared',
  'duplicated',
  'misordered',
  'altered',
  'books_different'
] as const satisfies readonly (keyof Truth)[]
