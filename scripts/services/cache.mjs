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

/** Not the `timeout` of spawn: its timer holds the process up when the command could not be spawned. */
function execute(command, args, { env = process.env, cwd, timeoutMs }) {
  return new Promise(resolve => {
    const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    let output = ''
    const end = failure => {
      clearTimeout(timer)
      resolve({ failure, output })
    }
    child.stdout.on('data', chunk => (output += chunk))
    child.stderr.on('data', chunk => (output += chunk))
    child.on('error', error => end(error.message))
    child.on('close', (code, signal) => end(code === 0 ? null : (signal ?? `exit code ${code}`)))
  })
}

/** Runs a command to its end; answers what it printed, or null when it is missing, fails or takes too long. */
export async function attempt(command, args, options = {}) {
  const { failure, output } = await execute(command, args, { timeoutMs: 20_000, ...options })
  return failure === null ? output : null
}

/** Runs a command that must succeed; what it printed last goes into the error. */
export async function run(command, args, what, options = {}) {
  const { failure, output } = await execute(command, args, { timeoutMs: 600_000, ...options })
  if (failure !== null) throw new ServiceError(`${what} failed (${failure}): ${output.trim().slice(-2000)}`)
}
