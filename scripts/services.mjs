#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { controlKafka, controllable } from './services/broker-control.mjs'
import { ServiceError } from './services/cache.mjs'
import { announceDaemon, down, forgetDaemon, runningDaemon, up } from './services/daemon.mjs'
import { install } from './services/install.mjs'
import { startServices } from './services/start.mjs'

const known = ['kafka', 'redis', 'registry', 'witness']
const byDefault = ['kafka', 'registry', 'witness']

const usage = `node scripts/services.mjs VERB [--only LIST] [-- COMMAND…]

Real services for tests and laptops. LIST is any of ${known.join(', ')} (default ${byDefault.join(',')}); witness is
the Python consumer that checks what we wrote. A service named in the environment (KAFKA_BROKERS, REDIS_URL,
SCHEMA_REGISTRY_URL) is used as it is; else a Docker engine runs it; else Maven and pip fetch it into the cache
(COIN_STREAM_CACHE, else coin-stream in the user's cache folder) and Java runs it.

  install          fetches what is missing
  run -- COMMAND   starts the services, runs the command with their addresses, stops them; exits as the command did
  up, down         starts the services in the background; stops them
  status           says what is up
  env              prints the addresses of what is up, for a shell: eval "$(node scripts/services.mjs env)"
`

const quote = text => `'${text.replaceAll("'", `'\\''`)}'`
const exportLines = env => Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`)

/** Runs `use` with the services; afterwards nothing of them is left, unless it failed: then their logs are. */
async function withServices(names, use) {
  const folder = mkdtempSync(join(tmpdir(), 'coin-stream-services-'))
  let services = []
  let isGood = false
  try {
    const started = await startServices(names, folder)
    services = started.services
    isGood = await use(started.env)
  } finally {
    await Promise.all(services.map(service => service.remove()))
    for (const service of services) rmSync(join(service.folder, 'data'), { recursive: true, force: true })
    const hasLogs = readdirSync(folder, { recursive: true }).some(name => name.endsWith('.log'))
    if (isGood || !hasLogs) rmSync(folder, { recursive: true, force: true })
    else process.stderr.write(`services: their logs are in ${folder}\n`)
  }
}

/** Resolves at the first signal to end; a second one is not waited for. */
const ended = () =>
  new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve(signal))
  })

async function runCommand(names, command) {
  const signalled = ended()
  let code = 1
  await withServices(names, async env => {
    const child = spawn(command[0], command.slice(1), { stdio: 'inherit', env: { ...process.env, ...env } })
    void signalled.then(signal => child.kill(signal))
    code = await new Promise((resolve, reject) => {
      child.on('error', error => reject(new ServiceError(`${command[0]} cannot be run: ${error.message}.`)))
      child.on('exit', (status, signal) => resolve(status ?? 128 + constants.signals[signal]))
    })
    return code === 0
  })
  return code
}

async function daemon(names) {
  const signalled = ended()
  await withServices(names, async env => {
    announceDaemon(env, names)
    await signalled
    forgetDaemon()
    return true
  })
  return 0
}

async function control(kind = 'broker') {
  const kinds = Object.keys(controllable)
  if (!kinds.includes(kind)) throw new ServiceError(`control knows ${kinds.join(', ')}, not "${kind}".`)
  const folder = mkdtempSync(join(tmpdir(), 'coin-stream-kafka-'))
  try {
    await controlKafka(kind, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return 0
}

async function main() {
  const { values, positionals, tokens } = parseArgs({
    allowPositionals: true,
    tokens: true,
    options: { only: { type: 'string' }, help: { type: 'boolean', short: 'h' } }
  })
  const terminator = tokens.find(({ kind }) => kind === 'option-terminator')
  const command = terminator === undefined ? [] : process.argv.slice(3 + terminator.index)
  const [verb] = positionals
  const names = values.only?.split(',') ?? byDefault
  const stray = names.find(name => !known.includes(name))
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  if (stray !== undefined) throw new ServiceError(`--only knows ${known.join(', ')}, not "${stray}".`)
  switch (verb) {
    case 'install':
      await install(names)
      return 0
    case 'run':
      if (command.length === 0) throw new ServiceError('run needs a command: services run -- COMMAND.')
      return runCommand(names, command)
    case 'up': {
      const { env } = await up(names)
      process.stdout.write(exportLines(env).join(''))
      return 0
    }
    case 'down':
      process.stderr.write((await down()) ? 'services: stopped\n' : 'services: nothing was up\n')
      return 0
    case 'status': {
      const state = runningDaemon()
      process.stdout.write(state === null ? 'down\n' : `up: ${state.names.join(', ')} (pid ${state.pid})\n`)
      return state === null ? 1 : 0
    }
    case 'env': {
      const state = runningDaemon()
      if (state === null) throw new ServiceError('Nothing is up: run "npm run services -- up" first.')
      process.stdout.write(exportLines(state.env).join(''))
      return 0
    }
    case 'daemon':
      return daemon(names)
    case 'control':
      return control(positionals[1])
    default:
      process.stderr.write(usage)
      return 2
  }
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof ServiceError) && !error.code?.startsWith('ERR_PARSE_ARGS')) throw error
  process.stderr.write(`services: ${error.message}\n`)
  process.exitCode = 1
}
