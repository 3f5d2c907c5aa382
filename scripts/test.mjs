#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `node scripts/test.mjs SUITE…` runs the compiled tests of the suites. Each suite names the least number of files that it
 * must have: Node's runner is content with none, and a stale or half-built dist must not look green.
 */
const suites = {
  unit: { folder: 'unit', filesMin: 146, timeoutMs: 60_000, concurrency: 2 },
  contract: { folder: 'contract', filesMin: 5, timeoutMs: 60_000, concurrency: 2 },
  tidy: { file: 'tidy.test.js', filesMin: 1, timeoutMs: 60_000, concurrency: 1 },
  integration: {
    folder: 'integration',
    filesMin: 42,
    timeoutMs: 180_000,
    concurrency: 2,
    needs: ['KAFKA_BROKERS']
  },
  'fault-short': {
    folder: 'fault',
    filesMin: 12,
    timeoutMs: 180_000,
    concurrency: 1,
    needs: ['KAFKA_BROKERS'],
    env: { COIN_STREAM_FAULT: 'short' }
  },
  fault: { folder: 'fault', filesMin: 12, timeoutMs: 1_800_000, concurrency: 1, needs: ['KAFKA_BROKERS'] }
}

const project = fileURLToPath(new URL('..', import.meta.url))
const tests = resolve(project, 'dist/tests')

function filesOf({ folder, file }) {
  if (file !== undefined) return [join(tests, file)]
  try {
    return readdirSync(join(tests, folder), { recursive: true })
      .filter(name => name.endsWith('.test.js'))
      .sort()
      .map(name => join(tests, folder, name))
  } catch {
    return []
  }
}

function fail(message) {
  process.stderr.write(`test: ${message}\n`)
  process.exit(1)
}

function runSuite(name, suite) {
  const files = filesOf(suite)
  if (files.length < suite.filesMin) {
    fail(
      `suite ${name} has ${files.length} files, at least ${suite.filesMin} were expected: run npm run build.`
    )
  }
  const absent = (suite.needs ?? []).filter(variable => process.env[variable] === undefined)
  if (absent.length > 0) {
    fail(`suite ${name} needs ${absent.join(', ')}: run it under "node scripts/services.mjs run --".`)
  }
  const flags = ['--enable-source-maps', '--test', '--test-reporter=spec']
  const limits = [`--test-timeout=${suite.timeoutMs}`, `--test-concurrency=${suite.concurrency}`]
  process.stdout.write(`suite ${name}: ${files.length} files\n`)
  const child = spawn(process.execPath, [...flags, ...limits, ...files], {
    cwd: project,
    stdio: 'inherit',
    env: { ...process.env, ...suite.env }
  })
  return new Promise(done => child.on('exit', code => done(code ?? 1)))
}

const names = process.argv.slice(2)
const stray = names.find(name => suites[name] === undefined)
if (names.length === 0 || stray !== undefined) {
  fail(
    `${stray === undefined ? 'name' : `"${stray}" is none of`} the suites: ${Object.keys(suites).join(', ')}.`
  )
}
let worst = 0
for (const name of names) worst = Math.max(worst, await runSuite(name, suites[name]))
process.exit(worst)
