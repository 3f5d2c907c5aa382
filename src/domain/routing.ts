import { type Region, type RequestType, regions, requestTypes, type Target, targetKey } from './target.ts'

const dataPartitions = { korea: 6, asia: 12, na: 6, eu: 6 } as const satisfies Record<Region, number>

/** Control-plane topics this service writes, with their default partition counts. */
export const controlTopics = {
  'ws.gap.events': 3,
  'ws.error': 3,
  'ws.dlq': 3,
  'ws.backpressure.events': 1,
  'monitoring.batch.performance': 1
} as const

/** `ticker-data.korea`, `trade-data.asia`, … */
export function dataTopic(target: Target): string {
  return `${target.request_type}-data.${target.region}`
}

export function connectSuccessTopic(region: Region): string {
  return `ws.connect_success.${region}`
}

/** `region|exchange|request_type|symbol`: every record of one symbol goes to one partition, in order. */
export function recordKey(target: Target, symbol: string): string {
  return `${targetKey(target)}|${symbol}`
}

/** Default number of partitions of any topic of the service. */
export function defaultPartitions(topic: string): number {
  const match = /^(?:ticker|trade|orderbook)-data\.(korea|asia|na|eu)$/.exec(topic)
  if (match !== null) return dataPartitions[match[1] as Region]
  return (controlTopics as Record<string, number>)[topic] ?? 1
}

/** All data topics of a region, for readers that take a whole region. */
export function dataTopicsOf(region: Region, types: readonly RequestType[]): string[] {
  return types.map(type => `${type}-data.${region}`)
}

/** Every topic that this service may write, in the order in which people are shown them. */
export const serviceTopics: readonly string[] = [
  ...regions.flatMap(region => dataTopicsOf(region, requestTypes)),
  ...regions.map(connectSuccessTopic),
  ...Object.keys(controlTopics)
]

/**
 * Murmur2 as Java's client computes it, so that every Kafka client agrees on the partition of a key.
 * @see https://github.com/apache/kafka/blob/trunk/clients/src/main/java/org/apache/kafka/common/utils/Utils.java
 */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995
  const length = bytes.length
  let h = 0x9747b28c ^ length
  const words = length >> 2
  for (let i = 0; i < words; i++) {
    const at = i << 2
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const tail = words << 2
  const left = length & 3
  if (left >= 3) h ^= bytes[tail + 2]! << 16
  if (left >= 2) h ^= bytes[tail + 1]! << 8
  if (left >= 1) h = Math.imul(h ^ bytes[tail]!, m)
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}
