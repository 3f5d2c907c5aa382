import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { generate, readSources } from '../schemas/generate.ts'
import { exchangesMarkdown } from '../src/cli/exchanges-markdown.ts'
import { errorTable } from '../src/core/errors.ts'
import { exchangeRegions } from '../src/domain/target.ts'
import { adapters } from '../src/exchanges/registry.ts'
import { bannedWords, machineSpecifics } from './support/tidy/banned.ts'
import { brokenPaths, staleFiles, undocumentedCodes, unpairedExchanges } from './support/tidy/documents.ts'
import { forbiddenImports, importCycles } from './support/tidy/imports.ts'
import { projectRoot, readTree, type SourceTree, sourcesOf } from './support/tidy/source-tree.ts'

const root = projectRoot(import.meta.url)
const project = readTree(root)
const codes = Object.keys(errorTable)
const exchanges = Object.keys(exchangeRegions)

function tree(files: Readonly<Record<string, string>>): SourceTree {
  return new Map(Object.entries(files))
}

test('the checks see the project', () => {
  assert.ok(sourcesOf(project).length > 50, `only ${sourcesOf(project).length} sources seen in ${root}`)
  assert.ok(project.has('package.json') && project.has('src/core/errors.ts'))
})

test('everything imports only what its folder may', () => {
  assert.deepEqual(forbiddenImports(project), [])
})

const plantedImports: readonly (readonly [path: string, text: string, isAllowed: boolean])[] = [
  ['machines/a.ts', "import { readFileSync } from 'node:fs'", false],
  ['machines/a.ts', "import { type Ref } from '../actors/exchange/ref.ts'", false],
  ['machines/a.ts', "import { setup } from 'xstate'", true],
  ['src/core/a.ts', "import { type Target } from '../domain/target.ts'", false],
  ['src/core/a.ts', "import { pino } from 'pino'", true],
  ['src/domain/a.ts', "import { setup } from 'xstate'", false],
  ['src/wire/a.ts', "import { connect } from 'node:net'", false],
  ['src/exchanges/kraken.ts', "import { createHash } from 'node:crypto'", false],
  ['src/exchanges/kraken.ts', "import { upbit } from './upbit.ts'", false],
  ['src/exchanges/registry.ts', "import { upbit } from './upbit.ts'", true],
  ['src/exchange-kit/a.ts', "import { WebSocket } from 'ws'", false],
  ['src/simulator/a.ts', "import { tokenize } from '../exchange-kit/tape.ts'", false],
  ['src/simulator/a.ts', "import { upbit } from '../exchanges/upbit.ts'", false],
  ['src/simulator/a.ts', "import { decode } from '../codec/decode.ts'", false],
  ['src/verify/a.ts', "import { decode } from '../codec/decode.ts'", false],
  ['src/verify/a.ts', "import { Ledger } from '../simulator/ledger.ts'", true],
  ['src/codec/a.ts', "import { Piscina } from 'piscina'", false],
  ['actors/exchange/a.ts', "import {\n  type ProducerOrder\n} from '../producer/messages.ts'", false],
  ['actors/exchange/a.ts', "export { run } from '../../src/app/wire.ts'", false],
  ['actors/exchange/a.ts', "const kafka = await import('../kafka/admin.ts')", false],
  ['actors/exchange/a.ts', "import { ThreadRef } from '../runtime/thread-ref.ts'", true],
  ['actors/exchange/a.ts', "import { CodecPool } from '../codec/pool.ts'", false],
  ['actors/producer/a.ts', "import { CodecPool } from '../codec/pool.ts'", true],
  ['actors/producer/a.ts', "import { run } from '../codec/worker.ts'", false],
  ['actors/runtime/a.ts', "import { type Target } from '../../src/domain/target.ts'", false],
  ['src/config/a.ts', "import { ManualClock } from '../../tests/support/manual-clock.ts'", false],
  ['src/app/a.ts', "import { Supervisor } from '../../actors/supervisor/actor.ts'", true],
  ['src/new-folder/a.ts', '', false]
]
for (const [path, text, isAllowed] of plantedImports) {
  test(`the import table ${isAllowed ? 'allows' : 'finds'} in ${path}: ${text.replace(/\s+/g, ' ') || 'nothing'}`, () => {
    assert.equal(forbiddenImports(tree({ [path]: `// first line\n${text}\n` })).length, isAllowed ? 0 : 1)
  })
}

