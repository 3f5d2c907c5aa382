import { test } from 'node:test'
import { requestTypes } from '../../src/domain/target.ts'
import { Random } from '../../src/simulator/random.ts'
import { simulatedExchanges, simulations } from '../../src/simulator/simulations.ts'
import { assertClean, FaultRun, isShort, passes } from '../support/fault-run.ts'

const seeds = isShort ? [1] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const runMs = isShort ? 10_000 : 60_000
/** Five symbols of each venue are collected; faults strike among the first three. */
const struckSymbols = 3

const channels = simulatedExchanges.flatMap(exchange => {
  const { markets, ledgers } = simulations[exchange]
  return requestTypes.flatMap(requestType =>
    markets.slice(0, struckSymbols).map(({ symbol }) => ({
      name: `${exchange}/${requestType}:${symbol}`,
      lossIsNoticed: ledgers[requestType].lossIsNoticed === true
    }))
  )
})
/** `lose` is only for channels where a client can notice it. */
const numbered = channels.filter(channel => channel.lossIsNoticed)

/** A few of the faults, each with the seed's own figures, over all venues. */
function faultsOf(seed: number): string {
  const random = new Random(seed, 'weirdness')
  const oneOf = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const makers: readonly (() => string)[] = [
    () => `drop:${500 + random.below(3000)}ms`,
    () => `corrupt:${oneOf(['0.0005', '0.005', '0.02'])}`,
    () => `stall:${500 + random.below(4000)}ms`,
    () => `reorder:${oneOf(['0.001', '0.01', '0.05'])}`,
    () => `flood:${oneOf(channels).name}*${500 + random.below(5000)}`,
    ...Array.from({ length: 4 }, () => () => `mute:${oneOf(channels).name}`),
    ...Array.from({ length: 2 }, () => () => `reject:${oneOf(channels).name}`),
    ...Array.from({ length: 4 }, () => () => `lose:${oneOf(numbered).name}`)
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
