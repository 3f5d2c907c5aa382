import { configSchema } from './schema.ts'

/** The parts of JSON Schema that our schema uses, as one shape to walk. */
export interface SchemaNode {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly examples?: readonly string[]
}

/** One key of the configuration that holds a value, as people set it from the file, the environment or a flag. */
export interface Setting {
  /** `limits.creditBytes` */
  readonly path: string
  /** `COIN_STREAM_LIMITS_CREDIT_BYTES` */
  readonly env: string
  readonly schema: SchemaNode
}

/** Names that the world already knows; every other variable is `COIN_STREAM_` and the path. */
const wellKnown: Readonly<Record<string, string>> = {
  'kafka.brokers': 'KAFKA_BROKERS',
  'registry.url': 'SCHEMA_REGISTRY_URL'
}

export const secretPaths: ReadonlySet<string> = new Set([
  'kafka.sasl.password',
  'registry.password',
  'registry.token'
])

/** Every setting, in the order of the schema. */
export const settings: readonly Setting[] = leaves('', configSchema as unknown as SchemaNode)

export const settingsByPath: ReadonlyMap<string, Setting> = new Map(settings.map(each => [each.path, each]))

function leaves(path: string, schema: SchemaNode): Setting[] {
  if (schema.properties === undefined)
    return [{ path, env: wellKnown[path] ?? environmentName(path), schema }]
  return Object.entries(schema.properties).flatMap(([key, child]) =>
    leaves(path === '' ? key : `${path}.${key}`, child)
  )
}

function environmentName(path: string): string {
  const words = path.replaceAll('.', '_').replaceAll(/[A-Z]/g, letter => `_${letter}`)
  return `COIN_STREAM_${words.toUpperCase()}`
}

/**
 * The value a text of the environment or a flag stands for. A text that does not fit its type stays text, so that the
 * check of the whole configuration reports it along with everything else.
 */
export function valueOf(setting: Setting, text: string): unknown {
  const { type } = setting.schema
  // A nullable value says `null` by being left out.
  switch (typeof type === 'string' ? type : type?.[0]) {
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text
    case 'array':
      // A target has commas of its own: BTC-KRW,ETH-KRW.
      return text.split(setting.path === 'targets' ? /[\s;]+/ : /[\s,]+/).filter(item => item !== '')
    case undefined:
    default:
      return text
  }
}
