import { test } from 'node:test'
import { Random } from '../../src/simulator/random.ts'
import { assertClean, FaultRun, isShort, passes } from '../support/fault-run.ts'

const seeds = isShort ? [1] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const runMs = isShort ? 10_000 : 30_000
/** Five of each venue are collected. */
const symbols = { upbit: ['BTC-KRW', 'ETH-KRW', 'XRP-KRW'], binance: ['BTC-USDT', 'ETH-USDT', 'XRP-USDT'] }
const requestTypes = ['ticker', 'trade', 'orderbook'] as const

/** A few of the faults, each with the seed's own figures. `lose` is only for channels whose events are numbered. */
function faultsOf(seed: number): string {
  const random = new Random(seed, 'weirdness')
  const oneOf = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const channel = (): string => {
    const exchange = oneOf(['upbit', 'binance'] as const)
    return `${exchange}/${oneOf(requestTypes)}:${oneOf(symbols[exchange])}`
  }
  const makers: readonly (() => string)[] = [
    () => `drop:${500 + random.below(3000)}ms`,
    () => `corrupt:${oneOf(['0.0005', '0.005', '0.02'])}`,
    () => `stall:${500 + random.below(4000)}ms`,
    () => `reorder:${oneOf(['0.001', '0.01', '0.05'])}`,
    () => `flood:${channel()}*${500 + random.below(5000)}`,
    () => `mute:${channel()}`,
    () => `mute:${channel()}`,
    () => `reject:${channel()}`,
    () => `lose:binance/${oneOf(['trade', 'orderbook'])}:${oneOf(symbols.binance)}`
  ]
  return makers
    .filter(() => random.chance(0.6))
    .map(make => make())
    .join(',')
}

for (const seed of seeds) {
  const faults = faultsOf(seed)
  test(`seed ${seed} is clean under ${faults}`, async () => {
    await using run = await FaultRun.start({ seed, faults, rate: 1000 })
    await passes(runMs)
    assertClean(await run.stop())
  })
}
