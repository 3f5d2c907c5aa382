import { type Config } from '../config/schema.ts'
import { type Flag, type Parsed, usage, type VerbSpec } from './args.ts'

export const digestsFlag = {
  value: null,
  help: 'Add a SHA-256 over the records of each key to the summary; only for the log inside the process.'
} as const satisfies Flag

/** @throws IngestError USAGE when the records go to Kafka */
export function readDigests(spec: VerbSpec, args: Parsed<'digests'>, config: Config): boolean {
  if (!args.has('digests')) return false
  if (config.kafka.brokers.length > 0) {
    throw usage(spec, '--digests reads the log inside the process, and the records go to Kafka')
  }
  return true
}
