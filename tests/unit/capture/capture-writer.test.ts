import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { createCaptureFolder, readCaptureFolder, writeManifest } from '../../../src/capture/capture-folder.ts'
import { CaptureWriter } from '../../../src/capture/capture-writer.ts'
import { EntryKind } from '../../../src/capture/entry.ts'
import { type CaptureLimits, captureLimits } from '../../../src/capture/limits.ts'
import {
  encodeIndex,
  readIndexTrailer,
  type SegmentIndex,
  segmentVersion
} from '../../../src/capture/segment-format.ts'
import { SegmentReader } from '../../../src/capture/segment-reader.ts'
import { ThreadStream } from '../../../src/capture/thread-stream.ts'
import { type IngestError } from '../../../src/core/errors.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const startMicros = 1_790_000_000_000_000
const secondMicros = 1_000_000

interface Entry {
  readonly kind: number
  readonly connection: number
  readonly detail: number
  readonly micros: number
  readonly text: string
}

class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'coin-stream-capture-'))

  get segments(): string[] {
    return readdirSync(this.path)
      .filter(name => name.endsWith('.cap'))
      .sort()
      .map(name => join(this.path, name))
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

function rig(
  folder: Folder,
  limits: Partial<CaptureLimits> = {},
  onSegment?: (writer: CaptureWriter) => void
) {
  const clock = new ManualClock(startMicros)
  const faults: IngestError[] = []
  const writer: CaptureWriter = new CaptureWriter({
    folder: folder.path,
    thread: 0,
    clock,
    limits: { ...captureLimits, ...limits },
    events: { segmentBegun: () => onSegment?.(writer), stopped: error => faults.push(error) }
  })
  return { clock, faults, writer }
}

async function entriesOf(paths: readonly string[], fromMicros: number | null = null) {
  const notes: string[] = []
  const entries: Entry[] = []
  const stream = await ThreadStream.open(paths, fromMicros, note => notes.push(note))
  while (stream.cursor !== null) {
    const { kind, connection, detail, micros, body } = stream.cursor
    entries.push({ kind, connection, detail, micros, text: body.toString('utf8') })
    if (!stream.next()) await stream.load()
  }
  await stream.close()
  return { entries, notes }
}

const textOf = (i: number): string => `{"trade":${i},"filler":"${'x'.repeat(i % 700)}"}`

function writeFrames(writer: CaptureWriter, count: number, stepMicros = 1_000): void {
  for (let i = 0; i < count; i++) {
    writer.frame(EntryKind.frame, i % 3, 0, startMicros + i * stepMicros, Buffer.from(textOf(i)))
  }
}

suite('what is written', () => {
  test('comes back entry by entry, over blocks and segments, with the bytes it had', async () => {
    using folder = new Folder()
    const { writer } = rig(folder, { blockBytes: 4_096, segmentBytes: 40_000 })
    writeFrames(writer, 500)
    writer.fact(EntryKind.asked, 7, -1, startMicros + secondMicros)
    await writer.close()
    const { entries, notes } = await entriesOf(folder.segments)
    assert.deepEqual(notes, [])
    assert.ok(folder.segments.length > 2)
    assert.equal(entries.length, 501)
    entries.slice(0, 500).forEach(({ kind, connection, micros, text }, i) => {
      assert.deepEqual(
        [kind, connection, micros, text],
        [EntryKind.frame, i % 3, startMicros + i * 1_000, textOf(i)]
      )
    })
    assert.deepEqual(entries[500], {
      kind: EntryKind.asked,
      connection: 7,
      detail: -1,
      micros: startMicros + secondMicros,
      text: ''
    })
    const { frames, segments, fileBytes, dropped, stopped } = writer.stats
    assert.deepEqual([frames, segments, dropped, stopped], [500, folder.segments.length, 0, null])
    assert.equal(
      fileBytes,
      folder.segments.reduce((total, path) => total + statSync(path).size, 0)
    )
  })

  test('a frame larger than a block has a block of its own', async () => {
    using folder = new Folder()
    const { writer } = rig(folder, { blockBytes: 1_024 })
    const large = 'y'.repeat(50_000)
    writer.frame(EntryKind.frame, 1, 0, startMicros, Buffer.from('small'))
    writer.frame(EntryKind.frame, 1, 0, startMicros, Buffer.from(large))
    writer.frame(EntryKind.frame, 1, 0, startMicros, Buffer.from('after'))
    await writer.close()
    const { entries } = await entriesOf(folder.segments)
    assert.deepEqual(
      entries.map(({ text }) => text),
      ['small', large, 'after']
    )
  })

  test('is readable by its owner alone', async () => {
    using folder = new Folder()
    const path = join(folder.path, 'new', 'deep')
    await createCaptureFolder(path)
    const writer = new CaptureWriter({
      folder: path,
      thread: 3,
      clock: new ManualClock(),
      limits: captureLimits,
      events: { segmentBegun: () => undefined, stopped: () => undefined }
    })
    writer.fact(EntryKind.opened, 1, 0, startMicros)
    await writer.close()
    assert.equal(statSync(path).mode & 0o777, 0o700)
    assert.equal(statSync(join(path, 'conn-3-0000.cap')).mode & 0o777, 0o600)
  })

  test('is on the disk after a second although its block is not full', async () => {
    using folder = new Folder()
    const { clock, writer } = rig(folder)
    writer.frame(EntryKind.frame, 1, 0, startMicros, Buffer.from('one'))
    clock.advance(1_000)
    // A second writer in the same folder shows that the first has not been closed.
    await until(() => folder.segments.length === 1 && statSync(folder.segments[0]!).size > 100)
    const { entries, notes } = await entriesOf(folder.segments)
    assert.equal(entries.length, 1)
    assert.match(notes[0]!, /was not closed\.$/)
    await writer.close()
  })

  test('a segment ends after its time, and the next begins with what stands', async () => {
    using folder = new Folder()
    const { clock, writer } = rig(folder, { segmentMs: 10_000 }, other =>
      other.fact(EntryKind.standing, 5, 0, clock.nowMicros(), Buffer.from('{}'))
    )
    for (let second = 0; second < 25; second++) {
      writer.frame(EntryKind.frame, 5, 0, clock.nowMicros(), Buffer.from(`second ${second}`))
      clock.advance(1_000)
    }
    await writer.close()
    assert.equal(folder.segments.length, 3)
    for (const path of folder.segments) {
      const { entries } = await entriesOf([path])
      assert.equal(entries[0]!.kind, EntryKind.standing)
    }
    const from = startMicros + 15 * secondMicros
    const { entries } = await entriesOf(folder.segments, from)
    assert.ok(entries[0]!.micros <= from && entries[0]!.micros > startMicros)
  })

  test('a thread that starts again goes on with the next free number', async () => {
    using folder = new Folder()
    for (const text of ['first life', 'second life']) {
      const { writer } = rig(folder)
      writer.frame(EntryKind.frame, 1, 0, startMicros, Buffer.from(text))
      await writer.close()
    }
    const { entries } = await entriesOf(folder.segments)
    assert.deepEqual(
      entries.map(({ text }) => text),
      ['first life', 'second life']
    )
  })
})

suite('what cannot be kept', () => {
  test('frames beyond the limit of what waits are left out, and the hole is written where it is', async () => {
    using folder = new Folder()
    const { writer } = rig(folder, { blockBytes: 1_024, bufferedBytes: 8_192 })
    const body = Buffer.alloc(1_000, 'z')
    for (let i = 0; i < 40; i++) writer.frame(EntryKind.frame, 1, 0, startMicros + i, body)
    const { frames, dropped } = writer.stats
    assert.ok(dropped > 0 && frames + dropped === 40)
    await until(() => {
      writer.frame(EntryKind.frame, 1, 0, startMicros + 100, Buffer.from('again'))
      return writer.stats.frames > frames
    })
    await writer.close()
    const { entries } = await entriesOf(folder.segments)
    const holes = entries.filter(({ kind }) => kind === EntryKind.hole)
    assert.equal(
      holes.reduce((total, { detail }) => total + detail, 0),
      writer.stats.dropped
    )
    assert.equal(entries.at(-1)!.text, 'again')
    assert.equal(entries.at(-2)!.kind, EntryKind.hole)
  })

  test('facts find room where frames find none, up to a limit of their own, which ends the capture', async () => {
    using folder = new Folder()
    const { faults, writer } = rig(folder, { blockBytes: 1_024, bufferedBytes: 4_000, factBytes: 4_000 })
    const body = Buffer.alloc(976, 'z')
    for (let i = 0; i < 5; i++) writer.frame(EntryKind.frame, 1, 0, startMicros + i, body)
    assert.deepEqual([writer.stats.frames, writer.stats.dropped], [4, 1])
    for (let i = 0; i < 3; i++) writer.fact(EntryKind.asked, 2, 0, startMicros, body)
    assert.deepEqual(faults, [])
    for (let i = 0; i < 3; i++) writer.fact(EntryKind.asked, 2, 0, startMicros, body)
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['CAPTURE_STOPPED']
    )
    assert.match(writer.stats.stopped!, /more than 8000 bytes wait for the disk; the data goes on$/)
    await writer.close()
    assert.deepEqual(faults.length, 1)
  })

  test('a folder that is taken away ends the capture once, with the reason', async () => {
    using folder = new Folder()
    const { faults, writer } = rig(folder, { blockBytes: 1_024, segmentBytes: 2_048 })
    rmSync(folder.path, { recursive: true })
    writeFrames(writer, 50)
    await until(() => faults.length > 0)
    const { frames } = writer.stats
    writeFrames(writer, 50)
    await writer.close()
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['CAPTURE_STOPPED']
    )
    assert.match(faults[0]!.message, /has stopped: .*ENOENT.*; the data goes on$/)
    assert.equal(writer.stats.frames, frames)
    assert.match(writer.stats.stopped!, /has stopped/)
  })
})

