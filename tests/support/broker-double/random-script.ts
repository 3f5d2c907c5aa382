import { type CompressionName, type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { Random } from '../../../src/simulator/random.ts'
import { type DoubleOptions } from './cluster-state.ts'
import { type Action, garbleKinds, type Step } from './script.ts'

export interface RandomScript {
  readonly double: DoubleOptions
  readonly steps: readonly Step[]
  readonly tuning: Partial<ProducerTuning>
  readonly records: number
  readonly paddingBytes: number
  readonly slice: number
  readonly pauseMs: number
  /** Half-way the sink is drained with so little time; null: it is not. */
  readonly hastyDrainMs: number | null
  /** Whether the end is a drain; else the records settle as they come. */
  readonly endsByDrain: boolean
  /** Where the script lets records fail: it refuses some, or leaves the producer no way to know. */
  mayFail(place: string): boolean
}

/** Codes after which the same batch goes out again. Those of the second list may come although the batch is written. */
const retried = [2, 3, 5, 9, 19, 72, 74, 75, 89]
const retriedInDoubt = [6, 7, 13, 14, 15, 16, 20, 56, 12345]
const renewed = [45, 47, 59, 90]
const refused = [10, 17, 18, 32, 43, 76, 87]
const alerted = [29, 31, 35, 58]
const initCodes = [14, 15, 16, 51]

const topicShapes: readonly Readonly<Record<string, number>>[] = [
  { a: 1 },
  { a: 3 },
  { a: 4, b: 2 },
  { a: 12 }
]
const codecs: readonly CompressionName[] = ['none', 'lz4', 'gzip', 'snappy']

interface Draft {
  readonly action: Action
  readonly isForPartition: boolean
  readonly times?: number
  /** The producer cannot know whether a batch that met it is written. */
  readonly leavesDoubt?: boolean
  /** The broker refuses a batch, for good or so that it must be sent anew, which is final for a batch in doubt. */
  readonly mayRefuse?: 'always' | 'inDoubt'
  /** The broker loses what makes writing idempotent. */
  readonly forgets?: boolean
}

/** The script of a seed: the same seed gives the same cluster, the same records and the same faults. */
export function randomScript(seed: number): RandomScript {
  const random = new Random(seed, 'broker-script')
  const oneOf = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const between = (min: number, max: number): number => min + random.below(max - min + 1)
  const nodes = oneOf([1, 2, 3, 3])
  const topics = oneOf(topicShapes)
  const places = Object.entries(topics).flatMap(([topic, partitions]) =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
  )
  const paddingBytes = oneOf([30, 30, 200, 1500])
  const makers = makersOf(random, nodes, places, paddingBytes)
  const drafts = Array.from({ length: between(3, 8) }, () => oneOf(makers)())
  const leavesDoubt = drafts.some(draft => draft.leavesDoubt === true)
  const steps: Step[] = []
  const placesThatMayFail = new Set<string>()
  let mayAllFail = false
  for (const { action, isForPartition, times, mayRefuse, forgets } of drafts) {
    // A broker that forgets a producer and gets a batch again that it has written takes it twice: no client can help it.
    if (forgets === true && leavesDoubt) continue
    const on = isForPartition ? oneOf(places) : undefined
    steps.push({
      // Early enough to be met by the shortest run.
      from: between(1, 25),
      ...(on === undefined ? {} : { on }),
      ...(times === undefined ? {} : { times }),
      action
    })
    if (mayRefuse === undefined || (mayRefuse === 'inDoubt' && !leavesDoubt)) continue
    if (on === undefined) mayAllFail = true
    else placesThatMayFail.add(`${on.topic}/${on.partition}`)
  }
  const isExpiring = random.chance(0.1)
  const isHasty = random.chance(0.1)
  const slice = between(5, 60)
  return {
    double: { nodes, topics, steps, duplicateCode: oneOf([0, 46]) },
    steps,
    tuning: {
      lingerMaxMs: oneOf([1, 5, 20]),
      batchBytes: oneOf([512, 1024, 4096, 16_384]),
      compression: oneOf(codecs),
      bufferBytes: oneOf([256 * 1024, 8 * 1024 * 1024]),
      ...(isExpiring ? { deliveryTimeoutMs: 300 } : {})
    },
    records: between(1000, 3000),
    paddingBytes,
    slice,
    pauseMs: oneOf([1, 2, 5]),
    hastyDrainMs: isHasty ? between(0, 100) : null,
    endsByDrain: random.chance(0.5),
    mayFail: place => isExpiring || isHasty || mayAllFail || placesThatMayFail.has(place)
  }
}

function makersOf(
  random: Random,
  nodes: number,
  places: readonly { readonly topic: string; readonly partition: number }[],
  paddingBytes: number
): readonly (() => Draft)[] {
  const oneOf = <T>(list: readonly T[]): T => list[random.below(list.length)]!
  const between = (min: number, max: number): number => min + random.below(max - min + 1)
  const node = (): number => between(1, nodes)
  const fault = (action: Action, more: Partial<Draft> = {}): Draft => ({
    action,
    isForPartition: random.chance(0.7),
    ...more
  })
  const event = (action: Action, more: Partial<Draft> = {}): Draft => ({
    action,
    isForPartition: false,
    ...more
  })
  return [
    () => fault({ kind: 'answer', code: oneOf(retried) }, { times: between(1, 3) }),
    () => fault({ kind: 'answer', code: oneOf(retried) }, { times: between(1, 3) }),
    () => fault({ kind: 'answer', code: oneOf(retriedInDoubt) }, { leavesDoubt: true, times: between(1, 2) }),
    () => fault({ kind: 'answer', code: oneOf(retriedInDoubt), isWritten: true }, { leavesDoubt: true }),
    () => fault({ kind: 'answer', code: oneOf(renewed) }, { mayRefuse: 'inDoubt', times: between(1, 2) }),
    () => fault({ kind: 'answer', code: oneOf(refused) }, { mayRefuse: 'always', times: between(1, 2) }),
    () => fault({ kind: 'answer', code: oneOf(alerted) }),
    () => fault({ kind: 'omit', isWritten: random.chance(0.5) }, { leavesDoubt: true }),
    () => fault({ kind: 'drop', isWritten: true }, { leavesDoubt: true, times: between(1, 2) }),
    () => fault({ kind: 'drop', isWritten: false }, { leavesDoubt: true, times: between(1, 2) }),
    () => fault({ kind: 'tear' }, { leavesDoubt: true }),
    () => fault({ kind: 'garble', how: oneOf(garbleKinds) }, { leavesDoubt: true }),
    () => fault({ kind: 'delay', ms: between(10, 300) }),
    () => fault({ kind: 'throttle', ms: between(10, 300) }),
    () => event({ kind: 'move', ...oneOf(places) }, { leavesDoubt: true }),
    () => event({ kind: 'move', ...oneOf(places) }, { leavesDoubt: true }),
    () => event({ kind: 'freeze', node: node(), ms: between(50, 1500) }, { leavesDoubt: true }),
    () => event({ kind: 'cut', node: node() }, { leavesDoubt: true }),
    () =>
      event(
        { kind: 'down', node: node(), ms: between(50, 500), movesLeaders: random.chance(0.7) },
        { leavesDoubt: true }
      ),
    () => event({ kind: 'forget', ...oneOf(places), isStrict: true }, { forgets: true }),
    () => event({ kind: 'forget', ...oneOf(places), isStrict: false }, { forgets: true }),
    // Never below what a single record takes.
    () =>
      event(
        { kind: 'shrink', bytes: paddingBytes + between(300, 1000), ms: between(50, 300) },
        { mayRefuse: 'inDoubt' }
      ),
    () => event({ kind: 'vanish', topic: oneOf(places).topic, ms: between(50, 400) }),
    () => event({ kind: 'init', code: oneOf(initCodes), times: between(1, 3) }),
    () =>
      event({ kind: 'metadata', topic: oneOf(places).topic, code: oneOf([3, 5, 9]), times: between(1, 2) })
  ]
}
