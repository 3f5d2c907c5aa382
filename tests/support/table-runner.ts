import { type DataRecord, decodeRecord } from '../../src/codec/avro-types.ts'
import { avroString } from '../../src/exchange-kit/avro-bytes.ts'
import { compileTables } from '../../src/exchange-kit/compile.ts'
import { type FrameTable, type RecordTable } from '../../src/exchange-kit/field-table.ts'
import { FrameFault } from '../../src/exchange-kit/frame-fault.ts'
import { SymbolTable } from '../../src/exchange-kit/symbol-table.ts'
import { tokenize } from '../../src/exchange-kit/tape.ts'
import { Workspace } from '../../src/exchange-kit/workspace.ts'
import { RecordBatch } from '../../src/wire/record-batch.ts'

/** Runs one frame through a compiled table: its records, or the name of what was wrong. */
export function runTable(
  table: RecordTable,
  frame: string,
  options: { natives?: readonly string[]; channels?: readonly string[]; projection?: readonly string[] } = {}
): DataRecord[] | keyof typeof FrameFault {
  const natives = options.natives ?? ['BTC-USD']
  const workspace = new Workspace()
  const symbols = new SymbolTable()
  const channels = new SymbolTable()
  natives.forEach((native, index) => symbols.add(native, index))
  options.channels?.forEach((channel, index) => channels.add(channel, index))
  workspace.context = {
    symbols,
    channels,
    prefixes: natives.map(native =>
      Uint8Array.from(
        [
          Uint8Array.of(0, 0, 0, 0, 1),
          ...['venue', 'region', `of ${native}`, native].map(avroString)
        ].flatMap(part => [...part])
      )
    ),
    connectionId: avroString('connection'),
    unknownSymbol: () => -1
  }
  const bytes = new TextEncoder().encode(frame)
  workspace.fitFrames(bytes.length, bytes.length)
  workspace.bytes.set(bytes)
  const length = tokenize(workspace.bytes, 0, bytes.length, bytes.length, workspace.tape)
  if (length < 0) throw new TypeError(`the test's frame is no JSON: ${frame}`)
  workspace.fitValues(8 * bytes.length + 1024)
  workspace.guess = 0
  const tables: readonly FrameTable[] = [table]
  const compiled = compileTables(tables, table.requestType, options.projection ?? [])
  const code = table.source === 'snapshot' ? compiled.snapshot[0] : compiled.stream[0]
  const status = code?.(workspace, 0) ?? 0
  if (status < 0) {
    const names = Object.keys(FrameFault) as (keyof typeof FrameFault)[]
    return names.find(name => FrameFault[name] === status) ?? 'noMatch'
  }
  const records: DataRecord[] = []
  workspace.batch.frame(0, 0, 0, 'none', status, 0)
  const batch = new RecordBatch(workspace.batch.finish(0, 0, workspace.out.subarray(0, workspace.at)))
  for (let row = 0; row < batch.records; row++) {
    const value = batch.bytes.subarray(batch.valueStart(row), batch.valueEnd(row))
    records.push(JSON.parse(JSON.stringify(decodeRecord(table.requestType, value))) as DataRecord)
  }
  return records
}