suite('a file that is not whole', () => {
  async function torn(folder: Folder): Promise<string> {
    const { writer } = rig(folder, { blockBytes: 4_096 })
    writeFrames(writer, 200)
    await writer.close()
    return folder.segments[0]!
  }

  test('is read up to its last whole block, wherever it is torn', async () => {
    using folder = new Folder()
    const path = await torn(folder)
    const whole = readFileSync(path)
    const reader = await SegmentReader.open(path)
    const ends = reader.blocks.map(({ offset, bytes }) => offset + 48 + bytes)
    const entriesUpTo = (size: number): number =>
      reader.blocks.reduce((total, { entries }, i) => total + (ends[i]! <= size ? entries : 0), 0)
    await reader.close()
    assert.ok(ends.length > 5)
    const last = ends.at(-1)!
    for (const size of [
      last,
      last - 1,
      ends[2]!,
      ends[2]! + 1,
      ends[2]! + 47,
      ends[2]! + 60,
      41,
      40,
      39,
      5,
      0
    ]) {
      writeFileSync(path, whole)
      truncateSync(path, size)
      const { entries, notes } = await entriesOf([path])
      assert.equal(entries.length, entriesUpTo(size), `${size} bytes`)
      assert.equal(notes.length, 1, `${size} bytes`)
      assert.match(notes[0]!, /was not closed|torn off/)
    }
  })

  test('a block that was altered ends the segment there, and says so', async () => {
    using folder = new Folder()
    const path = await torn(folder)
    const reader = await SegmentReader.open(path)
    const { offset } = reader.blocks[3]!
    const before = reader.blocks.slice(0, 3).reduce((total, { entries }) => total + entries, 0)
    await reader.close()
    const bytes = readFileSync(path)
    bytes[offset + 60]! ^= 1
    writeFileSync(path, bytes)
    const { entries, notes } = await entriesOf([path])
    assert.equal(entries.length, before)
    assert.match(notes[0]!, new RegExp(`the block at byte ${offset} is damaged`))
  })

  test('that is missing is named, wherever it stood', async () => {
    using folder = new Folder()
    const { writer } = rig(folder, { blockBytes: 4_096, segmentBytes: 20_000 })
    writeFrames(writer, 500)
    await writer.close()
    const paths = folder.segments
    assert.ok(paths.length > 4)
    const notesWithout = async (...gone: readonly number[]) =>
      (await entriesOf(paths.filter((_, at) => !gone.includes(at)))).notes
    assert.deepEqual(await notesWithout(), [])
    assert.deepEqual(await notesWithout(0), [`${paths[0]}: missing.`])
    assert.deepEqual(await notesWithout(1, 2), [`${paths[1]} to ${paths[2]}: missing.`])
    const last = paths.length - 1
    assert.deepEqual(await notesWithout(last), [
      `${paths[last - 1]} is not the last of its segments: what came after it is missing.`
    ])
  })

  test('that is no file is refused', async () => {
    using folder = new Folder()
    const path = join(folder.path, 'conn-0-0000.cap')
    mkdirSync(path)
    await assert.rejects(SegmentReader.open(path), {
      code: 'FILE_UNREADABLE',
      message: `${path} cannot be read: it is no ordinary file.`
    })
  })

  test('with an index that is none is read by its blocks', async () => {
    using folder = new Folder()
    const path = await torn(folder)
    const whole = readFileSync(path)
    const trailer = readIndexTrailer(whole.subarray(-16))!
    const blocks = whole.subarray(0, whole.length - 16 - trailer.bytes)
    const { entries } = await entriesOf([path])
    const beyond = { offset: whole.length, bytes: 1, rawBytes: 1, entries: 1, firstMicros: 1, lastMicros: 1 }
    for (const index of [{}, { blocks: [{}] }, { blocks: 'all' }, { blocks: [beyond] }, null]) {
      writeFileSync(path, Buffer.concat([blocks, encodeIndex(index as unknown as SegmentIndex)]))
      const found = await entriesOf([path])
      assert.deepEqual(found.entries, entries)
      assert.match(found.notes[0]!, /was not closed, and its last \d+ bytes are no whole block/)
    }
  })

  test('is refused when it is not ours, or of another version', async () => {
    using folder = new Folder()
    const path = await torn(folder)
    const other = readFileSync(path)
    other.writeUInt32LE(9, 8)
    writeFileSync(path, other)
    await assert.rejects(SegmentReader.open(path), /version 9 of the capture format; this build reads \d/)
    writeFileSync(path, 'just some text that is long enough to be a header of ours')
    await assert.rejects(SegmentReader.open(path), {
      code: 'FILE_UNREADABLE',
      message: /not a segment of a capture/
    })
    await assert.rejects(SegmentReader.open(join(folder.path, 'none.cap')), { code: 'FILE_UNREADABLE' })
  })
})

