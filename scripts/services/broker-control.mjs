import { createInterface } from 'node:readline'
import { startKafka } from './start.mjs'

/**
 * A Kafka of its own for one test, steered by lines on standard input: `kill`, `stop`, `freeze`, `resume`, `start`.
 * Each is answered by one JSON line. It ends with its standard input.
 */
export async function controlKafka(folder) {
  const { service, brokers } = await startKafka(folder)
  const verbs = {
    kill: () => service.signal('SIGKILL'),
    stop: () => service.stop(),
    freeze: () => service.signal('SIGSTOP'),
    resume: () => service.signal('SIGCONT'),
    start: () => service.start()
  }
  const answer = value => process.stdout.write(`${JSON.stringify(value)}\n`)
  answer({ brokers, log: service.logFile })
  for await (const verb of createInterface({ input: process.stdin })) {
    try {
      if (verbs[verb] === undefined) throw new Error(`unknown verb "${verb}"`)
      await verbs[verb]()
      answer({ done: verb })
    } catch (error) {
      answer({ error: error.message })
    }
  }
  await service.remove()
}
