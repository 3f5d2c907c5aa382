import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type FrameLedger,
  framesBalance,
  type RecordLedger,
  recordsBalance
} from '../../../src/domain/ledger.ts'

const frames: FrameLedger = {
  received: 63,
  control: 1,
  transcoded: 2,
  ignored: 4,
  dead: 8,
  shed: 16,
  in_flight: 32
}
const records: RecordLedger = {
  made: 31,
  published: 1,
  duplicate: 2,
  superseded: 4,
  failed: 8,
  in_flight: 16
}

test('a frame ledger balances only when every frame has an outcome', () => {
  assert.equal(framesBalance(frames), true)
  for (const field of Object.keys(frames) as (keyof FrameLedger)[]) {
    assert.equal(framesBalance({ ...frames, [field]: frames[field] + 1 }), false, field)
  }
})

test('a record ledger balances only when every record has met its fate', () => {
  assert.equal(recordsBalance(records), true)
  for (const field of Object.keys(records) as (keyof RecordLedger)[]) {
    assert.equal(recordsBalance({ ...records, [field]: records[field] + 1 }), false, field)
  }
})
