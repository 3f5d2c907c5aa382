import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Ajv } from 'ajv'
import { LineCounter, parseDocument } from 'yaml'
import { asIngestError, IngestError } from '../core/errors.ts'
import { deepFreeze } from './deep-freeze.ts'
import { type Fault, faultOf } from './fault.ts'
import { didYouMean, nearest } from './nearest.ts'
import { checkRules } from './rules.ts'
import { type Config, configSchema } from './schema.ts'
import { settings, settingsByPath, valueOf } from './settings.ts'
import { readTargets } from './targets.ts'

/** Where a configuration comes from; each of the later three overrules those before it. */
export interface ConfigSources {
  /** Path of the YAML file, null for none. */
  readonly file: string | null
  readonly env: Readonly<Record<string, string | undefined>>
  /** `flag` is the name the user typed, for messages; `text` is read like an environment variable's. */
  readonly flags: readonly { readonly flag: string; readonly path: string; readonly text: string }[]
}

export interface LoadedConfig {
  readonly config: Config
  /** Paths that somebody set, in whichever place; everything else is a default. */
  readonly given: ReadonlySet<string>
}

const fileBytesMax = 1024 * 1024

const ajv = new Ajv({ allErrors: true, useDefaults: true, allowUnionTypes: true, verbose: true })
// Targets are read by `readTargets`: a union of two shapes would answer one mistake with the complaints of both.
const check = ajv.compile({
  ...configSchema,
  properties: { ...configSchema.properties, targets: { type: 'array', default: [] } }
})

/**
 * Defaults ← YAML file ← environment ← flags.
 * @throws IngestError CONFIG_INVALID that names every fault at once: its path, what is wrong, what to do.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const faults: Fault[] = []
  const labels = new Map<string, string>()
  const draft = sources.file === null ? {} : readFile(sources.file, faults)
  const given = new Set(settings.filter(each => hasPath(draft, each.path)).map(each => each.path))
  for (const { path, env } of settings) {
    const text = sources.env[env]
    if (text === undefined || (text === '' && path !== 'kafka.brokers')) continue
    setByText(draft, path, text)
    labels.set(path, env)
    given.add(path)
  }
  faults.push(...misspeltVariables(sources.env))
  for (const { flag, path, text } of sources.flags) {
    if (settingsByPath.has(path)) {
      setByText(draft, path, text)
      labels.set(path, flag)
      given.add(path)
    } else {
      const hint = didYouMean(path, settingsByPath.keys())
      faults.push({
        path: `${flag} ${path}`,
        message: `is not a known key${hint === '' ? '; `coin-stream config schema` lists them.' : hint}`
      })
    }
  }
  if (draft['pod'] === undefined)
    draft['pod'] =
      hostname()
        .replaceAll(/[^A-Za-z0-9._-]/g, '-')
        .slice(0, 63) || 'pod'
  if (!check(draft)) faults.push(...(check.errors ?? []).map(error => faultOf('', error)))
  const targets = readTargets(ajv, draft['targets'], faults)
  checkRules(draft, targets, faults)
  if (faults.length > 0) throw invalid(faults, labels)
  return { config: deepFreeze({ ...draft, targets } as unknown as Config), given }
}

function invalid(faults: readonly Fault[], labels: ReadonlyMap<string, string>): IngestError {
  const lines = faults.map(({ path, message }) => `  ${path}${label(path, labels)}: ${message}`)
  const count = lines.length === 1 ? 'a fault' : `${lines.length} faults`
  return new IngestError('CONFIG_INVALID', `The configuration has ${count}:\n${lines.join('\n')}`)
}

/** Says where a value came from when it was not the file; an item's label is that of its list. */
function label(path: string, labels: ReadonlyMap<string, string>): string {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    const found = labels.get(at)
    if (found !== undefined) return ` (${found})`
  }
  return ''
}

function readFile(path: string, faults: Fault[]): Record<string, unknown> {
  let text: string
  try {
    text = readBounded(path)
  } catch (error) {
    faults.push({ path, message: `cannot be read (${asIngestError(error).message}); check --config.` })
    return {}
  }
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false })
  for (const error of document.errors) {
    const { line, col } = lineCounter.linePos(error.pos[0])
    faults.push({ path: `${path}:${line}:${col}`, message: `is not valid YAML: ${error.message}` })
  }
  if (document.errors.length > 0) return {}
  let root: unknown
  try {
    root = document.toJS()
  } catch (error) {
    // Aliases that would unfold without measure end here.
    faults.push({ path, message: `is not usable YAML: ${asIngestError(error).message}` })
    return {}
  }
  const content: unknown =
    typeof root === 'object' && root !== null ? Reflect.get(root, 'registry') : undefined
  // `registry: none` is the short form of `registry: { url: none }`.
  if (typeof content === 'string') Reflect.set(root as object, 'registry', { url: content })
  if (root === null || root === undefined) return {}
  if (isSection(root)) return root
  faults.push({
    path,
    message: 'holds no keys at its top level; write for example "kafka:" and its keys below it.'
  })
  return {}
}

function readBounded(path: string): string {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    if (size > fileBytesMax) throw new IngestError('CONFIG_INVALID', `it has more than ${fileBytesMax} bytes`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasPath(draft: Record<string, unknown>, path: string): boolean {
  let at: unknown = draft
  for (const key of path.split('.')) {
    if (!isSection(at) || !Object.hasOwn(at, key)) return false
    at = at[key]
  }
  return true
}

/** Sets a known path; where the file has something else than a section on the way, that fault is left to be reported. */
function setByText(draft: Record<string, unknown>, path: string, text: string): void {
  const setting = settingsByPath.get(path)!
  const keys = path.split('.')
  const last = keys.pop()!
  let at = draft
  for (const key of keys) {
    const next = at[key] ?? {}
    if (!isSection(next)) return
    at[key] = next
    at = next
  }
  at[last] = valueOf(setting, text)
}

/**
 * A variable of ours that is nearly a setting's is a slip of the pen. Others are let be: an orchestrator and our own
 * scripts put variables with our prefix into the environment too.
 */
function misspeltVariables(env: ConfigSources['env']): Fault[] {
  const prefix = 'COIN_STREAM_'
  const names = settings.map(each => each.env).filter(name => name.startsWith(prefix))
  const known = new Set(names)
  const faults: Fault[] = []
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || known.has(name)) continue
    const meant =
      name.length - prefix.length < 6
        ? null
        : nearest(
            name.slice(prefix.length),
            names.map(each => each.slice(prefix.length))
          )
    if (meant !== null) {
      faults.push({ path: name, message: `is not a known variable; did you mean ${prefix}${meant}?` })
    }
  }
  return faults
}
