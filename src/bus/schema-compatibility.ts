import avsc from 'avsc'
import { asIngestError, IngestError } from '../core/errors.ts'
import { type Compatibility } from '../domain/avro-subjects.ts'

/** One thing that keeps a reader from reading what a writer wrote. */
export interface Incompatibility {
  /** Where in the record: `price`, `bids[].price`; empty for the record itself. */
  readonly field: string
  /** The rest of the sentence. */
  readonly why: string
}

/** A schema and what it is called in sentences. */
interface Side {
  readonly name: string
  readonly type: avsc.Type
}

/**
 * Reads an Avro schema; logical types count as what they are made of.
 * @throws IngestError SCHEMA_INVALID
 */
export function parseSchema(text: string): avsc.Type {
  try {
    return avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)
  } catch (error) {
    const { message } = asIngestError(error)
    throw new IngestError('SCHEMA_INVALID', `The schema cannot be read: ${message.slice(0, 300)}.`)
  }
}

/** Whether two schemas describe the same bytes: names and types, but not docs, defaults and logical types. */
export function isSameSchema(left: string, right: string): boolean {
  return left === right || parseSchema(left).fingerprint().equals(parseSchema(right).fingerprint())
}

/**
 * What a change of schema breaks, by Avro's rules of schema resolution; empty when it is compatible.
 * @param previous name in sentences and text of the version before
 * @see https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
 * @throws IngestError SCHEMA_INVALID when one of them is no schema
 */
export function incompatibilities(
  compatibility: Compatibility,
  next: string,
  previous: { readonly name: string; readonly text: string }
): Incompatibility[] {
  const fresh: Side = { name: 'the new schema', type: parseSchema(next) }
  const old: Side = { name: previous.name, type: parseSchema(previous.text) }
  const [reader, writer] = compatibility === 'BACKWARD' ? [fresh, old] : [old, fresh]
  const found = new Comparison(reader.name, writer.name).compare(reader.type, writer.type, '')
  if (found.length > 0) return found
  try {
    // Whatever the comparison does not know, the decoder that would have to do it does.
    reader.type.createResolver(writer.type)
    return []
  } catch (error) {
    const { message } = asIngestError(error)
    return [{ field: '', why: `${reader.name} cannot read ${writer.name}: ${message.slice(0, 300)}` }]
  }
}

export function describe({ field, why }: Incompatibility): string {
  return field === '' ? why : `field ${field}: ${why}`
}

/** Numbers and texts that a reader takes although they were written as another type. */
const promotions: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  string: ['bytes'],
  bytes: ['string']
}

class Comparison {
  readonly #reader: string
  readonly #writer: string
  /** Pairs of records that are being compared: a recursive schema meets them again within itself. */
  readonly #open = new Map<avsc.Type, Set<avsc.Type>>()

  constructor(reader: string, writer: string) {
    this.#reader = reader
    this.#writer = writer
  }

