import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and those above it that are missing, one by one. Where a folder takes nothing and says that it is not
 * there (below /proc) the recursive `mkdir` of Node 20 does not come to an end; this fails as the system does.
 */
export function makeFolder(path: string, mode: number): void {
  const folder = resolve(path)
  try {
    makeOne(folder, mode)
  } catch (error) {
    const parent = dirname(folder)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === folder) throw error
    makeFolder(parent, mode)
    makeOne(folder, mode)
  }
}

/** One that is there already, perhaps because another thread was quicker, is as good. */
function makeOne(folder: string, mode: number): void {
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}
