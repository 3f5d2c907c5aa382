import { resolveSpecifier, type SourceTree, sourcesOf, specifiersOf } from './source-tree.ts'

interface Rule {
  /** Beginnings of the paths that may be imported; the folder itself is always allowed, unless `isolated`. */
  readonly may: readonly string[]
  readonly never?: readonly string[]
  /** Which of Node's modules: all, or those named. */
  readonly node?: 'all' | readonly string[]
  readonly packages?: 'all' | readonly string[]
  /** Files of this folder may not import each other. */
  readonly isolated?: boolean
}

const everything: Rule = { may: [''], node: 'all', packages: 'all' }
/** Only these may know the whole: nothing below imports them. */
const top = ['src/app/', 'src/cli/', 'src/main.ts', 'tests/', 'bench/']

/** Who may import whom; the longest beginning of a path decides. An actor's folder gets `actorRule`. */
const rules: Readonly<Record<string, Rule>> = {
  'schemas/generated/': { may: [], isolated: true },
  'schemas/': { may: [], node: 'all' },
  'src/core/': { may: [], node: 'all', packages: ['pino'] },
  'src/domain/': { may: ['src/core/', 'schemas/'], packages: ['ajv', 'typebox'] },
  'src/wire/': { may: ['src/core/', 'src/domain/'] },
  'src/exchange-kit/': {
    may: ['src/core/', 'src/domain/', 'src/wire/', 'schemas/generated/'],
    node: ['node:zlib', 'node:buffer', 'node:assert/strict']
  },
  'src/exchanges/': { may: ['src/core/', 'src/domain/', 'src/exchange-kit/'], isolated: true },
  'src/exchanges/registry.ts': { may: ['src/core/', 'src/domain/', 'src/exchange-kit/', 'src/exchanges/'] },
  // Simulators and check share no code with what they are there to check.
  'src/simulator/': { may: ['src/core/', 'src/domain/'], node: 'all', packages: ['ws'] },
  'src/verify/': {
    may: ['src/core/', 'src/domain/', 'src/wire/', 'schemas/', 'src/bus/', 'src/simulator/'],
    node: 'all',
    packages: ['avsc', 'kafkajs']
  },
  'src/config/': { may: ['src/core/', 'src/domain/'], node: 'all', packages: ['ajv', 'typebox', 'yaml'] },
  'src/bus/': {
    may: ['src/core/', 'src/domain/'],
    node: 'all',
    packages: ['avsc', 'kafkajs', 'lz4-napi', 'snappy']
  },
  'src/capture/': { may: ['src/core/', 'src/domain/'], node: 'all' },
  'src/state/': { may: ['src/core/', 'src/domain/'], node: 'all' },
  'src/codec/': {
    may: ['src/core/', 'src/domain/', 'src/wire/', 'schemas/', 'src/exchange-kit/', 'src/exchanges/'],
    node: 'all',
    packages: ['avsc']
  },
  'machines/': { may: ['src/core/', 'src/domain/'], packages: ['xstate'] },
  'actors/runtime/': { may: ['src/core/'], node: 'all' },
  'src/app/': { ...everything, never: ['tests/', 'bench/', 'src/main.ts'] },
  'src/cli/': { ...everything, never: ['tests/', 'bench/', 'src/main.ts'] },
  'src/main.ts': { ...everything, never: ['tests/', 'bench/'] },
  'tests/': everything,
  'bench/': everything,
  'deploy/': everything
}

function actorRule(folder: string): Rule {
  // The producer owns the codec pool: the one actor that builds a part of another.
  const pool = folder === 'actors/producer/' ? ['actors/codec/pool.ts'] : []
  return {
    may: ['actors/runtime/', 'machines/', 'schemas/', 'src/', ...pool],
    never: top,
    node: 'all',
    packages: 'all'
  }
}

function ruleOf(path: string): [folder: string, rule: Rule] | null {
  const folder = Object.keys(rules)
    .filter(name => path.startsWith(name))
    .sort((a, b) => b.length - a.length)[0]
  if (folder !== undefined) return [folder, rules[folder]!]
  const actor = /^actors\/[^/]+\//.exec(path)?.[0]
  return actor === undefined ? null : [actor, actorRule(actor)]
}

function isWithin(name: string, allowed: 'all' | readonly string[] | undefined): boolean {
  return allowed === 'all' || (allowed ?? []).includes(name)
}

function mayImport(folder: string, rule: Rule, from: string, specifier: string): boolean {
  if (specifier.startsWith('node:')) return isWithin(specifier, rule.node)
  const path = resolveSpecifier(from, specifier)
  if (path === null) {
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    return isWithin(name, rule.packages)
  }
  if (path.startsWith(folder) && rule.isolated !== true) return true
  return (
    rule.may.some(start => path.startsWith(start)) &&
    !(rule.never ?? []).some(start => path.startsWith(start))
  )
}

/** Imports that the table does not allow. */
export function forbiddenImports(tree: SourceTree): string[] {
  const faults: string[] = []
  for (const [path, text] of sourcesOf(tree)) {
    const found = ruleOf(path)
    if (found === null) {
      faults.push(`${path}: no rule says what this folder may import`)
      continue
    }
    for (const specifier of specifiersOf(text)) {
      if (!mayImport(...found, path, specifier)) faults.push(`${path} may not import ${specifier}`)
    }
  }
  return faults
}

/** Import cycles, each as the files that lie on it. Type imports count, since the compiled files import each other. */
export function importCycles(tree: SourceTree): string[] {
  const edges = new Map(
    sourcesOf(tree).map(([path, text]) => {
      const targets = specifiersOf(text).map(specifier => resolveSpecifier(path, specifier))
      return [path, targets.filter(target => target !== null && tree.has(target))] as const
    })
  )
  const cycles: string[] = []
  const finished = new Set<string>()
  const trail: string[] = []
  const visit = (path: string): void => {
    const at = trail.indexOf(path)
    if (at >= 0) cycles.push([...trail.slice(at), path].join(' → '))
    if (at >= 0 || finished.has(path)) return
    trail.push(path)
    for (const target of edges.get(path) ?? []) visit(target!)
    trail.pop()
    finished.add(path)
  }
  for (const path of edges.keys()) visit(path)
  return cycles
}
