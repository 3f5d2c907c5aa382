import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ServiceError } from './cache.mjs'

const project = fileURLToPath(new URL('../..', import.meta.url))
const stateFile = join(project, 'run/services.json')
const logFile = join(project, 'run/services.log')
const entry = join(project, 'scripts/services.mjs')

/** When a process began, so that a pid that was given to another process is not taken for ours. */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return null
  }
}

function isAlive(pid, since) {
  if (existsSync('/proc/self/stat')) return since !== null && startTime(pid) === since
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The running daemon, or null; what is left of a dead one is removed. */
export function runningDaemon() {
  if (!existsSync(stateFile)) return null
  const state = JSON.parse(readFileSync(stateFile, 'utf8'))
  if (isAlive(state.pid, state.since)) return state
  rmSync(stateFile, { force: true })
  return null
}

/** Written by the daemon itself when its services are ready. */
export function announceDaemon(env, names) {
  const state = { pid: process.pid, since: startTime(process.pid), names, env }
  writeFileSync(`${stateFile}.new`, JSON.stringify(state))
  renameSync(`${stateFile}.new`, stateFile)
}

export function forgetDaemon() {
  rmSync(stateFile, { force: true })
}

/** Starts the services in a process of their own that outlives this one; a second `up` finds the first. */
export async function up(names) {
  const known = runningDaemon()
  if (known !== null) {
    const missing = names.filter(name => !known.names.includes(name))
    if (missing.length === 0) return known
    throw new ServiceError(
      `The services are up without ${missing.join(' and ')}: run "npm run services -- down" first, then up again.`
    )
  }
  mkdirSync(join(project, 'run'), { recursive: true })
  const log = openSync(logFile, 'w')
  const child = spawn(process.execPath, [entry, 'daemon', '--only', names.join(',')], {
    cwd: project,
    detached: true,
    stdio: ['ignore', log, log]
  })
  closeSync(log)
  let hasEnded = false
  child.on('exit', () => (hasEnded = true))
  for (;;) {
    const state = runningDaemon()
    if (state !== null) {
      child.unref()
      return state
    }
    if (hasEnded) throw new ServiceError(readFileSync(logFile, 'utf8').trim())
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

export async function down() {
  const state = runningDaemon()
  if (state === null) return false
  process.kill(state.pid, 'SIGTERM')
  const deadline = performance.now() + 10_000
  while (isAlive(state.pid, state.since)) {
    if (performance.now() > deadline) process.kill(state.pid, 'SIGKILL')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  forgetDaemon()
  return true
}
