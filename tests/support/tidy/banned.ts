import { codeOf, type SourceTree, sourcesOf } from './source-tree.ts'

interface Ban {
  readonly pattern: RegExp
  readonly applies: (path: string) => boolean
  readonly instead: string
}

const isTest = (path: string): boolean => path.startsWith('tests/')
const isMachine = (path: string): boolean => path.startsWith('machines/')

/** Piscina calls the default export of a task's file. */
const piscinaTasks = ['actors/codec/worker.ts', 'bench/contenders/per-message-worker.ts']

const bans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(|\bperformance\.now\(/,
    applies: isMachine,
    instead: 'the clock that is given in'
  },
  { pattern: /\bMath\.random\(/, applies: isMachine, instead: 'the random source that is given in' },
  {
    pattern: /\bset(?:Timeout|Interval|Immediate)\(/,
    applies: isMachine,
    instead: 'a delay of the machine (after)'
  },
  {
    pattern: /\bconsole\.\w+\(/,
    applies: path => !path.startsWith('src/cli/') && !path.startsWith('scripts/'),
    instead: 'the logger, or a document on stdout from src/cli'
  },
  {
    pattern: /\bnew Error\(/,
    applies: path => !isTest(path),
    instead: 'IngestError with a code, or a RangeError or TypeError for a mistake of the programmer'
  },
  {
    pattern: /^export default\b|\bas default\b/m,
    applies: path => !piscinaTasks.includes(path),
    instead: 'a named export'
  },
  {
    pattern: /(?::|\bas|[<,|&]|=>)\s*any\b(?!\s*\w)|\bany\[\]/,
    applies: () => true,
    instead: 'unknown at the edge, a closed union inside'
  }
]

/** Calls and words that are banned where they stand, each with what to write instead. */
export function bannedWords(tree: SourceTree): string[] {
  const faults: string[] = []
  for (const [path, text] of sourcesOf(tree)) {
    // Tests hand scripts to child processes as text in template literals.
    const code = isTest(path) ? codeOf(text).replace(/`(?:[^`\\]|\\.)*`/g, '``') : codeOf(text)
    for (const { pattern, applies, instead } of bans) {
      const found = applies(path) ? pattern.exec(code) : null
      if (found !== null) faults.push(`${path} has "${found[0].trim()}": write ${instead}`)
    }
  }
  return faults
}

const hosts = [
  /\bregistry\.[a-z-]+\.(?:org|com|io)\b/,
  /\b(?:files\.)?pypi(?:thonhosted)?\.org\b/,
  /\bpythonhosted\.org\b/,
  /\brepo1?\.maven\b/,
  /\bproxy\.golang\.org\b/,
  /\bindex\.crates\.io\b/
]
const machinePaths = /(?:^|[\s'"`(=]|:\/?\/?)(?:\/work\/|\/home\/|\/root\/|\/Users\/|[A-Z]:\\)/
/** Code asks the operating system where temporary files belong; documents and tests may name a path as an example. */
const temporaryPaths = /['"`(=]\/tmp\//
const isExample = (path: string): boolean => isTest(path) || path.endsWith('.md')
/** An image has paths of its own. */
const isImage = (path: string): boolean => path.startsWith('deploy/')

/** Lines that name a package registry's host or an absolute path of a machine: they are true in one place only. */
export function machineSpecifics(tree: SourceTree): string[] {
  const faults: string[] = []
  for (const [path, text] of tree) {
    text.split('\n').forEach((line, index) => {
      if (hosts.some(host => host.test(line)))
        faults.push(`${path}:${index + 1} names a package registry's host`)
      const isMachinePath = machinePaths.test(line) || (!isExample(path) && temporaryPaths.test(line))
      if (isMachinePath && !isImage(path))
        faults.push(`${path}:${index + 1} names an absolute path of a machine`)
    })
  }
  return faults
}
