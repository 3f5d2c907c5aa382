import { type ConnectionState } from '../../src/wire/shared-ledger.ts'

/** The machine's state value as the ledger and people name it. */
export function connectionStateOf(value: unknown): ConnectionState {
  if (typeof value === 'string') return value as ConnectionState
  const compound = value as Readonly<Record<string, string>>
  if (compound['subscribed'] !== undefined) return compound['subscribed'] === 'stale' ? 'stale' : 'live'
  return 'connecting'
}
