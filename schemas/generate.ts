import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Writes `schemas/generated/*.ts` from `schemas/*.avsc`: the decoded shape as a TypeScript type, the layout from which the
 * hot-path writers are compiled, and the schema's text, so that nothing is read from disk at run time.
 * `node dist/schemas/generate.js` writes; with `--print` it prints what it would write, so that a test can compare.
 */
type AvroType =
  | string
  | readonly AvroType[]
  | {
      readonly type: string
      readonly name?: string
      readonly symbols?: readonly string[]
      readonly items?: AvroType
      readonly values?: AvroType
      readonly fields?: readonly AvroField[]
    }

interface AvroField {
  readonly name: string
  readonly type: AvroType
  readonly doc?: string
}

interface AvroRecord {
  readonly type: string
  readonly name: string
  readonly doc?: string
  readonly fields: readonly AvroField[]
}

type NamedTypes = Map<string, Exclude<AvroType, string | readonly AvroType[]>>

/** Generated text by file name. `sources` are the schemas' texts by file name. */
export function generate(sources: ReadonlyMap<string, string>): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of [...sources.keys()].sort()) {
    const schema = JSON.parse(sources.get(name) ?? '') as AvroRecord
    files.set(name.replace(/\.avsc$/, '.ts'), generateFile(name, schema))
  }
  return files
}

/** The schemas of a project, by file name. */
export function readSources(folder: URL): Map<string, string> {
  const names = readdirSync(folder).filter(name => name.endsWith('.avsc'))
  return new Map(names.map(name => [name, readFileSync(new URL(name, folder), 'utf8')]))
}

function generateFile(source: string, schema: AvroRecord): string {
  const named: NamedTypes = new Map()
  const layout = schema.fields.map(field => `    ${layoutOf(field, named)}`)
  const members = schema.fields.map(field => {
    const doc = field.doc === undefined ? '' : `  /** ${field.doc} */\n`
    return `${doc}  readonly ${field.name}: ${typeScriptOf(field.type, named)}`
  })
  const constant = schema.name.charAt(0).toLowerCase() + schema.name.slice(1)
  return [
    `// Generated from schemas/${source} by schemas/generate.ts; do not edit.`,
    '',
    ...(schema.doc === undefined ? [] : [`/** ${schema.doc} */`]),
    `export interface ${schema.name} {`,
    ...members,
    '}',
    '',
    `export const ${constant}Layout = {`,
    `  name: '${schema.name}',`,
    '  fields: [',
    layout.join(',\n'),
    '  ]',
    '} as const',
    '',
    `export const ${constant}Schema =`,
    `  ${JSON.stringify(JSON.stringify(schema))}`,
    ''
  ].join('\n')
}

/** A field as the writers need it: its name and one of the few wire kinds our schemas use. */
function layoutOf(field: AvroField, named: NamedTypes): string {
  const nullable = isNullable(field.type)
  const type = resolve(nullable ? innerOf(field.type) : field.type, named)
  const kind = kindOf(type)
  const symbols = type !== null && typeof type === 'object' ? type.symbols : undefined
  const list = symbols === undefined ? '' : `, symbols: [${symbols.map(symbol => `'${symbol}'`).join(', ')}]`
  return `{ name: '${field.name}', kind: '${kind}', nullable: ${nullable}${list} }`
}

function typeScriptOf(type: AvroType, named: NamedTypes): string {
  if (isNullable(type)) return `${typeScriptOf(innerOf(type), named)} | null`
  const resolved = resolve(type, named)
  if (typeof resolved === 'string') return resolved === 'string' ? 'string' : 'number'
  switch (resolved.type) {
    case 'enum':
      return (resolved.symbols ?? []).map(symbol => `'${symbol}'`).join(' | ')
    case 'array':
      return `readonly ${typeScriptOf(resolved.items ?? 'string', named)}[]`
    case 'map':
      return `Readonly<Record<string, ${typeScriptOf(resolved.values ?? 'string', named)}>>`
    case 'record': {
      const fields = (resolved.fields ?? []).map(
        field => `readonly ${field.name}: ${typeScriptOf(field.type, named)}`
      )
      return `{ ${fields.join('; ')} }`
    }
    default:
      return resolved.type === 'string' ? 'string' : 'number'
  }
}

function kindOf(type: Exclude<AvroType, readonly AvroType[]>): string {
  const name = typeof type === 'string' ? type : type.type
  switch (name) {
    case 'string':
    case 'long':
    case 'int':
    case 'enum':
    case 'map':
      return name
    case 'array':
      return 'levels'
    default:
      throw new TypeError(`schemas/generate.ts has no writer for the Avro type "${name}"; add one.`)
  }
}

function isNullable(type: AvroType): boolean {
  return Array.isArray(type)
}

function innerOf(type: AvroType): AvroType {
  const members = type as readonly AvroType[]
  const inner = members[1]
  if (members.length !== 2 || members[0] !== 'null' || inner === undefined) {
    throw new TypeError('schemas/generate.ts only knows unions of null (first) and one type.')
  }
  return inner
}

/** Follows a named type to its definition, and remembers definitions as they are met. */
function resolve(type: AvroType, named: NamedTypes): Exclude<AvroType, readonly AvroType[]> {
  if (typeof type === 'string') return named.get(type) ?? type
  if (Array.isArray(type)) throw new TypeError('A union inside a union is not Avro.')
  const definition = type as Exclude<AvroType, string | readonly AvroType[]>
  if (definition.name !== undefined) named.set(definition.name, definition)
  return definition
}

function main(): void {
  const folder = new URL('../../schemas/', import.meta.url)
  const files = generate(readSources(folder))
  if (process.argv.includes('--print')) {
    for (const [name, text] of files) process.stdout.write(`=== schemas/generated/${name}\n${text}`)
    return
  }
  const target = new URL('generated/', folder)
  mkdirSync(target, { recursive: true })
  for (const [name, text] of files) writeFileSync(new URL(name, target), text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main()
