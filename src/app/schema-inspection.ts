import { describe, incompatibilities, isSameSchema } from '../bus/schema-compatibility.ts'
import { type SchemaRegistry } from '../bus/schema-registry.ts'
import { IngestError } from '../core/errors.ts'
import { type AvroSubject, avroSchemas } from '../domain/avro-subjects.ts'

export interface SubjectReport {
  readonly of: AvroSubject
  /** `missing`: the subject does not have our schema, and may take it. */
  readonly state: 'registered' | 'missing' | 'incompatible'
  /** Of our schema; null unless it is registered. */
  readonly id: number | null
  /** Of our schema, or of the newest one where ours is not registered; null when the subject has none. */
  readonly version: number | null
  /** The subject's own compatibility level; null when it has none. */
  readonly level: string | null
  /** What our schema would break, as ends of a sentence; empty unless it is incompatible. */
  readonly reasons: readonly string[]
  /** Something about the level that somebody should know, as a sentence; empty when there is nothing. */
  readonly note: string
}

/** Levels that promise at least what ours does. */
const stricter: Readonly<Record<AvroSubject['compatibility'], readonly string[]>> = {
  FORWARD: ['FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'],
  BACKWARD: ['BACKWARD', 'BACKWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE']
}

/**
 * Compares what we write with what the registry has, and changes nothing.
 * @throws IngestError REGISTRY_UNAVAILABLE, or SCHEMA_INVALID when an id does not stand for what was looked up
 */
export async function inspectSubjects(
  registry: SchemaRegistry,
  subjects: readonly AvroSubject[]
): Promise<SubjectReport[]> {
  return Promise.all(subjects.map(subject => inspect(registry, subject)))
}

/** Registers what is missing, and sets the level of subjects that have none. Only for subjects that take our schema. */
export async function registerSubjects(
  registry: SchemaRegistry,
  reports: readonly SubjectReport[]
): Promise<SubjectReport[]> {
  const done: SubjectReport[] = []
  // One after the other: a registry numbers schemas in one place, and a refusal must not come in the middle of others.
  for (const report of reports) done.push(await register(registry, report))
  return done
}

/** One sentence: the subject, the field and why. */
export function refusalOf({ of, reasons, version }: SubjectReport): string {
  const { subject, record, compatibility } = of
  const after = version === null ? '' : ` after its version ${version}`
  return `Subject ${subject} cannot take our schema of ${record}${after}, which would not be ${compatibility} compatible: ${reasons.join('; ')}.`
}

async function inspect(registry: SchemaRegistry, of: AvroSubject): Promise<SubjectReport> {
  const { subject, record, compatibility } = of
  const { text } = avroSchemas[record]
  const [found, level] = await Promise.all([registry.lookUp(subject, text), registry.compatibility(subject)])
  const common = { of, level, note: noteOn(of, level) }
  if (found !== null) {
    await confirm(registry, of, found.id)
    return { ...common, state: 'registered', id: found.id, version: found.version, reasons: [] }
  }
  const latest = await registry.latest(subject)
  if (latest === null) return { ...common, state: 'missing', id: null, version: null, reasons: [] }
  const { version } = latest
  const previous = { name: `version ${version}`, text: latest.schema }
  const reasons = incompatibilities(compatibility, text, previous).map(describe)
  const verdict = await registry.check(subject, text)
  // Its own words help only where we found nothing: they speak of paths and types of its implementation.
  if (reasons.length === 0 && verdict?.isCompatible === false) {
    const words = verdict.reasons.length === 0 ? 'no reason' : verdict.reasons.join('; ')
    reasons.push(
      `the registry refuses it by its level ${level ?? '(its default)'} and gives as the reason: ${words}`
    )
  }
  return { ...common, state: reasons.length > 0 ? 'incompatible' : 'missing', id: null, version, reasons }
}

async function register(registry: SchemaRegistry, report: SubjectReport): Promise<SubjectReport> {
  const { of, level } = report
  const { subject, record, compatibility } = of
  const { text } = avroSchemas[record]
  let { id, version } = report
  if (id === null) {
    const registered = await registry.register(subject, text)
    if ('refused' in registered) {
      const reasons = [`the registry refuses it (${registered.refused})`]
      return { ...report, state: 'incompatible', reasons }
    }
    id = registered.id
    await confirm(registry, of, id)
    version = (await registry.lookUp(subject, text))?.version ?? null
  }
  const refused = level === null ? await registry.setCompatibility(subject, compatibility) : null
  const note =
    refused === null
      ? report.note
      : `Subject ${subject} has no compatibility level of its own, and the registry does not let us set ${compatibility}: ${refused}.`
  const isSet = level === null && refused === null
  return {
    ...report,
    state: 'registered',
    id,
    version,
    level: isSet ? compatibility : level,
    note,
    reasons: []
  }
}

/** Whether the id stands for our schema: with another one under it nobody could read what we write. */
async function confirm(
  registry: SchemaRegistry,
  { subject, record }: AvroSubject,
  id: number
): Promise<void> {
  const text = await registry.schemaOf(id)
  if (text !== null && isSameSchema(text, avroSchemas[record].text)) return
  const has = text === null ? 'no Avro schema' : 'another schema'
  throw new IngestError(
    'SCHEMA_INVALID',
    `The schema registry at ${registry.address} says that ${record} has the id ${id} under ${subject}, but has ${has} with this id.`
  )
}

function noteOn({ subject, compatibility }: AvroSubject, level: string | null): string {
  if (level === null || stricter[compatibility].includes(level)) return ''
  // Apicurio says NONE of subjects without a level, so that the two cannot be told apart.
  const has = level === 'NONE' ? 'NONE (or none of its own)' : level
  return `Subject ${subject} has the compatibility level ${has} where ${compatibility} is wanted; it is left as it is.`
}
