import { pathToFileURL } from 'node:url'
import { sendInBatches } from '../producer/batch-sender.ts'
import { serveRuns } from '../producer/serve.ts'

// @platformatic/kafka, installed at bench time: its first argument is the file to import. It counts its sequence numbers
// on when the answer is there, so that of two calls at once the broker would take one for a repetition of the other.
interface Producer {
  send(options: {
    readonly messages: readonly {
      readonly topic: string
      readonly key: Buffer
      readonly value: Buffer
      readonly partition: number
    }[]
    readonly acks: number
    readonly compression: string
  }): Promise<unknown>
  close(): Promise<void>
}

interface Library {
  readonly Producer: new (options: {
    readonly clientId: string
    readonly bootstrapBrokers: readonly string[]
    readonly idempotent: boolean
    readonly autocreateTopics: boolean
  }) => Producer
}

const { Producer } = (await import(pathToFileURL(process.argv[2] ?? '').href)) as Library

serveRuns(async (run, records) => {
  const producer = new Producer({
    clientId: 'bench-platformatic',
    bootstrapBrokers: run.brokers,
    idempotent: true,
    autocreateTopics: false
  })
  const { topic, compression } = run
  return sendInBatches(run, records, {
    send: async messages => {
      await producer.send({
        messages: messages.map(({ key, value, partition }) => ({ topic, key, value, partition })),
        acks: -1,
        compression
      })
    },
    close: () => producer.close()
  })
})
