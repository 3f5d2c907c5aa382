import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type FrameExplanation } from '../../src/codec/decode.ts'
import { type Summary } from '../../src/domain/summary.ts'
import { exchangeRegions, requestTypes } from '../../src/domain/target.ts'
import { bannedWords } from '../support/tidy/banned.ts'
import { unpairedExchanges } from '../support/tidy/documents.ts'
import { forbiddenImports, importCycles } from '../support/tidy/imports.ts'
import {
  projectRoot,
  readTree,
  resolveSpecifier,
  type SourceTree,
  specifiersOf
} from '../support/tidy/source-tree.ts'

/**
 * Follows "Adding an exchange" of CONTRIBUTING.md to the letter with a venue that does not exist, in a copy of the checkout.
 * A step that is changed there has to be changed here, and a venue that needs more than the steps say makes this fail.
 */

const name = 'toy'
const checkout = projectRoot(import.meta.url)
const copy = mkdtempSync(join(tmpdir(), 'coin-stream-toy-'))
after(() => rmSync(copy, { recursive: true, force: true }))

/** All of the program, which is compiled and type-checked in the copy as a whole. */
const copied = ['package.json', 'tsconfig.json', 'docs', 'src', 'actors', 'machines', 'schemas']

/** The contract suites that walk the registry of fixtures. */
const suiteFolder = 'tests/contract/'
const fixtureRegistry = 'tests/fixtures/registry.ts'
const suites = readdirSync(join(checkout, suiteFolder))
  .map(file => suiteFolder + file)
  .filter(path => importsOf(path).includes(fixtureRegistry))

function importsOf(path: string): string[] {
  const specifiers = specifiersOf(readFileSync(join(checkout, path), 'utf8'))
  return specifiers.flatMap(specifier => resolveSpecifier(path, specifier) ?? [])
}

/** The suites and what they import of the tests. */
function neededTests(): ReadonlySet<string> {
  const needed = new Set(suites)
  for (const path of needed) {
    for (const imported of importsOf(path)) if (imported.startsWith('tests/')) needed.add(imported)
  }
  return needed
}

interface Step {
  /** Every path that the step names, in its order. */
  readonly paths: readonly string[]
  /** The commands that it tells to run. */
  readonly commands: readonly string[]
  /** Does what the step says; what it tells to run is run by `follow`. */
  readonly act?: () => void
}

