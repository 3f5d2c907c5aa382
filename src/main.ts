#!/usr/bin/env node
import { processIo } from './cli/io.ts'
import { runCli } from './cli/run.ts'

/** A verb that has returned has closed what it opened; this bounds the damage when one has not. */
const lingerMs = 2000

process.exitCode = await runCli(process.argv.slice(2), processIo())
setTimeout(() => {
  process.stderr.write('coin-stream: something was still open at the end; leaving it.\n')
  process.exit()
}, lingerMs).unref()
