import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { attempt, ServiceError } from './cache.mjs'

/**
 * A child that cannot outlive this process, even when it is killed hard: a shell watches its own standard input, a pipe
 * from here, and ends the child (TERM, after 5 s KILL) when the pipe closes. It leaves the child's pid in a file.
 */
const leash = `
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
echo $child >"$PID_FILE"
{
  cat <&3 >/dev/null
  kill -CONT $child; kill -TERM $child
  tenths=0
  while [ $tenths -lt 50 ]; do
    kill -0 $child || exit 0
    sleep 0.1
    tenths=$((tenths + 1))
  done
  kill -KILL $child
} 2>/dev/null &
guard=$!
exec 3<&-
wait $child
code=$?
kill $guard 2>/dev/null
exit $code
`

const readyWithinMs = 90_000

/** One service: started, probed until it answers, signalled, stopped. The same ports and data serve every start. */
export class TiedProcess {
  /**
   * @param name what it is called in messages and file names
   * @param folder where its log, pid file and data are
   * @param command argv of the first start
   * @param probe resolves when the service answers
   * @param container name of the container behind the command, null for a plain process
   */
  constructor({ name, folder, command, probe, container = null }) {
    this.name = name
    this.folder = folder
    this.pidFile = join(folder, `${name}.pid`)
    this.logFile = join(folder, `${name}.log`)
    this.probe = probe
    this.container = container
    this.command = command
    this.child = null
    this.exited = Promise.resolve()
  }

  get isRunning() {
    return this.child !== null
  }

  async start() {
    rmSync(this.pidFile, { force: true })
    const log = openSync(this.logFile, 'a')
    const child = spawn('sh', ['-c', leash, 'sh', ...this.command], {
      stdio: ['pipe', log, log],
      detached: true,
      env: { ...process.env, PID_FILE: this.pidFile }
    })
    closeSync(log)
    this.child = child
    child.stdin.on('error', () => {})
    this.exited = new Promise(resolve => child.on('exit', resolve)).then(() => {
      this.child = null
    })
    const started = performance.now()
    while (this.child !== null) {
      try {
        await this.probe()
        if (this.container !== null) this.command = ['docker', 'start', '-a', this.container]
        return
      } catch (error) {
        if (performance.now() - started > readyWithinMs) {
          await this.stop()
          throw new ServiceError(
            `${this.name} did not answer within ${readyWithinMs / 1000} s (${error.message}).`
          )
        }
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new ServiceError(`${this.name} ended while it was starting: ${this.logTail()}`)
  }

  /** The last lines, and before them what a stack trace as long as these would push out. */
  logTail() {
    const lines = readFileSync(this.logFile, 'utf8').trim().split('\n')
    const last = lines.slice(-3)
    const cause = lines.findLast(line => /^Caused by: |Exception: /.test(line))
    return (cause === undefined || last.includes(cause) ? last : [cause, ...last]).join(' ')
  }

  /** A kill that waits for the end; SIGSTOP and SIGCONT return at once. */
  async signal(signal) {
    if (this.child === null) return
    if (this.container !== null) {
      const verb = { SIGSTOP: ['pause'], SIGCONT: ['unpause'] }[signal] ?? ['kill', '--signal', signal]
      await attempt('docker', [...verb, this.container])
    } else process.kill(Number(readFileSync(this.pidFile, 'utf8')), signal)
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await this.exited
  }

  async stop() {
    this.child?.stdin.end()
    await this.exited
    rmSync(this.pidFile, { force: true })
  }

  async remove() {
    await this.stop()
    if (this.container !== null) await attempt('docker', ['rm', '-f', '-v', this.container])
  }
}
