import { createInterface } from 'node:readline'
import { startCluster } from './cluster.mjs'
import { startGuardedKafka } from './guarded-broker.mjs'
import { startKafka } from './start.mjs'

async function startBroker(folder) {
  const { service, brokers } = await startKafka(folder)
  return {
    greeting: { brokers, log: service.logFile },
    verbs: {
      kill: () => service.signal('SIGKILL'),
      stop: () => service.stop(),
      freeze: () => service.signal('SIGSTOP'),
      resume: () => service.signal('SIGCONT'),
      start: () => service.start()
    },
    remove: () => service.remove()
  }
}

/** What `control` can start. */
export const controllable = {
  broker: startBroker,
  cluster: startCluster,
  guarded: startGuardedKafka
}

/**
 * A Kafka of its own for one test, steered by lines on standard input: a verb (`kill`, `stop`, `freeze`, `resume`,
 * `start`; for a cluster also `cut` and `cut-after-write`), for a cluster with a node number behind it. The first line that
 * it prints says where it is; then each line is answered by one, JSON all of them. It ends with its standard input.
 */
export async function controlKafka(kind, folder) {
  const { greeting, verbs, remove } = await controllable[kind](folder)
  const answer = value => process.stdout.write(`${JSON.stringify(value)}\n`)
  answer(greeting)
  for await (const line of createInterface({ input: process.stdin })) {
    const [verb, argument] = line.split(' ')
    try {
      if (verbs[verb] === undefined) throw new Error(`unknown verb "${verb}"`)
      const result = await verbs[verb](argument)
      answer({ done: line, result })
    } catch (error) {
      answer({ error: error.message })
    }
  }
  await remove()
}