test('no file imports itself, over however many others', () => {
  assert.deepEqual(importCycles(project), [])
})

test('a planted cycle is found once, type imports included, and a diamond is none', () => {
  const a = "import { b } from './b.ts'\nimport { d } from './d.ts'"
  const files = {
    'src/x/a.ts': a,
    'src/x/b.ts': "import { c } from '../y/c.ts'",
    'src/x/d.ts': "export * from '../y/c.ts'"
  }
  assert.deepEqual(importCycles(tree({ ...files, 'src/y/c.ts': '' })), [])
  assert.deepEqual(importCycles(tree({ ...files, 'src/y/c.ts': "import { type B } from '../x/b.ts'" })), [
    'src/x/b.ts → src/y/c.ts → src/x/b.ts'
  ])
})

test('no banned call or word stands in the sources', () => {
  assert.deepEqual(bannedWords(project), [])
})

const plantedWords: readonly (readonly [path: string, text: string, isAllowed: boolean])[] = [
  ['machines/a.ts', 'const now = Date.now()', false],
  ['machines/a.ts', 'const now = new Date()', false],
  ['machines/a.ts', 'const share = Math.random()', false],
  ['machines/a.ts', 'setTimeout(() => undefined, 5)', false],
  ['src/core/a.ts', 'setTimeout(() => undefined, 5)', true],
  ['src/core/a.ts', "console.log('x')", false],
  ['src/cli/a.ts', "console.log('x')", true],
  ['src/core/a.ts', "throw new Error('x')", false],
  ['tests/a.ts', "throw new Error('x')", true],
  ['src/core/a.ts', "throw new RangeError('x')", true],
  ['src/core/a.ts', 'export default 1', false],
  ['src/core/a.ts', 'export { a as default }', false],
  ['actors/codec/worker.ts', 'export default function run(): void {}', true],
  ['src/core/a.ts', 'let x: any = 1', false],
  ['src/core/a.ts', 'const x = y as any', false],
  ['src/core/a.ts', 'type X = Record<string, any>', false],
  ['src/core/a.ts', 'const x: any[] = []', false],
  ['src/core/a.ts', '// say any, console.log(1) or new Error(2) in a comment: any', true],
  ['src/core/a.ts', '/** any: any\n * new Error( */', true],
  ['src/core/a.ts', "const text = 'new Error(1), any'", true]
]
for (const [path, text, isAllowed] of plantedWords) {
  test(`the bans ${isAllowed ? 'allow' : 'find'} in ${path}: ${text.replace(/\s+/g, ' ')}`, () => {
    assert.equal(bannedWords(tree({ [path]: `const first = 1\n${text}\n` })).length, isAllowed ? 0 : 1)
  })
}

test('no line names the host of a package registry or a path of somebody’s machine', () => {
  assert.deepEqual(machineSpecifics(project), [])
})

test('a planted registry host and planted machine paths are found', () => {
  const join2 = (...parts: readonly string[]): string => parts.join('')
  const lines = [
    join2('https://registry', '.npmjs', '.org/x'),
    join2('pip --index-url https://py', 'pi.org'),
    join2("cd '/ho", "me/somebody/x'"),
    join2('file:///wo', 'rk/x (=/wo', 'rk/x)'),
    join2('a = "/tm', 'p/a"')
  ]
  assert.equal(machineSpecifics(tree({ 'src/a.ts': lines.join('\n') })).length, lines.length)
  assert.deepEqual(
    machineSpecifics(tree({ 'a.md': 'http://registry:8081\nsrc/work/a.ts\nhttps://a.b/tmp/x' })),
    []
  )
})

