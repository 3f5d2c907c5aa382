import { createReadStream } from 'node:fs'
import { decodeLines, type FrameExplanation } from '../codec/decode.ts'
import { IngestError } from '../core/errors.ts'
import { type VerbSpec } from './args.ts'
import { readExchange } from './exchange-operand.ts'
import { ExitCode, type Io } from './io.ts'
import { formatCount } from './values.ts'
import { defineVerb, type Verb } from './verb.ts'

/** Output is written in pieces of about this size, and whenever the input has nothing more at hand. */
const pieceLength = 64 * 1024

const spec = {
  verb: 'decode',
  operands: 'EXCHANGE [FILE]',
  operandsMax: 2,
  summary: 'Decode recorded frames, one a line, into events.',
  description:
    'Reads frames as an exchange sends them, one a line, from FILE or stdin (also as -), and prints one event a line: ' +
    'the same records that the service would publish, as JSON. There is no network behind it, so symbols are split ' +
    "by the exchange's rule, and received_ts is the time of decoding. Ends with 1 when no frame at all could be decoded.",
  flags: {
    explain: {
      value: null,
      help: 'Add one line per frame: its number, its kind (data, control, ignored, unknown, malformed), its events, and why.'
    }
  },
  examples: ['coin-stream decode upbit frames.ndjson', 'coin-stream decode binance --explain < frames.ndjson']
} as const satisfies VerbSpec

export const decode: Verb = defineVerb<'explain'>(spec, async (args, io) => {
  const [name, file] = args.operands
  const { name: exchange } = readExchange(spec, name)
  const input = file === undefined || file === '-' ? io.stdin : createReadStream(file)
  try {
    return await copy(exchange, input as AsyncIterable<Uint8Array>, args.has('explain'), io)
  } catch (error) {
    throw unreadable(error, file)
  }
})

/** Failed when there were frames and none of them could be decoded: they are not those of this exchange. */
async function copy(
  exchange: string,
  input: AsyncIterable<Uint8Array>,
  isExplained: boolean,
  io: Io
): Promise<ExitCode> {
  let piece = ''
  const flush = async (): Promise<void> => {
    const text = piece
    piece = ''
    if (text !== '') await io.out(text)
  }
  let [frames, dead] = [0, 0]
  for await (const line of decodeLines(exchange, flushingBetween(input, flush), { explain: true })) {
    if (io.outClosed.aborted) return ExitCode.done
    // Events begin with their exchange, explanations with their frame.
    const isExplanation = line.startsWith('{"frame":')
    if (isExplanation) {
      const { kind } = JSON.parse(line) as FrameExplanation
      frames++
      if (kind === 'malformed' || kind === 'unknown') dead++
    }
    if (isExplanation && !isExplained) continue
    piece += `${line}\n`
    if (piece.length > pieceLength) await flush()
  }
  await flush()
  if (dead > 0) {
    const hint = isExplained ? '' : '; --explain tells which'
    io.err(
      `coin-stream: ${formatCount(dead)} of ${formatCount(frames)} frames could not be decoded${hint}.\n`
    )
  }
  return dead > 0 && dead === frames ? ExitCode.failed : ExitCode.done
}

/** Before it waits for more input, everything decoded so far is shown: the input may be somebody's live socket. */
async function* flushingBetween(
  input: AsyncIterable<Uint8Array>,
  flush: () => Promise<void>
): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    yield chunk
    await flush()
  }
}

function unreadable(error: unknown, file: string | undefined): unknown {
  if (error instanceof IngestError || !(error instanceof Error) || !('code' in error)) return error
  const name = file === undefined || file === '-' ? 'Standard input' : `The file ${file}`
  return new IngestError('FILE_UNREADABLE', `${name} cannot be read: ${error.message}.`, { cause: error })
}
