import { type Finding } from '../figure.ts'

/** What the project asks of its figures on a quiet machine. */
const targets: Readonly<Record<string, { readonly min: number } | { readonly max: number }>> = {
  'producer.vs_kafkajs': { min: 20 },
  'producer.vs_kafkajs.lz4': { min: 12 },
  'producer.vs_kafkajs.50k': { min: 4 },
  // At most 0.6, 0.8 and 1.25 of its CPU.
  'producer.vs_librdkafka': { min: 1.667 },
  'producer.vs_librdkafka.lz4': { min: 1.25 },
  'producer.vs_librdkafka.20k': { min: 0.8 },
  'producer.vs_librdkafka.50k': { min: 0.8 },
  'producer.records_per_s_vs_librdkafka': { min: 1 },
  'producer.records_per_s_vs_librdkafka.lz4': { min: 1 },
  'producer.p99_over_round_trip': { max: 10 },
  'codec.us_per_event_over_median': { max: 3 },
  'pipeline.vs_kafkajs_send': { min: 2.5 },
  'pipeline.vs_naive': { min: 5 },
  'pipeline.vs_naive.20k': { min: 2.5 }
}

/** Null for a figure without a target, or without a value. */
export function meetsTarget({ figure }: Finding): boolean | null {
  const target = targets[figure.name]
  if (target === undefined || figure.value === null) return null
  return 'min' in target ? figure.value >= target.min : figure.value <= target.max
}

export function targetText(finding: Finding): string {
  const target = targets[finding.figure.name]
  if (target === undefined) return ''
  const bound = 'min' in target ? `≥ ${target.min}` : `≤ ${target.max}`
  const met = meetsTarget(finding)
  return met === null ? bound : `${bound} ${met ? 'met' : 'missed'}`
}