  compare(reader: avsc.Type, writer: avsc.Type, at: string): Incompatibility[] {
    if (isUnion(writer)) return writer.types.flatMap(branch => this.compare(reader, branch, at))
    if (isUnion(reader)) return this.#union(reader, writer, at)
    if (isRecord(reader) && isRecord(writer) && areNamesakes(reader, writer)) {
      return this.#record(reader, writer, at)
    }
    if (isEnum(reader) && isEnum(writer) && areNamesakes(reader, writer))
      return this.#enum(reader, writer, at)
    if (isArray(reader) && isArray(writer)) return this.compare(reader.itemsType, writer.itemsType, `${at}[]`)
    if (isMap(reader) && isMap(writer)) return this.compare(reader.valuesType, writer.valuesType, `${at}{}`)
    if (isFixed(reader) && isFixed(writer) && areNamesakes(reader, writer) && reader.size === writer.size)
      return []
    const isSame = reader.typeName === writer.typeName && reader.name === undefined
    if (isSame && !isArray(reader) && !isMap(reader)) return []
    if (promotions[reader.typeName]?.includes(writer.typeName) === true) return []
    return [this.#mismatch(reader, writer, at)]
  }

  #union(reader: UnionType, writer: avsc.Type, at: string): Incompatibility[] {
    let closest: Incompatibility[] | null = null
    for (const branch of reader.types) {
      const found = this.compare(branch, writer, at)
      if (found.length === 0) return []
      // The branch of the same kind and name is the one that was meant.
      if (branch.typeName === writer.typeName && branch.name === writer.name) closest = found
    }
    return closest ?? [this.#mismatch(reader, writer, at)]
  }

  #record(reader: avsc.types.RecordType, writer: avsc.types.RecordType, at: string): Incompatibility[] {
    const open = this.#open.get(reader) ?? new Set()
    this.#open.set(reader, open)
    if (open.has(writer)) return []
    open.add(writer)
    const found = reader.fields.flatMap(field => {
      const path = at === '' ? field.name : `${at}.${field.name}`
      const names = [field.name, ...field.aliases]
      const written = writer.fields.find(({ name }) => names.includes(name))
      if (written !== undefined) return this.compare(field.type, written.type, path)
      if (field.defaultValue() !== undefined) return []
      const why = `${this.#reader} needs it (${shortOf(field.type)}, without a default), and ${this.#writer} does not write it`
      return [{ field: path, why }]
    })
    open.delete(writer)
    return found
  }

  #enum(reader: avsc.types.EnumType, writer: avsc.types.EnumType, at: string): Incompatibility[] {
    // The type's declaration leaves the default out.
    if ((reader as { default?: unknown }).default !== undefined) return []
    const strange = writer.symbols.filter(symbol => !reader.symbols.includes(symbol))
    if (strange.length === 0) return []
    const what = `${strange.length === 1 ? 'the symbol' : 'the symbols'} ${strange.join(', ')}`
    const why = `${this.#writer} may write ${what} of ${shortOf(writer)}, which ${this.#reader} does not know`
    return [{ field: at, why }]
  }

  #mismatch(reader: avsc.Type, writer: avsc.Type, at: string): Incompatibility {
    const why = `${this.#writer} writes ${shortOf(writer)}, and ${this.#reader} reads ${shortOf(reader)}`
    return { field: at, why }
  }
}

/** The declaration of avsc leaves the type of its values open. */
type MapType = Omit<avsc.types.MapType, 'valuesType'> & { readonly valuesType: avsc.Type }
type UnionType = avsc.types.UnwrappedUnionType | avsc.types.WrappedUnionType

function isUnion(type: avsc.Type): type is UnionType {
  return avsc.Type.isType(type, 'union')
}
function isRecord(type: avsc.Type): type is avsc.types.RecordType {
  return avsc.Type.isType(type, 'record', 'error')
}
function isEnum(type: avsc.Type): type is avsc.types.EnumType {
  return type.typeName === 'enum'
}
function isArray(type: avsc.Type): type is avsc.types.ArrayType {
  return type.typeName === 'array'
}
function isMap(type: avsc.Type): type is MapType {
  return type.typeName === 'map'
}
function isFixed(type: avsc.Type): type is avsc.types.FixedType {
  return type.typeName === 'fixed'
}

/** A reader knows a named type by its own name or by one that the type had before. */
function areNamesakes(reader: avsc.Type, writer: avsc.Type): boolean {
  const names = [reader.name, ...(reader.aliases ?? [])]
  return names.includes(writer.name)
}

function shortOf(type: avsc.Type): string {
  if (isUnion(type)) return type.types.map(shortOf).join(' | ')
  if (isArray(type)) return `array of ${shortOf(type.itemsType)}`
  if (isMap(type)) return `map of ${shortOf(type.valuesType)}`
  if (isFixed(type)) return `fixed ${type.name} of ${type.size} bytes`
  return type.name === undefined ? type.typeName : `${type.typeName} ${type.name}`
}
