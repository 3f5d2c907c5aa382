import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A failure that the user can mend: its message is one sentence, printed without a stack. */
export class ServiceError extends Error {}

export function cacheFolder() {
  const { COIN_STREAM_CACHE, XDG_CACHE_HOME } = process.env
  return COIN_STREAM_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'coin-stream')
}

/**
 * One folder per artifact and version. `fill` works in a temporary folder that is renamed when it is complete, so that a
 * killed install never leaves half an artifact; of two installs at the same time the first one wins.
 */
export async function cached(name, fill) {
  const folder = join(cacheFolder(), name)
  if (existsSync(folder)) return folder
  mkdirSync(cacheFolder(), { recursive: true })
  const temporary = mkdtempSync(join(cacheFolder(), '.tmp-'))
  try {
    await fill(temporary)
    try {
      renameSync(temporary, folder)
    } catch (error) {
      if (!existsSync(folder)) throw error
    }
    return folder
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Runs a command to its end; answers what it printed, or null when it is missing, fails or takes too long. */
export function attempt(command, args, { env = process.env, cwd, timeoutMs = 20_000 } = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
    let output = ''
    child.stdout.on('data', chunk => (output += chunk))
    child.stderr.on('data', chunk => (output += chunk))
    child.on('error', () => resolve(null))
    child.on('close', code => resolve(code === 0 ? output : null))
  })
}

/** Runs a command that must succeed; what it printed last goes into the error. */
export function run(command, args, what, { env = process.env, cwd, timeoutMs = 600_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
    let tail = ''
    const keep = chunk => (tail = (tail + chunk).slice(-2000))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', error => reject(new ServiceError(`${what} failed: ${error.message}.`)))
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new ServiceError(`${what} failed (${signal ?? `exit code ${code}`}): ${tail.trim()}`))
    })
  })
}
