import { existsSync, readFileSync } from 'node:fs'
import { parseSchema } from '../bus/schema-compatibility.ts'
import { SchemaRegistry } from '../bus/schema-registry.ts'
import { type Config } from '../config/schema.ts'
import { asIngestError, IngestError } from '../core/errors.ts'
import { type Logger } from '../core/logger.ts'
import {
  type AvroRecordName,
  type AvroSubject,
  avroSchemas,
  localSchemaIds,
  subjectsOf
} from '../domain/avro-subjects.ts'
import { type Target } from '../domain/target.ts'
import { inspectSubjects, refusalOf, registerSubjects, type SubjectReport } from './schema-inspection.ts'

/** Seen from `dist/src/app`; the package carries the folder. */
const schemaFolder = new URL('../../../schemas/', import.meta.url)

/**
 * Schema ids by topic for a service with these targets. With Kafka the preflight comes first; the embedded log is read by
 * our own tools only, which know the ids of `schemas/ids.json`.
 * @throws IngestError SCHEMA_INVALID or REGISTRY_UNAVAILABLE
 */
export async function schemaIdsFor(
  config: Pick<Config, 'kafka' | 'registry' | 'serialization'>,
  targets: readonly Target[],
  logger: Logger
): Promise<Readonly<Record<string, number>>> {
  const subjects = subjectsOf(targets)
  const local = localSchemaIds(subjects)
  if (config.kafka.brokers.length === 0) return local
  // Data topics in JSON have no schema, whatever the registry holds from a time when they were Avro.
  const isAvro = ({ record }: AvroSubject): boolean =>
    config.serialization.data === 'avro' || record === 'ConnectSuccess'
  const written = subjects.filter(isAvro)
  checkSchemaFiles(written.map(({ record }) => record))
  if (config.registry.url === 'none') return local
  const registry = new SchemaRegistry(config.registry)
  try {
    return { ...local, ...(await preflightSchemas(registry, written, config.registry.register, logger)) }
  } finally {
    registry.close()
  }
}

/**
 * What has to hold before the first record is written: the registry has every schema or takes it, and none breaks what
 * is there. Answers the schema ids by topic.
 * @throws IngestError SCHEMA_INVALID or REGISTRY_UNAVAILABLE
 */
export async function preflightSchemas(
  registry: SchemaRegistry,
  subjects: readonly AvroSubject[],
  mayRegister: boolean,
  logger: Logger
): Promise<Readonly<Record<string, number>>> {
  const reports = await inspectSubjects(registry, subjects)
  refuse(reports)
  const isComplete = reports.every(({ state }) => state === 'registered')
  if (!isComplete && !mayRegister) throw missing(registry.address, reports)
  const done = mayRegister ? await registerSubjects(registry, reports) : reports
  refuse(done)
  for (const { note } of done) if (note !== '') logger.warn(note)
  const ids = Object.fromEntries(done.map(({ of, id }) => [of.topic, id!]))
  logger.info({ registry: registry.address, ids }, 'the registry has every schema')
  return ids
}

/**
 * The files in `schemas/` against what the code was generated from; where there are none, as in a bundle, the code has the
 * only text.
 * @throws IngestError SCHEMA_INVALID
 */
export function checkSchemaFiles(records: readonly AvroRecordName[], folder: URL = schemaFolder): void {
  if (!existsSync(folder)) return
  for (const record of new Set(records)) {
    const { file, text } = avroSchemas[record]
    parseSchema(text)
    const what = `schemas/${file}`
    let found: unknown
    try {
      found = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    } catch (error) {
      throw new IngestError('SCHEMA_INVALID', `${what} cannot be read: ${asIngestError(error).message}.`)
    }
    if (JSON.stringify(found) === text) continue
    throw new IngestError(
      'SCHEMA_INVALID',
      `${what} is not the schema from which the code was generated: run npm run generate and build again.`
    )
  }
}

function refuse(reports: readonly SubjectReport[]): void {
  const refused = reports.filter(({ state }) => state === 'incompatible')
  if (refused.length > 0) throw new IngestError('SCHEMA_INVALID', refused.map(refusalOf).join('\n'))
}

function missing(address: string, reports: readonly SubjectReport[]): IngestError {
  const names = reports.filter(({ state }) => state === 'missing').map(({ of }) => of.subject)
  return new IngestError(
    'SCHEMA_INVALID',
    `The schema registry at ${address} does not have our schema under ${names.join(', ')}, and registry.register is off: run coin-stream schemas register with the right to do so.`
  )
}
