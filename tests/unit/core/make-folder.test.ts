import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeFolder } from '../../../src/core/make-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'coin-stream-make-folder-'))
after(() => rmSync(root, { recursive: true, force: true }))

test('every folder that is missing on the way is made, and one that is there is left as it is', () => {
  const deep = join(root, 'a', 'b', 'c')
  makeFolder(deep, 0o700)
  makeFolder(deep, 0o755)
  for (const path of [deep, join(root, 'a')]) assert.equal(statSync(path).mode & 0o777, 0o700)
})

test('a file in the way is told as the system tells it', () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  assert.throws(() => makeFolder(file, 0o700), { code: 'EEXIST' })
  assert.throws(() => makeFolder(join(file, 'below'), 0o700), { code: 'ENOTDIR' })
})

test('below a folder that takes nothing it comes to an end', { skip: !existsSync('/proc/self') }, () => {
  assert.throws(() => makeFolder('/proc/nowhere/deep', 0o700), { code: 'ENOENT' })
})
