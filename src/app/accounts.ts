import { type SharedLedger } from '../wire/shared-ledger.ts'
import { type PlacedTarget } from './layout.ts'

/**
 * Closes the account of a producer that died: what it held or had not taken yet is lost, and its fate is declared by the
 * gaps that its successor opens. Its fields have no other writer now.
 */
export function closeProducerAccounts(ledger: SharedLedger, targets: readonly PlacedTarget[]): void {
  for (const target of targets) {
    for (let shard = target.firstShard; shard < target.firstShard + target.shards; shard++) {
      ledger.frames(shard).writeOffHandedOver()
    }
    ledger.records(target.targetIndex).writeOff()
  }
}

/** Closes the account of a connection thread that died: frames it had received and not handed over are lost. */
export function closeConnectionAccounts(ledger: SharedLedger, targets: readonly PlacedTarget[]): void {
  for (const target of targets) {
    for (let shard = target.firstShard; shard < target.firstShard + target.shards; shard++) {
      const frames = ledger.frames(shard)
      const accounted =
        frames.get('control') + frames.get('shed') + frames.get('handedOver') + frames.get('lostUnsent')
      frames.add('lostUnsent', frames.get('received') - accounted)
      frames.set('held', 0)
      frames.set('paused', 0)
    }
  }
}
