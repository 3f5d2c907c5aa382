import { configJsonSchema, configurationMarkdown, printable, printYaml } from '../config/describe.ts'
import { type VerbSpec } from './args.ts'
import { type ConfigFlag, configFlags, readConfig } from './config-flags.ts'
import { ExitCode } from './io.ts'
import { defineVerb, type Verb } from './verb.ts'

const checkSpec = {
  verb: 'config check',
  operands: '',
  operandsMax: 0,
  summary: 'Check the configuration and report every fault at once.',
  description:
    'Reads the configuration as `start` would (defaults, file, environment, flags) and reports every fault with its ' +
    'path and what to do. Exit code 2 when there is one.',
  flags: configFlags,
  examples: ['coin-stream config check --config coin-stream.yaml']
} as const satisfies VerbSpec

export const configCheck: Verb = defineVerb<ConfigFlag>(checkSpec, async (args, io) => {
  const { given } = readConfig(checkSpec, args, io)
  const count =
    given.size === 0 ? 'no key is set' : given.size === 1 ? '1 key is set' : `${given.size} keys are set`
  await io.out(`The configuration is valid; ${count}.\n`)
  return ExitCode.done
})

const printSpec = {
  verb: 'config print',
  operands: '',
  operandsMax: 0,
  summary: 'Print the configuration in force, without secrets.',
  description:
    'Prints every key with the value in force after defaults, file, environment and flags, as YAML.',
  flags: { json: { value: null, help: 'Print JSON instead of YAML.' }, ...configFlags },
  examples: ['coin-stream config print', 'coin-stream config print --set threads.codecs=2 --json']
} as const satisfies VerbSpec

export const configPrint: Verb = defineVerb<ConfigFlag | 'json'>(printSpec, async (args, io) => {
  const { config } = readConfig(printSpec, args, io)
  await io.out(args.has('json') ? `${JSON.stringify(printable(config), null, 2)}\n` : printYaml(config))
  return ExitCode.done
})

const schemaSpec = {
  verb: 'config schema',
  operands: '',
  operandsMax: 0,
  summary: 'Print every key of the configuration as JSON Schema.',
  description: 'Prints the JSON Schema of the configuration file, with defaults, ranges and descriptions.',
  flags: { markdown: { value: null, help: 'Print docs/configuration.md instead.' } },
  examples: ['coin-stream config schema > coin-stream.schema.json']
} as const satisfies VerbSpec

export const configSchemaVerb: Verb = defineVerb<'markdown'>(schemaSpec, async (args, io) => {
  const text = args.has('markdown')
    ? configurationMarkdown()
    : `${JSON.stringify(configJsonSchema(), null, 2)}\n`
  await io.out(text)
  return ExitCode.done
})
