import { type ClusterClient } from '../../../src/bus/cluster-client.ts'
import { type ProducerTuning } from '../../../src/domain/producer-tuning.ts'
import { type Accumulator } from './accumulator.ts'
import { type Fates } from './fates.ts'
import { type Health } from './health.ts'
import { type Partition } from './partition.ts'
import { type ProducerIds } from './producer-ids.ts'

/** What all lanes share. */
export interface LaneContext {
  readonly client: ClusterClient
  readonly clientId: Uint8Array
  readonly tuning: ProducerTuning
  readonly requestTimeoutMs: number
  readonly accumulator: Accumulator
  readonly fates: Fates
  readonly ids: ProducerIds
  readonly health: Health
  readonly refreshLeaders: () => void
  /** A partition's batch is not on its way any more; its leader may be another broker by now. */
  readonly released: (partition: Partition) => void
  readonly isDraining: () => boolean
}