/** The steps as this test knows them. */
const steps: readonly Step[] = [
  {
    paths: ['src/exchange-kit/adapter.ts', 'src/exchanges/binance.ts', 'src/exchanges/upbit.ts'],
    commands: []
  },
  {
    paths: ['src/domain/target.ts'],
    commands: [],
    act: () => insert('src/domain/target.ts', /export const exchangeRegions = \{\n/, `  ${name}: 'asia',\n`)
  },
  {
    paths: [`src/exchanges/${name}.ts`, 'src/exchange-kit/rules.ts'],
    commands: [],
    act: () => write(`src/exchanges/${name}.ts`, template('adapter.ts.txt'))
  },
  {
    paths: ['src/exchanges/registry.ts'],
    commands: [],
    act: () => {
      const registry = 'src/exchanges/registry.ts'
      insert(registry, /(?=import \{ upbit \})/, `import { ${name} } from './${name}.ts'\n`)
      insert(registry, /export const adapters = \{\n/, `  ${name},\n`)
    }
  },
  {
    paths: [`tests/fixtures/${name}.ts`, fixtureRegistry, suiteFolder],
    commands: [],
    act: () => {
      write(`tests/fixtures/${name}.ts`, template('fixture.ts.txt'))
      insert(
        fixtureRegistry,
        /(?=import \{ upbitFixture \})/,
        `import { ${name}Fixture } from './${name}.ts'\n`
      )
      insert(fixtureRegistry, /export const fixtures[^=]*= \{\n/, `  ${name}: ${name}Fixture,\n`)
    }
  },
  { paths: [], commands: [`coin-stream decode ${name} --explain < frames.ndjson`] },
  { paths: ['docs/exchanges.md'], commands: ['coin-stream exchanges --markdown > docs/exchanges.md'] },
  {
    paths: [`src/simulator/venues/${name}.ts`, 'src/simulator/simulations.ts', 'src/simulator/timings.ts'],
    commands: [],
    act: () => {
      const registry = 'src/simulator/simulations.ts'
      write(`src/simulator/venues/${name}.ts`, template('simulator.ts.txt'))
      insert(
        registry,
        /(?=import \{ upbitSimulation \})/,
        `import { ${name}Simulation } from './venues/${name}.ts'\n`
      )
      insert(registry, /export const simulations = \{\n/, `  ${name}: ${name}Simulation,\n`)
    }
  },
  {
    paths: [],
    commands: [
      `coin-stream start --simulate --verify --json --for 3s ${name}/ticker:BTC-USDT ${name}/trade:BTC-USDT ${name}/orderbook:BTC-USDT`
    ]
  }
]

/** The numbered items of the section, each as one text. */
function writtenSteps(): string[] {
  const document = readFileSync(join(checkout, 'CONTRIBUTING.md'), 'utf8')
  const section = /^## Adding an exchange\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(document)?.[1] ?? ''
  return [...section.matchAll(/^\d+\. ([\s\S]*?)(?=^\d+\. |\n\n|(?![\s\S]))/gm)].map(match => match[1]!)
}

/** What stands in backticks, with the venue's name in it. */
function codesOf(step: string): string[] {
  return [...step.replace(/\s+/g, ' ').matchAll(/`([^`]+)`/g)].map(match =>
    match[1]!.replaceAll('<name>', name)
  )
}

function pathsOf(step: string): string[] {
  const inCommands = codesOf(step).flatMap(code => /> (\S+)$/.exec(code)?.[1] ?? [])
  return [...codesOf(step).filter(code => /^[\w-]+\/\S+$/.test(code)), ...inCommands]
}

function commandsOf(step: string): string[] {
  return codesOf(step).filter(code => code.startsWith('coin-stream '))
}

function template(file: string): string {
  return readFileSync(join(checkout, 'tests/fixtures/toy-exchange', file), 'utf8')
}

function write(path: string, text: string): void {
  assert.ok(!existsSync(join(copy, path)), `${path} exists already`)
  writeFileSync(join(copy, path), text)
}

function insert(path: string, behind: RegExp, line: string): void {
  const text = readFileSync(join(copy, path), 'utf8')
  const found = behind.exec(text)
  assert.ok(found !== null, `${path} has no place for a line: ${behind}`)
  const at = found.index + found[0].length
  writeFileSync(join(copy, path), text.slice(0, at) + line + text.slice(at))
}

interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(words: readonly string[], input = ''): Promise<Run> {
  // The runner that runs this test must not take a nested one for a part of itself.
  const env = { ...process.env }
  delete env['NODE_TEST_CONTEXT']
  const child = spawn(process.execPath, words, { cwd: copy, env, stdio: 'pipe' })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** Runs a command as it stands in a step; `< frames.ndjson` reads the toy's frames, `> PATH` writes a file of the copy. */
async function runWritten(command: string): Promise<Run> {
  const [, verb = '', target = ''] = /^coin-stream (.*?)(?: ([<>] \S+))?$/.exec(command) ?? []
  const input = target === '< frames.ndjson' ? template('frames.ndjson') : ''
  const done = await run(['dist/src/main.js', ...verb.split(' ')], input)
  if (target.startsWith('> ')) writeFileSync(join(copy, target.slice(2)), done.stdout)
  return done
}

async function compile(): Promise<void> {
  const { code, stdout } = await run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])
  assert.equal(code, 0, stdout)
}

function changedPaths(before: SourceTree, after: SourceTree): string[] {
  return [...after.keys()].filter(path => after.get(path) !== before.get(path)).sort()
}

suite('a twelfth exchange, added as CONTRIBUTING.md says', () => {
  let untouched: SourceTree = new Map()
  before(() => {
    for (const path of [...copied, ...neededTests()]) {
      mkdirSync(dirname(join(copy, path)), { recursive: true })
      cpSync(join(checkout, path), join(copy, path), { recursive: true })
    }
    symlinkSync(join(checkout, 'node_modules'), join(copy, 'node_modules'))
    untouched = readTree(copy)
  })

  test('the steps of the document are those that are followed here', () => {
    const written = writtenSteps()
    assert.equal(written.length, steps.length)
    assert.deepEqual(
      written.map(step => ({ paths: pathsOf(step), commands: commandsOf(step) })),
      steps.map(({ paths, commands }) => ({ paths, commands }))
    )
  })

  test('nothing but its files, its lines and the generated page has to be touched', () => {
    for (const { act, paths, commands } of steps) {
      act?.()
      if (commands.length > 0) continue
      for (const path of paths)
        assert.ok(existsSync(join(copy, path)), `${path} does not exist after its step`)
    }
    assert.deepEqual(changedPaths(untouched, readTree(copy)), [
      'src/domain/target.ts',
      'src/exchanges/registry.ts',
      `src/exchanges/${name}.ts`,
      'src/simulator/simulations.ts',
      `src/simulator/venues/${name}.ts`,
      fixtureRegistry,
      `tests/fixtures/${name}.ts`
    ])
  })

  test('everything compiles, and the house rules hold', async () => {
    await compile()
    const tree = readTree(copy)
    assert.deepEqual(forbiddenImports(tree), [])
    assert.deepEqual(importCycles(tree), [])
    assert.deepEqual(bannedWords(tree), [])
    assert.deepEqual(unpairedExchanges([...Object.keys(exchangeRegions), name], tree), [])
  })

  test('the contract suites run its fixture', async () => {
    assert.ok(suites.length > 0)
    const files = suites.map(path => `dist/${path.replace(/\.ts$/, '.js')}`)
    const flags = ['--enable-source-maps', '--test', '--test-reporter=tap', `--test-name-pattern=^${name}: `]
    const { code, stdout } = await run([...flags, ...files])
    const results = stdout.split('\n').filter(line => new RegExp(`ok \\d+ - ${name}: `).test(line))
    assert.equal(code, 0, stdout)
    assert.ok(results.length > 30, `only ${results.length} tests of ${name} ran`)
  })

  test('its frames are decoded by the command of the step', async () => {
    const { code, stdout, stderr } = await runWritten(steps[5]!.commands[0]!)
    assert.equal(code, 0, stderr)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    const explained = lines.filter(line => 'frame' in line) as unknown as FrameExplanation[]
    assert.deepEqual(
      explained.map(({ kind }) => kind),
      ['control', 'control', 'data', 'data', 'data', 'control']
    )
    const trade = lines.find(line => line['trade_id'] === '8')
    assert.deepEqual(
      [trade?.['symbol'], trade?.['native_symbol'], trade?.['price'], trade?.['side']],
      ['1INCH-USDT', '1INCH_USDT', '0.3110', 'SELL']
    )
  })

  test('the page about the exchanges has it after the command of the step', async () => {
    const { code, stderr } = await runWritten(steps[6]!.commands[0]!)
    assert.equal(code, 0, stderr)
    const page = readFileSync(join(copy, 'docs/exchanges.md'), 'utf8')
    assert.match(
      page,
      /\n\| \[toy\]\(#toy\) \| asia \| `BTC-USDT` \| `BTC_USDT` \| ack \| whole \| contiguous \|/
    )
    assert.match(page, /\n## toy\n[\s\S]*\n- It does not exist\.\n/)
  })

  test('its records are those that its simulator sent, all three channels', async () => {
    const { code, stdout, stderr } = await runWritten(steps[8]!.commands[0]!)
    assert.equal(code, 0, stderr)
    const { per_target, truth } = JSON.parse(stdout) as Summary
    assert.deepEqual(
      per_target.map(({ target }) => target),
      requestTypes.map(type => `${name}/${type}`)
    )
    for (const { target, records } of per_target) assert.ok(records > 0, `${target} has no record`)
    assert.ok(truth !== null && truth.delivered > 0 && truth.books_compared > 0, stdout)
  })
})
