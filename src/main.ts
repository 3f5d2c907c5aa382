#!/usr/bin/env node
import { processIo } from './cli/io.ts'
import { runCli } from './cli/run.ts'

/** A verb that has returned has closed what it opened; this bounds the damage when one has not. */
const lingerMs = 2000

process.exitCode = await runCli(process.argv.slice(2), processIo())
setTimeout(() => {
  const open = process.getActiveResourcesInfo().join(', ')
  process.stderr.write(`coin-stream: ended with something still open (${open}).\n`)
  process.exit()
}, lingerMs).unref()
