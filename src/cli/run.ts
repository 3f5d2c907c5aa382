import { readFileSync } from 'node:fs'
import { didYouMean } from '../config/nearest.ts'
import { asIngestError, type ErrorCode, IngestError } from '../core/errors.ts'
import { ExitCode, type Io } from './io.ts'
import { type Verb } from './verb.ts'
import { verbs } from './verbs.ts'

const usageCodes: ReadonlySet<ErrorCode> = new Set(['USAGE', 'CONFIG_INVALID', 'TARGET_INVALID'])

/** Runs one command line to its end. Whatever goes wrong is said on stderr; the answer is the exit code. */
export async function runCli(words: readonly string[], io: Io): Promise<ExitCode> {
  try {
    const code = await dispatch(words, io)
    return code === ExitCode.done && isOutputLost(io) ? ExitCode.failed : code
  } catch (error) {
    const known = asIngestError(error)
    // Complaints about a verb begin with its name already.
    io.err(`${known.message.startsWith('coin-stream ') ? '' : 'coin-stream: '}${known.message}\n`)
    // Only what nobody expected needs its stack; everything else has said what to do.
    if (known.code === 'INTERNAL' && known.cause instanceof Error) io.err(`${known.cause.stack}\n`)
    return usageCodes.has(known.code) ? ExitCode.usage : ExitCode.failed
  }
}

/** Whether documents could not be written, and says so. A reader that has seen enough is no loss. */
function isOutputLost(io: Io): boolean {
  if (!io.outClosed.aborted) return false
  const { code, message } = io.outClosed.reason as NodeJS.ErrnoException
  if (typeof code !== 'string' || code === 'EPIPE') return false
  io.err(`coin-stream: stdout cannot be written: ${message}.\n`)
  return true
}

async function dispatch(words: readonly string[], io: Io): Promise<ExitCode> {
  const [first, ...rest] = words
  if (first === undefined) {
    io.err(overview())
    return ExitCode.usage
  }
  if (first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    await io.out(overview())
    return ExitCode.done
  }
  if (first === '--version' || first === '-V') {
    await io.out(`${version()}\n`)
    return ExitCode.done
  }
  if (first === 'help') return dispatch([...rest, '--help'], io)
  const [verb, left] = findVerb(words)
  return verb === null ? group(first, rest, io) : verb.run(left, io)
}

/** The verb of two words before the one of one word: `simulate check` before `simulate`. */
function findVerb(words: readonly string[]): [Verb | null, readonly string[]] {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ')
    const verb = verbs.find(each => each.spec.verb === name)
    if (verb !== undefined) return [verb, words.slice(length)]
  }
  return [null, words]
}

/** A first word that is no verb by itself: `config`, or a slip. */
async function group(first: string, rest: readonly string[], io: Io): Promise<ExitCode> {
  const members = verbs.filter(({ spec }) => spec.verb.startsWith(`${first} `))
  if (members.length > 0) {
    const names = members.map(({ spec }) => spec.verb.slice(first.length + 1))
    if (rest[0] === '--help' || rest[0] === '-h') {
      await io.out(`Usage: coin-stream ${first} ${names.join('|')}\n\n${listOf(members)}`)
      return ExitCode.done
    }
    const given = rest[0] === undefined || rest[0].startsWith('-') ? null : rest[0]
    const what = given === null ? 'needs one more word' : `"${given}" is not one of its verbs`
    const hint = given === null ? '' : didYouMean(given, names)
    const end = hint === '' ? `: ${names.join(', ')}.` : hint
    throw new IngestError('USAGE', `coin-stream ${first}: ${what}${end}`)
  }
  const hint = didYouMean(
    first,
    verbs.map(({ spec }) => spec.verb)
  )
  const what = first.startsWith('-')
    ? `There is no flag ${first} before the verb`
    : `There is no verb ${first}`
  throw new IngestError('USAGE', `${what}${hint === '' ? '.' : hint} See coin-stream --help.`)
}

function overview(): string {
  return [
    'Usage: coin-stream VERB …',
    '',
    'Live market data of crypto exchanges into Kafka: exact digits, declared gaps.',
    '',
    listOf(verbs),
    'Every verb explains itself with --help. Exit codes: 0 done, 1 failed, 2 wrong',
    'usage or configuration, 130 interrupted. Documents go to stdout, logs to stderr.',
    '',
    'First steps:',
    '  coin-stream demo --for 20s --verify',
    '  coin-stream start upbit/trade:BTC-KRW',
    ''
  ].join('\n')
}

function listOf(list: readonly Verb[]): string {
  const width = Math.max(...list.map(({ spec }) => spec.verb.length))
  return list.map(({ spec }) => `  ${spec.verb.padEnd(width)}  ${spec.summary}\n`).join('')
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
