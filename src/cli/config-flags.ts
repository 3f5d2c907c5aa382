import { type ConfigSources, type LoadedConfig, loadConfig } from '../config/load.ts'
import { type Flag, type Parsed, usage, type VerbSpec } from './args.ts'
import { type Io } from './io.ts'

/** The flags of every verb that reads the configuration. */
export const configFlags = {
  config: { value: 'FILE', help: 'YAML file to read; the environment and flags overrule it.' },
  set: {
    value: 'KEY=VALUE',
    repeated: true,
    help: 'Overrule one key of the configuration, for example limits.creditBytes=33554432. May be repeated.'
  }
} as const satisfies Record<string, Flag>
export type ConfigFlag = keyof typeof configFlags

export const socketFlag = {
  value: 'PATH',
  help: 'Admin socket of the service (admin.socket, by default run/admin.sock).'
} as const satisfies Flag

/** Settings that a verb gets from flags of its own: the flag as typed, the key it stands for, and the text given. */
export type OwnSettings = readonly {
  readonly flag: string
  readonly path: string
  readonly text: string | null
}[]

/** @throws IngestError USAGE or CONFIG_INVALID */
export function readConfig(
  spec: VerbSpec,
  args: Parsed<ConfigFlag>,
  io: Io,
  own: OwnSettings = []
): LoadedConfig {
  const flags: ConfigSources['flags'][number][] = args.texts('set').map(text => {
    const at = text.indexOf('=')
    if (at < 1) throw usage(spec, `--set takes KEY=VALUE, and "${text}" has no value`)
    return { flag: '--set', path: text.slice(0, at), text: text.slice(at + 1) }
  })
  for (const { flag, path, text } of own) if (text !== null) flags.push({ flag, path, text })
  return loadConfig({ file: args.text('config'), env: io.env, flags })
}
