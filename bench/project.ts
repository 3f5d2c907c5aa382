import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))

/** Path of a file of the project; the compiled bench lies in `dist/bench`, or was started in the project's folder. */
export function projectFile(path: string): string {
  const beside = join(folder, '../..', path)
  return existsSync(join(folder, '../../package.json')) ? beside : join(process.cwd(), path)
}
