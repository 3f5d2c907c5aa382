import type avsc from 'avsc'
import { avroSchemas } from '../domain/avro-subjects.ts'
import { parseSchema } from './schema-compatibility.ts'
import { type SchemaRegistry } from './schema-registry.ts'

/** Bytes in front of an Avro value: 0x00 and the schema id. */
const headerBytes = 5
/** Ids that are asked for; a topic full of wrong ones must not become a flood of requests. */
const idsMax = 1_000

/** Finds the schema by which a value was written through the id in front of it. */
export interface WriterTypes {
  /** Undefined when nobody knows the id. */
  typeOf(id: number): avsc.Type | undefined
}

const typesByLocalId: ReadonlyMap<number, avsc.Type> = new Map(
  Object.values(avroSchemas).map(({ localId, text }) => [localId, parseSchema(text)])
)

/** The types of `schemas/ids.json`. */
export const localTypes: WriterTypes = { typeOf: id => typesByLocalId.get(id) }

/**
 * The schemas of a registry, each fetched when a value with its id comes by for the first time. Readers call `prepare`
 * before they decode, which costs a look into a map once the id is known.
 */
export class WriterSchemas implements WriterTypes {
  readonly #registry: SchemaRegistry
  readonly #before: WriterTypes | null
  /** Null: the registry has no Avro schema with this id. */
  readonly #types = new Map<number, avsc.Type | null>()

  /** @param before asked first, for records of a time without a registry; null takes the registry's word only */
  constructor(registry: SchemaRegistry, before: WriterTypes | null) {
    this.#registry = registry
    this.#before = before
  }

  typeOf(id: number): avsc.Type | undefined {
    return this.#before?.typeOf(id) ?? this.#types.get(id) ?? undefined
  }

  /**
   * A promise to wait for before the value is decoded; null when there is nothing to wait for. The promise rejects with
   * IngestError REGISTRY_UNAVAILABLE, and the same id may then be tried again.
   */
  prepare(value: Uint8Array | null): Promise<void> | null {
    if (value === null || value.length < headerBytes || value[0] !== 0) return null
    const id = ((value[1]! << 24) | (value[2]! << 16) | (value[3]! << 8) | value[4]!) >> 0
    const isKnown = id < 0 || this.#types.has(id) || this.#before?.typeOf(id) !== undefined
    return isKnown || this.#types.size >= idsMax ? null : this.#fetch(id)
  }

  async #fetch(id: number): Promise<void> {
    const text = await this.#registry.schemaOf(id)
    this.#types.set(id, text === null ? null : parseOrNull(text))
  }
}

/** What the registry keeps under an id may be of another version of Avro than we read. */
function parseOrNull(text: string): avsc.Type | null {
  try {
    return parseSchema(text)
  } catch {
    return null
  }
}
