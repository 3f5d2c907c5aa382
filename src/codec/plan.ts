import { type Instrument } from '../domain/instrument.ts'
import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { avroString } from '../exchange-kit/avro-bytes.ts'
import { type CompiledTables, compileTables } from '../exchange-kit/compile.ts'
import { SymbolTable } from '../exchange-kit/symbol-table.ts'
import { type SymbolContext } from '../exchange-kit/workspace.ts'
import { adapterOf } from '../exchanges/registry.ts'
import { type CodecContext } from './context.ts'

const decoder = new TextDecoder()
const tablesMax = 256
const plansMax = 1024

/** Finds the instrument of a native symbol that is not subscribed; null when it stays unknown. */
export type ResolveInstrument = (native: string) => Instrument | null

/** Everything a batch of one connection needs, made once per version of its context. */
export interface Plan {
  readonly key: string
  readonly adapter: ExchangeAdapter
  readonly tables: CompiledTables
  readonly symbols: SymbolContext
}

/** Plans by connection, the oldest forgotten first; compiled code is shared between connections of a kind. */
export class Plans {
  readonly #resolve: ResolveInstrument | null
  readonly #plans = new Map<number, Plan>()
  readonly #tables = new Map<string, CompiledTables>()

  constructor(resolve: ResolveInstrument | null) {
    this.#resolve = resolve
  }

  planOf(context: CodecContext): Plan {
    const { connection, version } = context.connection
    const key = `${version}/${context.encoding.schemaId}`
    const known = this.#plans.get(connection)
    if (known?.key === key) return known
    this.#plans.delete(connection)
    forgetOldest(this.#plans, plansMax)
    const plan = this.#make(key, context)
    this.#plans.set(connection, plan)
    return plan
  }

  #make(key: string, context: CodecContext): Plan {
    const adapter = adapterOf(context.connection.target.exchange)
    return {
      key,
      adapter,
      tables: this.#tablesOf(adapter, context),
      symbols: symbolContext(adapter, context, this.#resolve)
    }
  }

  #tablesOf(adapter: ExchangeAdapter, context: CodecContext): CompiledTables {
    const { target, projection } = context.connection
    const key = JSON.stringify([target.exchange, target.request_type, projection])
    let tables = this.#tables.get(key)
    if (tables === undefined) {
      forgetOldest(this.#tables, tablesMax)
      tables = compileTables(adapter.frames, target.request_type, projection)
      this.#tables.set(key, tables)
    }
    return tables
  }
}

function symbolContext(
  adapter: ExchangeAdapter,
  context: CodecContext,
  resolve: ResolveInstrument | null
): SymbolContext {
  const { target, instruments, channelIds, connectionId } = context.connection
  const symbols = new SymbolTable()
  const channels = new SymbolTable()
  const prefixes: Uint8Array[] = []
  const add = (instrument: Instrument): number => {
    const index = prefixes.length
    prefixes.push(
      prefixOf(context.encoding.schemaId, [
        target.exchange,
        target.region,
        instrument.symbol,
        instrument.native
      ])
    )
    symbols.add(instrument.native, index)
    symbols.add(adapter.instruments.streamNameOf(instrument.native), index)
    return index
  }
  instruments.forEach(add)
  for (const [channelId, index] of Object.entries(channelIds)) channels.add(channelId, index)
  return {
    symbols,
    channels,
    prefixes,
    connectionId: avroString(connectionId),
    unknownSymbol(bytes, start, end) {
      if (resolve === null) return -1
      const instrument = resolve(decoder.decode(bytes.subarray(start, end)))
      return instrument === null ? -1 : add(instrument)
    }
  }
}

/** Confluent header and the strings that every record of a symbol begins with. */
function prefixOf(schemaId: number, texts: readonly string[]): Uint8Array {
  const header = new Uint8Array(5)
  new DataView(header.buffer).setInt32(1, schemaId, false)
  return concat([header, ...texts.map(avroString)])
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function forgetOldest(map: Map<unknown, unknown>, max: number): void {
  if (map.size < max) return
  const oldest = map.keys().next()
  if (oldest.done !== true) map.delete(oldest.value)
}
