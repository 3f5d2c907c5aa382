import { readableTopics } from '../../actors/control/topics.ts'
import { didYouMean } from '../config/nearest.ts'
import { IngestError } from '../core/errors.ts'
import { streamAdmin } from './admin-client.ts'
import { usage, type VerbSpec } from './args.ts'
import { type ConfigFlag, configFlags, readConfig, socketFlag } from './config-flags.ts'
import { ExitCode } from './io.ts'
import { readWhole } from './values.ts'
import { defineVerb, type Verb } from './verb.ts'

const spec = {
  verb: 'tail',
  operands: 'TOPIC',
  operandsMax: 1,
  summary: 'Show the records of a topic as they are published.',
  description:
    'Prints one JSON document a line, decoded: {"topic","partition","offset","key","ts","value"}. The records come ' +
    "from Kafka when brokers are configured, else from the running service's embedded log through its admin socket; " +
    'there, {"skipped":n} stands for records that went by while this reader was too slow.\n\n' +
    `Topics: ${readableTopics.join(', ')}.`,
  flags: {
    filter: {
      value: 'KEY_PREFIX',
      help: 'Only records whose key starts with this, for example "korea|upbit|trade|BTC-KRW".'
    },
    from: {
      value: 'earliest|latest',
      help: 'Begin with the oldest record kept, or with the next one (default latest).'
    },
    records: { value: 'N', short: 'n', help: 'End after N records.' },
    socket: socketFlag,
    ...configFlags
  },
  examples: [
    'coin-stream tail trade-data.korea -n 5',
    'coin-stream tail ws.gap.events --from earliest',
    "coin-stream tail orderbook-data.asia --filter 'asia|binance|orderbook'",
    'KAFKA_BROKERS=host:9092 SCHEMA_REGISTRY_URL=none coin-stream tail ws.dlq'
  ]
} as const satisfies VerbSpec

export const tail: Verb = defineVerb<ConfigFlag | 'filter' | 'from' | 'records' | 'socket'>(
  spec,
  async (args, io) => {
    const topic = args.operands[0]
    if (topic === undefined) throw usage(spec, `Name a topic; there are ${readableTopics.join(', ')}`)
    if (!readableTopics.includes(topic)) {
      const hint = didYouMean(topic, readableTopics)
      const list = hint === '' ? `; there are ${readableTopics.join(', ')}.` : hint
      throw new IngestError('USAGE', `There is no topic ${topic}${list}`)
    }
    const from = args.text('from') ?? 'latest'
    if (from !== 'earliest' && from !== 'latest') {
      throw usage(spec, `--from is earliest or latest, and "${from}" is neither`)
    }
    const n = args.text('records')
    const count = n === null ? null : readWhole(n, '-n', 1, 999_999_999)
    const filter = args.text('filter') ?? ''
    const own = [{ flag: '--socket', path: 'admin.socket', text: args.text('socket') }]
    const { config } = readConfig(spec, args, io, own)
    if (config.kafka.brokers.length > 0) {
      const { tailKafka } = await import('./tail-kafka.ts')
      await tailKafka(config, { topic, from, count, filter }, io)
    } else {
      const query = new URLSearchParams({ from, filter, ...(count === null ? {} : { n: String(count) }) })
      const path = `/v1/topics/${topic}/tail?${query.toString()}`
      await streamAdmin(config.admin.socket, path, io.outClosed, line => io.out(`${line}\n`))
    }
    return ExitCode.done
  }
)
