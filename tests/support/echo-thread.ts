import { parentPort, workerData } from 'node:worker_threads'
import { type EchoData, type EchoOrder, type EchoReport } from './echo-messages.ts'

// A thread for tests: it says what it was given, echoes texts and the sizes of buffers, and ends as it is told.
const main = parentPort!
function report(message: EchoReport): void {
  main.postMessage(message)
}

main.on('message', (order: EchoOrder) => {
  if ('echo' in order) report({ echo: order.echo })
  else if ('size' in order) report({ size: order.size.byteLength })
  else if (order.end === 'throw') throw new RangeError('thrown in the thread')
  else process.exit(order.end)
})
const { pod, port } = workerData as EchoData
port?.postMessage({ ready: pod } satisfies EchoReport)
report({ ready: pod })
