import { type ErrorObject } from 'ajv'
import { didYouMean } from './nearest.ts'
import { type SchemaNode, secretPaths } from './settings.ts'

/** One thing that is wrong with a configuration: where, what, and what to do, in a sentence. */
export interface Fault {
  readonly path: string
  readonly message: string
}

/** `/targets/0/symbols` as people write it: `targets.0.symbols`. */
export function dotted(prefix: string, instancePath: string, key = ''): string {
  const parts = instancePath.split('/').slice(1).map(unescapePointer)
  return [prefix, ...parts, key].filter(part => part !== '').join('.')
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** A check that failed, in our words. `prefix` is where the checked value stands in the configuration. */
export function faultOf(prefix: string, error: ErrorObject): Fault {
  const schema = (error.parentSchema ?? {}) as SchemaNode
  const params = error.params as Record<string, unknown>
  if (error.keyword === 'additionalProperties') {
    const key = String(params['additionalProperty'])
    const known = Object.keys(schema.properties ?? {})
    const hint = didYouMean(key, known)
    const message = `is not a known key${hint === '' ? `; known here are ${known.join(', ')}.` : hint}`
    return { path: dotted(prefix, error.instancePath, key), message }
  }
  if (error.keyword === 'required') {
    const key = String(params['missingProperty'])
    const wanted = schema.properties?.[key]
    const path = dotted(prefix, error.instancePath, key)
    return { path, message: `is missing; ${wanted === undefined ? 'give it a value' : wish(wanted)}.` }
  }
  const path = dotted(prefix, error.instancePath)
  return { path, message: complaint(path, error.keyword, error.data, schema) }
}

function complaint(path: string, keyword: string, data: unknown, schema: SchemaNode): string {
  const value = shown(path, data)
  switch (keyword) {
    case 'type':
      return `${value} is not ${noun(schema)}; ${wish(schema)}.`
    case 'minimum':
    case 'maximum':
      return `${value} is outside its range; ${wish(schema)}.`
    case 'enum': {
      const allowed = (schema.enum ?? []).map(String)
      const hint = typeof data === 'string' && !secretPaths.has(path) ? didYouMean(data, allowed) : ''
      return `${value} is not one of ${allowed.join(', ')}${hint === '' ? '; choose one of them.' : hint}`
    }
    case 'minLength':
    case 'minItems':
      return `is empty; ${wish(schema)}.`
    default:
      return `${value} does not have the right form; ${wish(schema)}.`
  }
}

function noun(schema: SchemaNode): string {
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0]
  switch (type) {
    case 'integer':
      return 'a whole number'
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
      return 'a section with keys'
    case undefined:
    default:
      return 'text'
  }
}

function wish(schema: SchemaNode): string {
  if (schema.enum !== undefined) return `choose one of ${schema.enum.join(', ')}`
  if (schema.minimum !== undefined && schema.maximum !== undefined) {
    return `give a whole number from ${schema.minimum} to ${schema.maximum}`
  }
  if (schema.examples?.[0] !== undefined) return `write for example ${schema.examples[0]}`
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0]
  switch (type) {
    case 'boolean':
      return 'write true or false'
    case 'array':
      return 'write its items as [one, two]'
    case 'object':
      return 'write its keys below it, indented'
    case undefined:
    default:
      return 'write text, in quotes where it looks like a number'
  }
}

const shownMax = 60

/** A value as it was given, short, and never a secret. */
export function shown(path: string, value: unknown): string {
  if (secretPaths.has(path)) return 'the value'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}
