import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { helpText, readArgs, type VerbSpec } from '../../../src/cli/args.ts'
import { IngestError } from '../../../src/core/errors.ts'

const spec = {
  verb: 'walk',
  operands: '[PLACE…]',
  operandsMax: 2,
  summary: 'Walk somewhere.',
  description: 'Walks to each place in turn, and back.',
  flags: {
    pace: { value: 'KM_PER_H', help: 'How fast.' },
    quietly: { value: null, help: 'Without a word.' },
    along: { value: 'PATH', optional: 'after-equals', help: 'A path, or any.' },
    pauses: { value: 'LIST', optional: 'next-word', help: 'Where to rest.' },
    set: { value: 'KEY=VALUE', repeated: true, help: 'More.' },
    count: { value: 'N', short: 'n', help: 'How often.' }
  },
  examples: ['coin-stream walk home']
} as const satisfies VerbSpec

const read = (...words: string[]) => readArgs<keyof typeof spec.flags>(spec, words)

function refusal(...words: string[]): string {
  try {
    read(...words)
  } catch (error) {
    assert.ok(error instanceof IngestError && error.code === 'USAGE')
    return error.message
  }
  assert.fail(`${words.join(' ')} was accepted`)
}

suite('the arguments of a verb', () => {
  test('are flags with values, switches and operands in any order', () => {
    const args = read('home', '--pace', '5', '--quietly', '-n', '3', 'town', '--set', 'a=1', '--set=b=2')
    assert.deepEqual(args.operands, ['home', 'town'])
    assert.equal(args.text('pace'), '5')
    assert.equal(args.text('count'), '3')
    assert.ok(args.has('quietly'))
    assert.deepEqual(args.texts('set'), ['a=1', 'b=2'])
    assert.equal(args.text('along'), null)
  })

  test('may leave an optional value out, and only take it where it belongs', () => {
    const bare = read('--along', 'home', '--pauses', '--quietly')
    assert.equal(bare.text('along'), '')
    assert.equal(bare.text('pauses'), '')
    assert.deepEqual(bare.operands, ['home'])
    const full = read('--along=river', '--pauses', 'inn,bench')
    assert.equal(full.text('along'), 'river')
    assert.equal(full.text('pauses'), 'inn,bench')
    assert.equal(read('--pauses').text('pauses'), '')
    assert.equal(read('--pauses', '-n', '2').text('count'), '2')
  })

  test('name the nearest flag when one is unknown', () => {
    assert.equal(
      refusal('--quitely'),
      'coin-stream walk: There is no flag --quitely; did you mean --quietly? See coin-stream walk --help.'
    )
    assert.equal(refusal('--zzz'), 'coin-stream walk: There is no flag --zzz. See coin-stream walk --help.')
    assert.match(refusal('-z'), /no flag -z/)
  })

  test('are refused in one sentence when a value is missing, too much or given twice', () => {
    assert.match(refusal('--pace'), /--pace needs a value: --pace KM_PER_H\. /)
    assert.match(refusal('--pace', '--quietly'), /--pace needs a value/)
    assert.match(refusal('--pace='), /--pace needs a value/)
    assert.match(refusal('--quietly=yes'), /--quietly takes no value/)
    assert.match(refusal('--pace', '1', '--pace', '2'), /--pace is given twice/)
    assert.match(refusal('a', 'b', 'c'), /"c" is one word too many/)
    assert.match(refusal('a', ''), /One of its words is empty/)
  })

  test('end at --, behind which everything is an operand', () => {
    assert.deepEqual(read('--', '--pauses', '-n').operands, ['--pauses', '-n'])
  })

  test('have a help text within 80 columns that names every flag', () => {
    const text = helpText(spec)
    for (const name of Object.keys(spec.flags)) assert.ok(text.includes(`--${name}`), name)
    assert.ok(text.startsWith('Usage: coin-stream walk [FLAGS] [PLACE…]\n'))
    assert.ok(
      text.includes('--along[=PATH]') && text.includes('--pauses [LIST]') && text.includes('-n, --count N')
    )
    assert.ok(Math.max(...text.split('\n').map(line => line.length)) <= 80)
    assert.ok(read('--help').help && read('-h', 'a', 'b', 'c').help)
  })
})
