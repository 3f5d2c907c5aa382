import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { projectFile } from '../project.ts'
import { ProgramContestant } from './contestant.ts'

const execute = promisify(execFile)

/** The folder beside the Python package in which wheels keep the libraries they bring. */
const wheelFolder = 'confluent_kafka.libs'

/**
 * The contender in C, compiled against the librdkafka of the Python wheel, else against an installed one.
 * @throws RangeError when there is neither a compiler nor a library
 */
export async function compileLibrdkafka(
  folder: string,
  pythonPath: string | null
): Promise<ProgramContestant> {
  const program = join(folder, 'librdkafka')
  const source = projectFile('bench/contenders/librdkafka.c')
  const library = pythonPath === null ? null : wheelLibrary(join(pythonPath, wheelFolder))
  const link = library === null ? ['-lrdkafka'] : [library, `-Wl,-rpath,${dirname(library)}`]
  try {
    await execute('cc', ['-O2', '-o', program, source, ...link])
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n').at(-2) ?? error.message) : String(error)
    throw new RangeError(
      `librdkafka could not be compiled against: a C compiler and either Python's confluent-kafka (scripts/services.mjs install) or librdkafka-dev are needed (${why})`
    )
  }
  return new ProgramContestant(program)
}

function wheelLibrary(folder: string): string | null {
  if (!existsSync(folder)) return null
  const name = readdirSync(folder).find(file => file.startsWith('librdkafka-'))
  return name === undefined ? null : join(folder, name)
}