suite('a folder', () => {
  const facts = { pod: 'pod', started_ts: startMicros, targets: [] }

  test('that holds something is refused, a capture as well', async () => {
    using folder = new Folder()
    await createCaptureFolder(folder.path)
    await writeManifest(folder.path, facts)
    await assert.rejects(createCaptureFolder(folder.path), {
      code: 'USAGE',
      message: /holds a capture already/
    })
    rmSync(join(folder.path, 'capture.json'))
    writeFileSync(join(folder.path, 'diary.txt'), 'mine')
    await assert.rejects(createCaptureFolder(folder.path), { code: 'USAGE', message: /is not empty/ })
    assert.ok(existsSync(join(folder.path, 'diary.txt')))
  })

  test('lists its segments by thread in the order of their numbers', async () => {
    using folder = new Folder()
    await writeManifest(folder.path, facts)
    const names = ['conn-1-0000.cap', 'conn-0-10000.cap', 'conn-0-9999.cap', 'other.txt']
    for (const name of names) writeFileSync(join(folder.path, name), '')
    const { threads, manifest } = await readCaptureFolder(folder.path)
    assert.equal(manifest.pod, 'pod')
    assert.deepEqual(
      threads.map(paths => paths.map(path => path.slice(folder.path.length + 1))),
      [['conn-0-9999.cap', 'conn-0-10000.cap'], ['conn-1-0000.cap']]
    )
  })

  test('without a capture.json, or with one of something else, is no capture', async () => {
    using folder = new Folder()
    const refused = { code: 'FILE_UNREADABLE' }
    await assert.rejects(readCaptureFolder(folder.path), { ...refused, message: /it has no capture\.json/ })
    for (const [text, message] of [
      ['no JSON', /does not describe a capture/],
      ['null', /does not describe a capture/],
      ['{"format":"something else"}', /does not describe a capture/],
      ['{"format":"coin-stream capture","version":7,"targets":[]}', /is of version 7/],
      ['{"format":"coin-stream capture"}', /is of no version/]
    ] as const) {
      writeFileSync(join(folder.path, 'capture.json'), text)
      await assert.rejects(readCaptureFolder(folder.path), { ...refused, message })
    }
  })
})

