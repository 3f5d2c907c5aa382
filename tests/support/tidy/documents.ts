import { type SourceTree } from './source-tree.ts'

/** Error codes that docs/errors.md does not explain, and codes it explains that no longer exist. */
export function undocumentedCodes(codes: readonly string[], tree: SourceTree): string[] {
  const text = tree.get('docs/errors.md') ?? ''
  // A code is explained where it is a heading, or opens a table row or a list item.
  const places = text.matchAll(/^(?:#+\s+`?([A-Z][A-Z0-9_]+)`?\s*$|[|*-]\s*`([A-Z][A-Z0-9_]+)`)/gm)
  const explained = [...places].map(([, heading, item]) => heading ?? item!)
  const missing = codes.filter(code => !explained.includes(code))
  const gone = explained.filter(code => !codes.includes(code))
  return [
    ...missing.map(code => `docs/errors.md does not explain ${code}`),
    ...gone.map(code => `docs/errors.md explains ${code}, which is no code of src/core/errors.ts`)
  ]
}

/** Exchanges of the registry without a fixture, fixtures of exchanges that are not in it, files it does not list. */
export function unpairedExchanges(known: readonly string[], tree: SourceTree): string[] {
  const registry = tree.get('src/exchanges/registry.ts') ?? ''
  const registered = [...registry.matchAll(/from '\.\/([\w-]+)\.ts'/g)].map(match => match[1]!)
  const paths = [...tree.keys()]
  const namesIn = (folder: string): string[] =>
    paths
      .filter(path => path.startsWith(folder))
      .map(path => path.slice(folder.length).replace(/[./].*$/, ''))
  const fixtures = namesIn('tests/fixtures/')
  const files = namesIn('src/exchanges/').filter(name => name !== 'registry')
  return [
    ...registered
      .filter(name => !fixtures.includes(name))
      .map(name => `${name} has no tests/fixtures/${name}.*`),
    ...fixtures
      .filter(name => known.includes(name) && !registered.includes(name))
      .map(name => `tests/fixtures/${name}.* belongs to no exchange of src/exchanges/registry.ts`),
    ...files
      .filter(name => !registered.includes(name))
      .map(name => `src/exchanges/registry.ts does not list ${name}`)
  ]
}

/** Generated files that differ from what the generator would write now. */
export function staleFiles(wanted: ReadonlyMap<string, string>, folder: string, tree: SourceTree): string[] {
  const stale = [...wanted].filter(([name, text]) => tree.get(folder + name) !== text).map(([name]) => name)
  const surplus = [...tree.keys()]
    .filter(path => path.startsWith(folder) && !wanted.has(path.slice(folder.length)))
    .map(path => path.slice(folder.length))
  return [
    ...stale.map(name => `${folder}${name} is not what its source gives: npm run generate`),
    ...surplus.map(name => `${folder}${name} has no source any more`)
  ]
}

const documents = ['ARCHITECTURE.md', 'README.md', 'CONTRIBUTING.md']

/** Paths that the documents name in backticks or link to, and that do not exist. */
export function brokenPaths(tree: SourceTree): string[] {
  const paths = [...tree.keys()]
  const tops = new Set(paths.filter(path => path.includes('/')).map(path => path.slice(0, path.indexOf('/'))))
  const faults: string[] = []
  for (const document of documents) {
    const text = tree.get(document) ?? ''
    const named = [...text.matchAll(/`([\w.*{},/-]+)`/g)]
      .map(match => match[1]!)
      .filter(name => name.includes('/') && tops.has(name.slice(0, name.indexOf('/'))))
    const linked = [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(match => match[1]!)
    for (const name of new Set([...named, ...linked])) {
      if (!alternatives(name).every(one => exists(one, paths)))
        faults.push(`${document} names ${name}, which does not exist`)
    }
  }
  return faults
}

/** `a/{b,c}.ts` stands for a/b.ts and a/c.ts. */
function alternatives(name: string): string[] {
  const braces = /\{([^{}]*)\}/.exec(name)
  if (braces === null) return [name]
  return braces[1]!.split(',').flatMap(choice => alternatives(name.replace(braces[0], choice)))
}

/** Whether a file or a folder has this name, in which `*` stands for any part and `**` for any parts. */
function exists(name: string, paths: readonly string[]): boolean {
  const pattern = name
    .replace(/^\.\//, '')
    .replace(/\/$/, '')
    .replace(/[.+?^$()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/?|\*/g, star => (star === '*' ? '[^/]*' : '.*'))
  const form = new RegExp(`^${pattern}(?:/|$)`)
  return paths.some(path => form.test(path))
}
