import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type KeyDigest, type Summary } from '../../src/domain/summary.ts'
import { type CliFolder, summaryOf } from './run-cli.ts'
import { assertSettled } from './run-service.ts'

/** Runs a verb that ends with a summary, which must be in order. */
export async function runTo(
  folder: CliFolder,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {}
): Promise<Summary> {
  const end = await folder.run([...words, '--json'], env)
  assert.equal(end.code, 0, end.stderr)
  const summary = summaryOf(end)
  assertSettled(summary)
  return summary
}

/** The digests as they are compared; there must be some. */
export function digestsOf({ digests }: Summary): readonly KeyDigest[] {
  assert.ok(digests !== null && digests.length > 0)
  return digests
}

/** Bytes in the segment files of a capture that may be under way. */
export function capturedBytes(folder: string): number {
  if (!existsSync(folder)) return 0
  return readdirSync(folder)
    .filter(name => name.endsWith('.cap'))
    .reduce((total, name) => total + statSync(join(folder, name)).size, 0)
}
