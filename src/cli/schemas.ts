import { inspectSubjects, refusalOf, registerSubjects, type SubjectReport } from '../app/schema-inspection.ts'
import { checkSchemaFiles } from '../app/schema-preflight.ts'
import { SchemaRegistry } from '../bus/schema-registry.ts'
import { allSubjects } from '../domain/avro-subjects.ts'
import { type Flag, type Parsed, usage, type VerbSpec } from './args.ts'
import { type ConfigFlag, configFlags, readConfig } from './config-flags.ts'
import { ExitCode, type Io } from './io.ts'
import { type Column, tableLines } from './table.ts'
import { defineVerb, type Verb } from './verb.ts'

const flags = {
  registry: { value: 'URL', help: 'The registry to ask (registry.url, SCHEMA_REGISTRY_URL).' },
  json: { value: null, help: 'Print one JSON document instead of a table.' },
  ...configFlags
} as const satisfies Record<string, Flag>
type SchemasFlag = ConfigFlag | 'registry' | 'json'

const subjectsText =
  'The subjects are those of every topic that is written as Avro, in all regions: ticker-data, trade-data and ' +
  'orderbook-data (compatibility FORWARD: readers of the version before read what is written now), and ' +
  'ws.connect_success (BACKWARD). User, password, token and authorities come from the configuration (registry.*).'

const checkSpec = {
  verb: 'schemas check',
  operands: '',
  operandsMax: 0,
  summary: 'Compare our schemas with the registry; changes nothing.',
  description:
    'Looks up each schema under its subject and says whether it is registered, missing, or may not follow the version ' +
    'that is there, with the field and the reason. Exit code 1 when one is missing or incompatible.\n\n' +
    subjectsText,
  flags,
  examples: [
    'coin-stream schemas check --registry http://localhost:8081',
    'SCHEMA_REGISTRY_URL=https://registry.example coin-stream schemas check --json'
  ]
} as const satisfies VerbSpec

export const schemasCheck: Verb = defineVerb<SchemasFlag>(checkSpec, async (args, io) => {
  const { registry, reports } = await inspected(checkSpec, args, io)
  registry.close()
  await print(args, io, registry.address, reports)
  return reports.every(({ state }) => state === 'registered') ? ExitCode.done : ExitCode.failed
})

const registerSpec = {
  verb: 'schemas register',
  operands: '',
  operandsMax: 0,
  summary: 'Register our schemas where they are missing.',
  description:
    'Registers every schema that is missing and sets the compatibility level of subjects that have none of their own; ' +
    'another level is reported and left as it is. When one schema may not follow the version that is there, nothing ' +
    'is registered at all, and the exit code is 1.\n\n' +
    subjectsText,
  flags,
  examples: ['coin-stream schemas register --registry http://localhost:8081']
} as const satisfies VerbSpec

export const schemasRegister: Verb = defineVerb<SchemasFlag>(registerSpec, async (args, io) => {
  const { registry, reports } = await inspected(registerSpec, args, io)
  try {
    const mayRegister = reports.every(({ state }) => state !== 'incompatible')
    const done = mayRegister ? await registerSubjects(registry, reports) : reports
    await print(args, io, registry.address, done)
    if (!mayRegister) io.err('Nothing was registered.\n')
    return done.every(({ state }) => state === 'registered') ? ExitCode.done : ExitCode.failed
  } finally {
    registry.close()
  }
})

/** @throws IngestError USAGE without a registry */
async function inspected(
  spec: VerbSpec,
  args: Parsed<SchemasFlag>,
  io: Io
): Promise<{ registry: SchemaRegistry; reports: readonly SubjectReport[] }> {
  const own = [{ flag: '--registry', path: 'registry.url', text: args.text('registry') }]
  const { config } = readConfig(spec, args, io, own)
  if (config.registry.url === 'none') {
    throw usage(spec, 'There is no registry to ask; set SCHEMA_REGISTRY_URL or --registry to its URL')
  }
  const subjects = allSubjects()
  checkSchemaFiles(subjects.map(({ record }) => record))
  const registry = new SchemaRegistry(config.registry)
  try {
    return { registry, reports: await inspectSubjects(registry, subjects) }
  } catch (error) {
    registry.close()
    throw error
  }
}

async function print(
  args: Parsed<SchemasFlag>,
  io: Io,
  address: string,
  reports: readonly SubjectReport[]
): Promise<void> {
  await io.out(
    args.has('json') ? `${JSON.stringify(documentOf(address, reports))}\n` : textOf(address, reports)
  )
}

function documentOf(address: string, reports: readonly SubjectReport[]): object {
  return {
    registry: address,
    subjects: reports.map(({ of, state, id, version, level, reasons, note }) => ({
      subject: of.subject,
      topic: of.topic,
      record: of.record,
      state,
      id,
      version,
      compatibility: { wanted: of.compatibility, level },
      reasons,
      note
    }))
  }
}

function textOf(address: string, reports: readonly SubjectReport[]): string {
  const rows = reports.map(({ of, state, id, version, level }) => [
    of.subject,
    of.record,
    state,
    id === null ? '-' : String(id),
    version === null ? '-' : String(version),
    level ?? 'not set'
  ])
  const titles = ['SUBJECT', 'RECORD', 'STATE', 'ID', 'VERSION', 'LEVEL']
  const columns = titles.map(
    (title, i): Column => ({
      title,
      width: Math.max(title.length, ...rows.map(row => row[i]!.length)),
      align: title === 'ID' || title === 'VERSION' ? 'right' : 'left'
    })
  )
  const sentences = reports.flatMap(report => [
    ...(report.state === 'incompatible' ? [refusalOf(report)] : []),
    ...(report.note === '' ? [] : [report.note])
  ])
  const missing = reports.filter(({ state }) => state === 'missing').length
  if (missing > 0) {
    const what =
      missing === 1 ? 'One subject does not have its schema' : `${missing} subjects do not have their schema`
    sentences.push(`${what}; coin-stream schemas register adds what is missing, and so does a start.`)
  }
  const parts = [`Registry ${address}`, '', ...tableLines(columns, rows)]
  return `${[...parts, ...(sentences.length === 0 ? [] : ['', ...sentences])].join('\n')}\n`
}
