import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultLogLimits, type LogLimits } from '../../actors/log/messages.ts'
import { LogRef } from '../../actors/log/ref.ts'
import { EmbeddedReader } from '../../src/verify/embedded-reader.ts'

export interface ReadRecord {
  readonly topic: string
  readonly key: string
  readonly value: string
}

/** The embedded log in its own thread, with its verify socket in a folder of its own. */
export class EmbeddedLogRig implements AsyncDisposable {
  readonly log: LogRef
  readonly socket: string
  readonly #folder: string

  private constructor(folder: string, limits: Partial<LogLimits>) {
    this.#folder = folder
    this.socket = join(folder, 'verify.sock')
    this.log = new LogRef(
      { logLevel: 'silent', verifySocket: this.socket, limits: { ...defaultLogLimits, ...limits } },
      error => {
        throw error
      }
    )
  }

  static async start(limits: Partial<LogLimits> = {}): Promise<EmbeddedLogRig> {
    const rig = new EmbeddedLogRig(await mkdtemp(join(tmpdir(), 'coin-stream-log-')), limits)
    await rig.log.ready
    return rig
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.log.close(0)
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** A checker that keeps what it reads. */
export class KeepingReader {
  readonly records: ReadRecord[] = []
  readonly notes: string[] = []
  readonly reader: EmbeddedReader

  constructor(socket: string) {
    this.reader = new EmbeddedReader(
      socket,
      (topic, key, bytes, start, end) => {
        this.records.push({ topic, key, value: bytes.toString('utf8', start, end) })
      },
      note => this.notes.push(note)
    )
  }
}
