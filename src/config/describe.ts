import { stringify } from 'yaml'
import { targetName } from '../domain/target.ts'
import { type Config, configSchema } from './schema.ts'
import { type SchemaNode, type Setting, secretPaths, settings } from './settings.ts'

/** The configuration as a file would say it, secrets left out: what `config print` shows. */
export function printable(config: Config): Record<string, unknown> {
  const copy = structuredClone(config) as unknown as Record<string, unknown>
  copy['targets'] = config.targets.map(({ target, symbols, projection }) =>
    projection.length === 0
      ? `${targetName(target)}:${symbols.join(',')}`
      : { exchange: target.exchange, request_type: target.request_type, symbols, projection }
  )
  for (const path of secretPaths) redact(copy, path.split('.'))
  return copy
}

export function printYaml(config: Config): string {
  return stringify(printable(config), { lineWidth: 110 })
}

function redact(node: unknown, [key, ...rest]: readonly string[]): void {
  if (typeof node !== 'object' || node === null || key === undefined) return
  const section = node as Record<string, unknown>
  if (rest.length > 0) redact(section[key], rest)
  else if (section[key] !== undefined) section[key] = '(not shown)'
}

/** The schema of the file as editors want it: what has a default may be left out. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = relaxed(JSON.parse(JSON.stringify(configSchema)) as JsonNode)
  const { registry, ...others } = schema.properties ?? {}
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of coin-stream',
    ...schema,
    properties: { ...others, registry: { anyOf: [{ const: 'none' }, registry] } }
  }
}

interface JsonNode {
  readonly [keyword: string]: unknown
  readonly properties?: Readonly<Record<string, JsonNode>>
  readonly required?: readonly string[]
}

function relaxed({ required, ...node }: JsonNode): JsonNode {
  if (node.properties === undefined) return node
  const properties = Object.fromEntries(
    Object.entries(node.properties).map(([key, child]) => [key, relaxed(child)])
  )
  // The name of the pod has a default too, which is not the same everywhere.
  const left = (required ?? []).filter(
    key => node.properties?.[key]?.['default'] === undefined && key !== 'pod'
  )
  return { ...node, properties, ...(left.length === 0 ? {} : { required: left }) }
}

/** docs/configuration.md, made from the schema; a test compares the two. */
export function configurationMarkdown(): string {
  const root = configSchema as unknown as SchemaNode
  const sections = Object.entries(root.properties ?? {}).map(([key, schema]) => {
    const rows = settings.filter(({ path }) => path === key || path.startsWith(`${key}.`)).map(row)
    const intro = schema.properties === undefined ? '' : `${schema.description}\n\n`
    return `## ${key}\n\n${intro}| key | default | values | variable | what it is |\n|---|---|---|---|---|\n${rows.join('\n')}\n`
  })
  return `${preamble}\n${sections.join('\n')}`
}

const preamble = `# Configuration

This page is made from the schema by \`coin-stream config schema --markdown\`; a test keeps it so.

Every key has a default. What a YAML file says (\`--config FILE\`) overrules the default, an environment variable
overrules the file, and a flag (\`--set KEY=VALUE\`) overrules the variable. An unknown key, a value out of range or a
target that cannot be read is a fault; all faults are reported at once, each with its path, and the process ends with
exit code 2. \`coin-stream config check\` does only that, and \`coin-stream config print\` shows what is in force.

An empty variable counts as not set, except \`KAFKA_BROKERS\`: empty, it selects the embedded log whatever the file says.
Lists are separated by commas, targets by spaces or semicolons. In the file, \`registry: none\` is short for
\`registry: { url: none }\`, and a target may be an object with a projection:

\`\`\`yaml
targets:
  - upbit/trade:BTC-KRW,ETH-KRW
  - exchange: upbit
    request_type: ticker
    symbols: [BTC-KRW]
    projection: [acc_trade_price]
kafka:
  brokers: [localhost:9092]
registry: none
limits:
  creditBytes: 33554432
\`\`\`
`

function row({ path, env, schema }: Setting): string {
  const cells = [code(path), defaultOf(path, schema), valuesOf(schema), code(env), schema.description ?? '']
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultOf(path: string, { default: value }: SchemaNode): string {
  if (path === 'pod') return 'host name'
  if (value === undefined || value === null || value === '') return '–'
  return Array.isArray(value) && value.length === 0
    ? 'empty'
    : code(typeof value === 'string' ? value : JSON.stringify(value))
}

function valuesOf({ type, enum: words, minimum, maximum }: SchemaNode): string {
  if (words !== undefined) return words.map(word => code(String(word))).join(', ')
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
  if (type === 'boolean') return '`true`, `false`'
  return type === 'array' ? 'list' : 'text'
}

function code(text: string): string {
  return `\`${text}\``
}
