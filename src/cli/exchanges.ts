import { type ExchangeAdapter } from '../exchange-kit/adapter.ts'
import { adapters } from '../exchanges/registry.ts'
import { usage, type VerbSpec } from './args.ts'
import { factsOf } from './exchange-facts.ts'
import { readExchange } from './exchange-operand.ts'
import { exchangesMarkdown } from './exchanges-markdown.ts'
import { exchangesTable, exchangeText } from './exchanges-text.ts'
import { ExitCode } from './io.ts'
import { defineVerb, type Verb } from './verb.ts'

const spec = {
  verb: 'exchanges',
  operands: '[EXCHANGE…]',
  operandsMax: 64,
  summary: 'Show what each supported exchange offers and demands.',
  description:
    'Prints one line for every supported exchange: region, an example of a symbol, how a book is kept (whole in every ' +
    'frame, or updates behind a snapshot from the stream, from REST or on request), what trade ids tell, and how many ' +
    'symbols go on a socket. With names: everything about those. It all comes from the adapters; nothing is asked of anybody.',
  flags: {
    json: { value: null, help: 'Print one JSON document instead of a table.' },
    markdown: { value: null, help: 'Print docs/exchanges.md instead.' }
  },
  examples: ['coin-stream exchanges', 'coin-stream exchanges kraken', 'coin-stream exchanges --json']
} as const satisfies VerbSpec

export const exchanges: Verb = defineVerb<'json' | 'markdown'>(spec, async (args, io) => {
  if (args.has('json') && args.has('markdown')) throw usage(spec, '--json and --markdown exclude each other')
  const named = args.operands.map(name => readExchange(spec, name))
  const chosen: readonly ExchangeAdapter[] = named.length > 0 ? named : Object.values(adapters)
  if (args.has('markdown')) {
    await io.out(exchangesMarkdown(chosen))
    return ExitCode.done
  }
  const all = chosen.map(factsOf)
  if (args.has('json')) {
    await io.out(`${JSON.stringify({ exchanges: all })}\n`)
    return ExitCode.done
  }
  const width = Math.max(80, io.terminal()?.columns ?? 80)
  const text =
    named.length > 0
      ? all.map(facts => exchangeText(facts, width)).join('\n\n')
      : exchangesTable(all).join('\n')
  await io.out(`${text}\n`)
  return ExitCode.done
})
