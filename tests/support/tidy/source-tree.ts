import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Texts by path, relative to the project's root, so that a check runs on a planted tree as on the real one. */
export type SourceTree = ReadonlyMap<string, string>

/** What git ignores or keeps for itself, and other hidden folders: tools put their caches there. */
const foreignFolder = /^(?:node_modules|dist|coverage|run|\.(?!ci$|github$).+)$/
const skipped = /\.(?:png|jpe?g|gif|ico|gz|zip|jar|woff2?|log)$/

/** The folder whose package.json is the project's, above the file that asks, compiled or not. */
export function projectRoot(from: string): string {
  for (let folder = dirname(fileURLToPath(from)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json')
    if (!existsSync(file)) continue
    const { name } = JSON.parse(readFileSync(file, 'utf8')) as { readonly name?: string }
    if (name === 'coin-stream') return folder
  }
  throw new Error('no package.json of coin-stream lies above this file')
}

export function readTree(root: string): SourceTree {
  const tree = new Map<string, string>()
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || skipped.test(entry.name)) continue
    const file = join(entry.parentPath, entry.name)
    const path = file.slice(root.length + 1).replaceAll('\\', '/')
    if (
      dirname(path)
        .split('/')
        .some(part => foreignFolder.test(part))
    )
      continue
    tree.set(path, readFileSync(file, 'utf8'))
  }
  return tree
}

/** The TypeScript of a tree. */
export function sourcesOf(tree: SourceTree): [path: string, text: string][] {
  return [...tree].filter(([path]) => path.endsWith('.ts'))
}

/**
 * A source without its comments and the contents of its plain strings: what is left is code. Template literals stay, for
 * they hold code as well; a backtick in a regular expression would upset their pairing.
 */
export function codeOf(text: string): string {
  return text
    .replace(/(^|\s)\/\*[\s\S]*?\*\//g, '$1')
    .replace(/(^|\s)\/\/.*$/gm, '$1')
    .replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''")
}

/** What a source imports, as written. Type imports count: the compiler leaves them in as imports of nothing. */
export function specifiersOf(text: string): string[] {
  const forms = [
    /^import\s+(?:type\s+)?[\w$*{}\s,]+?\s+from\s+'([^']+)'/gm,
    /^export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[\w$\s,]*\})\s+from\s+'([^']+)'/gm,
    /^import\s+'([^']+)'/gm,
    /\bimport\('([^']+)'\)/g
  ]
  return forms.flatMap(form => [...text.matchAll(form)].map(match => match[1]!))
}

/** The path that a relative specifier names, seen from a file of the tree; null for a package. */
export function resolveSpecifier(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null
  const parts = dirname(from).split('/')
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}
