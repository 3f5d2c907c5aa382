import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { GapFile } from '../../../../actors/producer/gap-file.ts'
import { GapOutbox } from '../../../../actors/producer/gap-outbox.ts'
import { createLogger } from '../../../../src/core/logger.ts'
import { type Gap } from '../../../../src/domain/gap.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coin-stream-test-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function gapOf(id: string, symbol: string | null = 'BTC-KRW'): Gap {
  return {
    gap_id: id,
    status: 'open',
    target: { region: 'korea', exchange: 'upbit', request_type: 'trade' },
    symbol,
    connection_id: 'pod/upbit/trade/0/1',
    next_connection_id: null,
    reason: 'disconnect',
    opened_ts: 1,
    closed_ts: null,
    last_frame_seq: 1,
    first_frame_seq: null,
    last_sequence: null,
    first_sequence: null,
    missed: null,
    shed: null
  }
}

interface Opened {
  readonly outbox: GapOutbox
  readonly sent: { key: string; id: string; owner: number }[]
  readonly closed: string[]
  readonly path: string
}

function open(): Opened {
  const path = join(folder, 'run', 'gaps.ndjson')
  const sent: { key: string; id: string; owner: number }[] = []
  const closed: string[] = []
  const outbox = new GapOutbox(
    new GapFile(path, createLogger('silent', 'test')),
    (key, value, owner) => sent.push({ key, id: (JSON.parse(value) as Gap).gap_id, owner }),
    id => closed.push(id)
  )
  return { outbox, sent, closed, path }
}

test('gaps that were not acknowledged are published first thing at the next start, and the file goes with the last', () => {
  const before = open()
  for (const id of ['a', 'b', 'c']) before.outbox.publish(gapOf(id))
  before.outbox.settled(before.sent[1]!.owner, true)
  before.outbox.settled(before.sent[2]!.owner, false)
  before.outbox.close()
  assert.equal(statSync(before.path).mode & 0o777, 0o600)

  const after = open()
  after.outbox.restore()
  assert.deepEqual(
    after.sent.map(({ key, id }) => [key, id]),
    [
      ['korea|upbit|trade|BTC-KRW', 'a'],
      ['korea|upbit|trade|BTC-KRW', 'c']
    ]
  )
  after.outbox.settled(after.sent[0]!.owner, true)
  assert.match(readFileSync(after.path, 'utf8'), /"gap_id":"c"/)
  after.outbox.settled(after.sent[1]!.owner, true)
  assert.throws(() => statSync(after.path), { code: 'ENOENT' })
})

test('a gap of a whole connection has the key of its target with a star', () => {
  const { outbox, sent } = open()
  outbox.publish(gapOf('a', null))
  assert.equal(sent[0]!.key, 'korea|upbit|trade|*')
})

test('nothing is written when everything was acknowledged, and owners are those of gaps', () => {
  const { outbox, sent, path } = open()
  outbox.publish(gapOf('a'))
  assert.ok(GapOutbox.owns(sent[0]!.owner))
  outbox.settled(sent[0]!.owner, true)
  outbox.close()
  assert.throws(() => statSync(path), { code: 'ENOENT' })
})

test('a file that was cut off gives what is whole in it', () => {
  const path = join(folder, 'gaps.ndjson')
  writeFileSync(path, `${JSON.stringify(gapOf('a'))}\n{"gap_id":"b","tar`)
  const sent: string[] = []
  const outbox = new GapOutbox(
    new GapFile(path, createLogger('silent', 'test')),
    (_, value) => sent.push(value),
    () => undefined
  )
  outbox.restore()
  assert.equal(sent.length, 1)
})

test('the end of a gap is told once the sink has it, and only then', () => {
  const { outbox, sent, closed } = open()
  outbox.publish(gapOf('a'))
  outbox.publish({ ...gapOf('a'), status: 'closed' })
  outbox.publish({ ...gapOf('b'), status: 'closed' })
  outbox.settled(sent[0]!.owner, true)
  outbox.settled(sent[2]!.owner, false)
  assert.deepEqual(closed, [])
  outbox.settled(sent[1]!.owner, true)
  assert.deepEqual(closed, ['a'])
  outbox.close()
})
