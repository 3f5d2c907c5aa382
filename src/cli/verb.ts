import { helpText, type Parsed, readArgs, type VerbSpec } from './args.ts'
import { ExitCode, type Io } from './io.ts'

/** One verb of the command line, its flags already tied to its code. */
export interface Verb {
  readonly spec: VerbSpec
  /** Reads the words behind the verb and runs it; `--help` is answered here. */
  run(words: readonly string[], io: Io): Promise<ExitCode>
}

export function defineVerb<Name extends string>(
  spec: VerbSpec<Name>,
  run: (args: Parsed<Name>, io: Io) => Promise<ExitCode>
): Verb {
  return {
    spec,
    async run(words, io) {
      const args = readArgs(spec, words)
      if (!args.help) return run(args, io)
      await io.out(helpText(spec))
      return ExitCode.done
    }
  }
}
