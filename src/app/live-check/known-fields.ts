import { type RecordTable } from '../../exchange-kit/field-table.ts'
import { type JsonValue } from '../../exchange-kit/json-value.ts'
import { type LevelsRule, type SymbolRule } from '../../exchange-kit/rules.ts'

/** A place of a frame that a table knows. */
interface Place {
  /** By key or position. */
  readonly children: Map<string, Place>
  /** What every element of a list is, where the list has elements of one kind. */
  items: Place | null
  /** Read as it stands: what may be inside is not looked at. */
  isWhole: boolean
}

interface AnyRule {
  readonly rule: string
  readonly path?: string
  readonly optional?: boolean
}

/** An optional field, and where it stands: below the frame or below the event. */
interface OptionalField {
  readonly name: string
  readonly path: string
}

type Found = (path: string, value: JsonValue) => void

/** Elements of a list that are looked at; they are all of one kind. */
const itemsMax = 8

/** Everything that one kind of frame may contain as far as the adapter's table says, to hold a real frame against it. */
export class KnownFields {
  readonly table: RecordTable
  readonly #root: Place = newPlace()
  readonly #optional: OptionalField[] = []
  readonly #unseen: Set<string>

  constructor(table: RecordTable) {
    this.table = table
    const event = table.envelope === undefined ? this.#root : walk(this.#root, table.envelope)
    const element = table.each === undefined ? event : itemsOf(walk(event, table.each))
    const know = (path: string): Place =>
      path.startsWith('/') ? walk(this.#root, path.slice(1)) : walk(element, path)
    for (const { path } of table.match) {
      markWhole(path.startsWith('/') ? walk(this.#root, path.slice(1)) : walk(event, path))
    }
    for (const path of Object.values(table.raw ?? {})) markWhole(know(path))
    const rules = Object.entries(table.fields) as [string, unknown][]
    if ('evidence' in table && table.evidence !== undefined) rules.push(['evidence', table.evidence])
    for (const [name, value] of rules) {
      if (value === undefined) continue
      const rule = value as AnyRule
      for (const path of symbolPaths(rule as SymbolRule)) markWhole(know(path))
      if (rule.rule === 'levels') knowLevels(know(rule.path ?? ''), value as LevelsRule)
      else if (rule.path !== undefined) markWhole(know(rule.path))
      if (rule.optional === true && rule.path !== undefined) this.#optional.push({ name, path: rule.path })
    }
    this.#unseen = new Set(this.#optional.map(({ name }) => name))
  }

  /** Optional fields that were in none of the frames shown so far, with their places: `sequence (seq)`. */
  get unseen(): string[] {
    return this.#optional
      .filter(({ name }) => this.#unseen.has(name))
      .map(({ name, path }) => `${name} (${path})`)
  }

  /** Holds one frame of this kind against the table, and tells every key that it does not know. */
  look(frame: JsonValue, unknown: Found): void {
    const { envelope, each } = this.table
    const wrapped = envelope === undefined ? undefined : at(frame, envelope)
    const event = wrapped ?? frame
    // An event that came without its wrapping is held against what the wrapping would contain.
    const place = envelope === undefined || wrapped !== undefined ? this.#root : walk(this.#root, envelope)
    compare(frame, place, '', unknown)
    if (this.#unseen.size === 0) return
    const list = each === undefined ? [event] : listOf(at(event, each))
    for (const element of list.slice(0, itemsMax)) {
      for (const { name, path } of this.#optional) {
        const value = path.startsWith('/') ? at(frame, path.slice(1)) : at(element, path)
        if (value !== undefined && value !== null) this.#unseen.delete(name)
      }
    }
  }
}

function newPlace(): Place {
  return { children: new Map(), items: null, isWhole: false }
}

/** `a|b` are two names of one place. */
function childOf(place: Place, segment: string): Place {
  const names = segment.split('|')
  const known = names.map(name => place.children.get(name)).find(child => child !== undefined) ?? newPlace()
  for (const name of names) place.children.set(name, known)
  return known
}

function walk(place: Place, path: string): Place {
  return path.split('.').reduce(childOf, place)
}

function itemsOf(place: Place): Place {
  place.items ??= newPlace()
  return place.items
}

function markWhole(place: Place): void {
  // Of a place that is looked into as well only its being there is known: a guard on a list, for instance.
  if (place.children.size === 0 && place.items === null) place.isWhole = true
}

function knowLevels(place: Place, rule: LevelsRule): void {
  place.isWhole = false
  for (const level of rule.single === true ? [place, itemsOf(place)] : [itemsOf(place)]) {
    for (const path of [rule.price, rule.size, rule.only?.path, rule.zeroWhen]) {
      if (path !== undefined) markWhole(walk(level, path))
    }
  }
}

function symbolPaths(rule: SymbolRule): readonly string[] {
  return rule.rule === 'nativePair' ? [rule.first, rule.second] : []
}

function compare(value: JsonValue, place: Place, path: string, unknown: Found): void {
  if (place.isWhole && place.children.size === 0 && place.items === null) return
  if (Array.isArray(value)) compareList(value as readonly JsonValue[], place, path, unknown)
  else if (value !== null && typeof value === 'object') {
    for (const [key, member] of Object.entries(value)) {
      const child = place.children.get(key)
      const name = path === '' ? key : `${path}.${key}`
      if (child === undefined) unknown(name, member)
      else compare(member, child, name, unknown)
    }
  }
}

function compareList(list: readonly JsonValue[], place: Place, path: string, unknown: Found): void {
  const { items } = place
  if (items !== null) {
    // Positions of a level beyond price and size are the venue's padding, which every level has.
    const isPadded = isPositional(items) && items.children.size <= 2
    for (const item of list.slice(0, itemsMax)) {
      if (!isPadded) compare(item, items, `${path}[]`, unknown)
    }
    return
  }
  list.forEach((item, position) => {
    const child = place.children.get(String(position))
    const name = path === '' ? String(position) : `${path}.${position}`
    if (child === undefined) unknown(name, item)
    else compare(item, child, name, unknown)
  })
}

function isPositional(place: Place): boolean {
  return [...place.children.keys()].some(key => /^\d+$/.test(key))
}

function memberOf(value: JsonValue, key: string): JsonValue | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (Array.isArray(value)) return (value as readonly JsonValue[])[Number(key)]
  return (value as { readonly [key: string]: JsonValue })[key]
}

function at(value: JsonValue, path: string): JsonValue | undefined {
  let found: JsonValue | undefined = value
  for (const segment of path.split('.')) {
    if (found === undefined) return undefined
    const holder: JsonValue = found
    const names = segment.split('|')
    found = names.map(name => memberOf(holder, name)).find(member => member !== undefined)
  }
  return found
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : []
}