test('every error code is explained in docs/errors.md, and no other', () => {
  assert.deepEqual(undocumentedCodes(codes, project), [])
})

test('a code without explanation and an explanation without code are found', () => {
  const text = '### USAGE\nSet `KAFKA_BROKERS` after INTERNAL.\n| `SOCKET_STALE` | silent |\n'
  assert.deepEqual(undocumentedCodes(['USAGE', 'SOCKET_STALE'], tree({ 'docs/errors.md': text })), [])
  assert.equal(undocumentedCodes(['USAGE'], tree({ 'docs/errors.md': text })).length, 1)
  assert.equal(undocumentedCodes(['SOCKET_STALE'], tree({ 'docs/errors.md': text })).length, 1)
  assert.equal(
    undocumentedCodes(['USAGE', 'SOCKET_STALE', 'INTERNAL'], tree({ 'docs/errors.md': text })).length,
    1
  )
})

test('every exchange is registered and has a fixture, and every fixture an exchange', () => {
  assert.deepEqual(unpairedExchanges(exchanges, project), [])
})

test('an exchange without fixture, a fixture without exchange and an unregistered file are found', () => {
  const files = {
    'src/exchanges/registry.ts': "import { upbit } from './upbit.ts'",
    'src/exchanges/upbit.ts': '',
    'tests/fixtures/upbit.ts': ''
  }
  assert.deepEqual(unpairedExchanges(exchanges, tree(files)), [])
  const withoutFixture = Object.entries(files).filter(([path]) => !path.startsWith('tests/'))
  assert.equal(unpairedExchanges(exchanges, new Map(withoutFixture)).length, 1)
  assert.equal(unpairedExchanges(exchanges, tree({ ...files, 'tests/fixtures/okx.json': '' })).length, 1)
  assert.equal(unpairedExchanges(exchanges, tree({ ...files, 'src/exchanges/okx.ts': '' })).length, 1)
})

test('the generated sources are what their schemas give', () => {
  const wanted = generate(readSources(pathToFileURL(join(root, 'schemas/'))))
  assert.ok(wanted.size > 0)
  assert.deepEqual(staleFiles(wanted, 'schemas/generated/', project), [])
})

test('a generated file that was edited, is missing or has lost its source is found', () => {
  const wanted = new Map([['a.ts', 'a']])
  assert.deepEqual(staleFiles(wanted, 'g/', tree({ 'g/a.ts': 'a' })), [])
  for (const files of [{ 'g/a.ts': 'b' }, {}, { 'g/a.ts': 'a', 'g/b.ts': '' }]) {
    assert.equal(staleFiles(wanted, 'g/', tree(files)).length, 1)
  }
})

test('docs/exchanges.md is what the adapters give: coin-stream exchanges --markdown > docs/exchanges.md', () => {
  assert.equal(project.get('docs/exchanges.md'), exchangesMarkdown(Object.values(adapters)))
})

test('every path that the documents name exists', () => {
  assert.deepEqual(brokenPaths(project), [])
})

test('a path that does not exist is found, in backticks and in a link', () => {
  const files = { 'src/core/a.ts': '', 'actors/x/thread.ts': '', 'docs/errors.md': '' }
  const good =
    'Read `src/core/a.ts`, `src/{core,core}/`, `actors/*/thread.ts`, `src/**/a.ts`, [x](docs/errors.md#y), `upbit/trade`.'
  assert.deepEqual(brokenPaths(tree({ ...files, 'README.md': good })), [])
  for (const bad of ['`src/core/b.ts`', '`src/{core,wire}/a.ts`', '`actors/*/ref.ts`', '[x](docs/gone.md)']) {
    assert.equal(brokenPaths(tree({ ...files, 'README.md': bad })).length, 1, bad)
  }
})
