import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { SimulationClient } from '../../src/app/simulation-client.ts'
import { runCli } from '../../src/cli/run.ts'
import { simulatedExchanges } from '../../src/simulator/simulations.ts'
import { FakeIo } from '../unit/cli/fake-io.ts'

const main = new URL('../../src/main.js', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'coin-stream-simulate-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** A simulation of its own process, ready to be asked. */
async function simulation(name: string, stdin: 'pipe' | 'ignore') {
  const socket = join(folder, name)
  const child = spawn(process.execPath, [main, 'simulate', '--rate', '50', '--socket', socket], {
    stdio: [stdin, 'pipe', 'inherit']
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  assert.deepEqual(JSON.parse(line.toString()), { socket })
  return { socket, child, exited }
}

suite('coin-stream simulate', () => {
  test('serves the simulated exchanges and ends on SIGTERM, its socket gone', async () => {
    const { socket, child, exited } = await simulation('a.sock', 'ignore')
    const { rate, venues } = await new SimulationClient(socket).open()
    assert.equal(rate, 50)
    assert.deepEqual(
      venues.map(({ exchange }) => exchange),
      simulatedExchanges
    )
    child.kill('SIGTERM')
    assert.equal(await exited, 0)
    assert.ok(!existsSync(socket))
  })

  test('ends with 130 on Ctrl-C when nobody watches over it', async () => {
    const { child, exited } = await simulation('b.sock', 'ignore')
    child.kill('SIGINT')
    assert.equal(await exited, 130)
  })

  test('outlives a Ctrl-C that its parent got too, and ends with the parent', async () => {
    const { socket, child, exited } = await simulation('c.sock', 'pipe')
    child.kill('SIGINT')
    assert.equal((await new SimulationClient(socket).stats()).asked, 50)
    child.stdin!.end()
    assert.equal(await exited, 0)
  })

  test('says that nothing was checked yet, and that no simulation answers', async () => {
    const { socket, child, exited } = await simulation('d.sock', 'ignore')
    const io = new FakeIo()
    assert.equal(await runCli(['simulate', 'check', '--so-far', '--socket', socket], io), 2)
    assert.match(io.stderr, /Nothing is being checked; start the service with --verify/)
    child.kill('SIGTERM')
    await exited
    const gone = new FakeIo()
    assert.equal(await runCli(['simulate', 'check', '--socket', socket], gone), 1)
    assert.match(gone.stderr, /The simulation at .*d\.sock does not answer/)
    assert.equal(await runCli(['simulate', 'check'], new FakeIo()), 2)
  })
})
