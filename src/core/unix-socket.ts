import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { IngestError } from './errors.ts'
import { makeFolder } from './make-folder.ts'

const answerWithinMs = 1000

/**
 * Lets a server listen on a Unix socket that only its owner can open. A socket file that a killed process left behind is
 * removed; one that somebody answers on is not.
 * @throws IngestError ADDRESS_IN_USE
 */
export async function listenOnUnixSocket(server: Server, path: string, what: string): Promise<void> {
  const unusable = (cause: unknown): IngestError =>
    new IngestError('ADDRESS_IN_USE', `The ${what} ${path} cannot be opened: ${(cause as Error).message}.`, {
      cause
    })
  try {
    makeFolder(dirname(path), 0o700)
    await removeStaleSocket(path, what)
  } catch (cause) {
    throw cause instanceof IngestError ? cause : unusable(cause)
  }
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error): void => reject(unusable(cause))
    server.once('error', failed)
    server.listen(path, () => {
      server.off('error', failed)
      resolve()
    })
    // The socket is made within `listen`. A worker thread cannot set the process's mask, so the mode follows at once.
    if (server.listening) chmodSync(path, 0o600)
  })
}

async function removeStaleSocket(path: string, what: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new IngestError('ADDRESS_IN_USE', `The ${what} ${path} is taken by something that is not a socket.`)
  }
  if (await someoneAnswers(path)) {
    throw new IngestError('ADDRESS_IN_USE', `Another process answers on the ${what} ${path}; stop it first.`)
  }
  unlinkSync(path)
}

function someoneAnswers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    const done = (answers: boolean): void => {
      socket.destroy()
      resolve(answers)
    }
    // A process too busy to accept is there all the same.
    socket.setTimeout(answerWithinMs, () => done(true))
    socket.once('connect', () => done(true))
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code !== 'ECONNREFUSED'))
  })
}
