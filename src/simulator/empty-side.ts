import { type Random } from './random.ts'

const onceInTickers = 100

/** Now and then nobody buys, or nobody sells: a ticker then lacks that side. Null: both sides have orders. */
export function emptySide(random: Random): 'bid' | 'ask' | null {
  const draw = random.below(2 * onceInTickers)
  return draw === 0 ? 'bid' : draw === 1 ? 'ask' : null
}