suite('a capture.json', () => {
  const target = { region: 'korea', exchange: 'upbit', request_type: 'trade' }
  const plan = { target, symbols: ['BTC-KRW'], projection: [] }
  const whole = {
    format: 'coin-stream capture',
    version: segmentVersion,
    pod: 'pod',
    started_ts: startMicros,
    targets: [plan]
  }

  async function readWith(changes: object) {
    using folder = new Folder()
    writeFileSync(join(folder.path, 'capture.json'), JSON.stringify({ ...whole, ...changes }))
    return (await readCaptureFolder(folder.path)).manifest
  }

  test('is taken as it is when it is whole', async () => {
    assert.deepEqual(await readWith({}), whole)
  })

  const notATarget = /capture\.json: targets\.\d is not a target with .*; put back the file/
  for (const [what, changes, message] of [
    ['no pod', { pod: null }, /has no text as pod/],
    ['no time', { started_ts: 'monday' }, /has no time in microseconds as started_ts/],
    ['no list of targets', { targets: {} }, /has no list of targets/],
    ['an empty target', { targets: [{}] }, notATarget],
    ['null as a target', { targets: [plan, null] }, notATarget],
    ['symbols as text', { targets: [{ ...plan, symbols: 'BTC-KRW' }] }, notATarget],
    ['a symbol that is none', { targets: [{ ...plan, symbols: ['btc'] }] }, notATarget],
    ['a projection of numbers', { targets: [{ ...plan, projection: [1] }] }, notATarget],
    ['an unknown exchange', { targets: [{ ...plan, target: { ...target, exchange: 'x' } }] }, notATarget],
    ['another region', { targets: [{ ...plan, target: { ...target, region: 'eu' } }] }, notATarget],
    [
      'an unknown request type',
      { targets: [{ ...plan, target: { ...target, request_type: 'candle' } }] },
      notATarget
    ],
    ['a target twice', { targets: [plan, plan] }, /targets\.1 names upbit\/trade a second time/]
  ] as const) {
    test(`with ${what} is refused with the reason`, async () => {
      await assert.rejects(readWith(changes), { code: 'FILE_UNREADABLE', message })
    })
  }
})

/** Writing goes on behind the test, on other threads: this looks until it is there. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setImmediate(resolve))
}
