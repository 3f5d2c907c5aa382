import { parseArgs } from 'node:util'
import { didYouMean } from '../config/nearest.ts'
import { IngestError } from '../core/errors.ts'

/** One flag of a verb. `value` names what it takes, in capitals; null for a switch. */
export interface Flag {
  readonly value: string | null
  readonly help: string
  /** The value may be left out: `--simulate` and `--simulate=PATH`, or `--faults` and `--faults LIST`. */
  readonly optional?: 'after-equals' | 'next-word'
  readonly short?: string
  readonly repeated?: boolean
}

export interface VerbSpec<Name extends string = string> {
  /** `tail` or `simulate check`. */
  readonly verb: string
  /** What stands behind the flags in the usage line: `TOPIC`, `EXCHANGE [FILE]`, `[TARGET…]`. */
  readonly operands: string
  readonly operandsMax: number
  /** One line for the list of verbs. */
  readonly summary: string
  readonly description: string
  readonly flags: Readonly<Record<Name, Flag>>
  readonly examples: readonly string[]
}

export interface Parsed<Name extends string = string> {
  readonly operands: readonly string[]
  readonly help: boolean
  has(flag: Name): boolean
  /** The text given; `''` when an optional value was left out, null when the flag was not given. */
  text(flag: Name): string | null
  texts(flag: Name): readonly string[]
}

/**
 * Reads the words behind a verb.
 * @throws IngestError USAGE with one sentence that names the nearest flag we know.
 */
export function readArgs<Name extends string>(spec: VerbSpec<Name>, words: readonly string[]): Parsed<Name> {
  const flags = new Map<string, Flag>([...Object.entries<Flag>(spec.flags), ['help', helpFlag]])
  const { tokens } = parseArgs({
    args: fillOptional(flags, words),
    options: Object.fromEntries(
      [...flags].map(([name, flag]) => [
        name,
        {
          type: flag.value === null || flag.optional === 'after-equals' ? 'boolean' : 'string',
          ...(flag.short === undefined ? {} : { short: flag.short })
        } as const
      ])
    ),
    strict: false,
    allowPositionals: true,
    tokens: true
  })
  const values = new Map<string, string[]>()
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const flag = flags.get(token.name)
    if (flag === undefined) throw unknownFlag(spec, token.rawName, [...flags.keys()])
    const given = values.get(token.name)
    if (given !== undefined && flag.repeated !== true) {
      throw usage(spec, `${token.rawName} is given twice`)
    }
    values.set(token.name, [...(given ?? []), valueOf(spec, flag, token)])
  }
  if (operands.includes('')) throw usage(spec, 'One of its words is empty')
  if (operands.length > spec.operandsMax && !values.has('help')) {
    throw usage(spec, `"${operands[spec.operandsMax]}" is one word too many`)
  }
  return {
    operands,
    help: values.has('help'),
    has: flag => values.has(flag),
    text: flag => values.get(flag)?.[0] ?? null,
    texts: flag => values.get(flag) ?? []
  }
}

const helpFlag: Flag = { value: null, short: 'h', help: 'Show this text.' }

/** A bare `--faults` before another flag or at the end becomes `--faults=`, which node would take as missing its value. */
function fillOptional(flags: ReadonlyMap<string, Flag>, words: readonly string[]): string[] {
  const end = words.includes('--') ? words.indexOf('--') : words.length
  return words.map((word, at) => {
    const flag = at < end && word.startsWith('--') ? flags.get(word.slice(2)) : undefined
    const next = words[at + 1]
    const isBare = at + 1 >= end || next === undefined || next.startsWith('-')
    return flag?.optional === 'next-word' && isBare ? `${word}=` : word
  })
}

function valueOf(
  spec: VerbSpec,
  flag: Flag,
  token: {
    readonly rawName: string
    readonly value?: string | undefined
    readonly inlineValue?: boolean | undefined
  }
): string {
  if (flag.value === null) {
    if (token.value !== undefined) throw usage(spec, `${token.rawName} takes no value`)
    return ''
  }
  if (flag.optional !== undefined) return token.value ?? ''
  const isMissing = token.value === undefined || token.value === ''
  if (isMissing || (token.inlineValue !== true && token.value.startsWith('-') && token.value !== '-')) {
    throw usage(spec, `${token.rawName} needs a value: ${token.rawName} ${flag.value}`)
  }
  return token.value
}

function unknownFlag(spec: VerbSpec, rawName: string, known: readonly string[]): IngestError {
  const hint = didYouMean(rawName.replace(/^-+/, ''), known).replace('mean ', 'mean --')
  return usage(spec, `There is no flag ${rawName}`, hint)
}

/** A wrong use of a verb, as one sentence and the way to its help. */
export function usage(spec: Pick<VerbSpec, 'verb'>, what: string, hint = ''): IngestError {
  const end = hint === '' ? '.' : hint
  return new IngestError(
    'USAGE',
    `coin-stream ${spec.verb}: ${what}${end} See coin-stream ${spec.verb} --help.`
  )
}

export function helpText(spec: VerbSpec): string {
  const flags = Object.entries<Flag>({ ...spec.flags, help: helpFlag })
  const heads = flags.map(([name, flag]) => flagHead(name, flag))
  const width = Math.max(...heads.map(head => head.length))
  const lines = flags.flatMap(([, flag], i) => {
    const [first = '', ...rest] = wrap(flag.help, 78 - width - 4)
    return [`  ${heads[i]!.padEnd(width)}  ${first}`, ...rest.map(line => `  ${' '.repeat(width)}  ${line}`)]
  })
  const words = ['coin-stream', spec.verb, '[FLAGS]', spec.operands].filter(word => word !== '')
  return [
    `Usage: ${words.join(' ')}`,
    '',
    ...wrap(spec.description, 80),
    '',
    'Flags:',
    ...lines,
    '',
    'Examples:',
    ...spec.examples.map(example => `  ${example}`),
    ''
  ].join('\n')
}

function flagHead(name: string, flag: Flag): string {
  const short = flag.short === undefined ? '' : `-${flag.short}, `
  if (flag.value === null) return `${short}--${name}`
  if (flag.optional === 'after-equals') return `${short}--${name}[=${flag.value}]`
  return flag.optional === 'next-word'
    ? `${short}--${name} [${flag.value}]`
    : `${short}--${name} ${flag.value}`
}

/** Breaks text into lines of at most `width` characters; blank lines of the text stay. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap(paragraph => {
    const lines = ['']
    for (const word of paragraph.split(' ')) {
      const last = lines.at(-1)!
      if (last !== '' && last.length + 1 + word.length > width) lines.push(word)
      else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
    }
    return lines
  })
}
