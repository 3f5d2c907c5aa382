import { type Static, Type } from 'typebox'
import { logLevels } from '../core/logger.ts'
import { compressionNames, producerProfiles } from '../domain/producer-tuning.ts'
import { canonicalSymbolPattern, exchangeRegions, requestTypes, type TargetPlan } from '../domain/target.ts'

const kib = 1024
const mib = 1024 * kib
const gib = 1024 * mib

/** A section of the configuration; absent is the same as empty, and a key it does not know is a fault. */
function section<const Properties extends Parameters<typeof Type.Object>[0]>(
  description: string,
  properties: Properties
) {
  return Type.Object(properties, { default: {}, additionalProperties: false, description })
}

function whole(value: number, minimum: number, maximum: number, description: string) {
  return Type.Integer({ default: value, minimum, maximum, description })
}

function wholeOrNull(minimum: number, maximum: number, description: string) {
  return Type.Unsafe<number | null>({
    type: ['integer', 'null'],
    default: null,
    minimum,
    maximum,
    description
  })
}

function file(description: string) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], default: null, minLength: 1, description })
}

function secret(description: string) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], default: null, minLength: 1, description })
}

const exchangeNames = Object.keys(exchangeRegions) as (keyof typeof exchangeRegions)[]

/** A target written out as an object, where a projection is wanted. */
export const targetObjectSchema = Type.Object(
  {
    exchange: Type.Enum(exchangeNames, { description: 'The exchange.' }),
    request_type: Type.Enum([...requestTypes], { description: 'The channel.' }),
    symbols: Type.Array(Type.String({ pattern: canonicalSymbolPattern.source, examples: ['BTC-KRW'] }), {
      minItems: 1,
      description: 'Canonical symbols, BASE-QUOTE in upper case.'
    }),
    projection: Type.Array(Type.String({ minLength: 1, examples: ['acc_trade_price'] }), {
      default: [],
      description: "Raw field names of the exchange that travel in the record's extras, as text."
    })
  },
  { additionalProperties: false }
)

interface Sasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

const sasl = Type.Unsafe<Sasl | null>({
  type: ['object', 'null'],
  default: null,
  description: 'How to log in to Kafka; null does not.',
  additionalProperties: false,
  required: ['mechanism', 'username', 'password'],
  properties: {
    mechanism: Type.Enum(['plain', 'scram-sha-256', 'scram-sha-512'], { description: 'The SASL mechanism.' }),
    username: Type.String({ minLength: 1, examples: ['coin-stream'], description: 'The user.' }),
    password: Type.String({
      minLength: 1,
      examples: ['the password'],
      description: 'The password. Never printed.'
    })
  }
})

/**
 * Every key of the configuration with its default: the one source of the type, the checks, `config schema` and
 * docs/configuration.md. Keys appear here only once something uses them.
 */
export const configSchema = Type.Object(
  {
    targets: Type.Array(Type.Union([Type.String(), targetObjectSchema]), {
      default: [],
      description:
        'What to collect: "exchange/request_type:SYMBOL,SYMBOL", or an object with exchange, request_type, symbols and projection.'
    }),
    kafka: section('Where the records go. Without brokers they go into the log inside the process.', {
      brokers: Type.Array(
        Type.String({
          pattern: '^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:,\\[\\]]+):[0-9]{1,5}$',
          examples: ['localhost:9092']
        }),
        { default: [], description: 'Kafka brokers, host:port. Empty: the embedded log.' }
      ),
      clientId: Type.String({
        default: 'coin-stream',
        pattern: '^[A-Za-z0-9._-]{1,100}$',
        examples: ['coin-stream'],
        description: 'The name by which the brokers know this client.'
      }),
      tls: Type.Boolean({ default: false, description: 'Whether to speak TLS to the brokers.' }),
      caFile: file("PEM file of certificate authorities to trust instead of the system's."),
      certFile: file('PEM file of our own certificate, where the brokers ask for one.'),
      keyFile: file('PEM file of the key of certFile.'),
      sasl
    }),
    registry: section('Where Avro schemas are registered.', {
      url: Type.String({
        default: '',
        description:
          '`none`, or the URL of a registry that speaks the Confluent API. With none the schema ids come from schemas/ids.json. Must be said when Kafka is configured.'
      }),
      username: Type.Unsafe<string | null>({
        type: ['string', 'null'],
        default: null,
        minLength: 1,
        description: 'User for basic authentication.'
      }),
      password: secret('Password for basic authentication. Never printed.'),
      token: secret('Bearer token, instead of user and password. Never printed.'),
      caFile: file("PEM file of certificate authorities to trust instead of the system's."),
      register: Type.Boolean({
        default: true,
        description: 'Whether schemas that are missing are registered at the start; otherwise it is refused.'
      }),
      timeoutMs: whole(5_000, 100, 120_000, 'How long one request to the registry may take.')
    }),
    serialization: section('How values are written.', {
      data: Type.Enum(['avro', 'json'], {
        default: 'avro',
        description: 'Format of ticker-data, trade-data and orderbook-data; json is for debugging.'
      })
    }),
    topics: section('What is done about topics at the start.', {
      manage: Type.Boolean({
        default: true,
        description:
          'Whether missing topics are created at the start; existing ones are verified in any case, and never changed.'
      }),
      replication: whole(
        0,
        0,
        100,
        "Replication factor of topics that are created, and that existing ones are compared with; 0 is the brokers' default."
      ),
      partitions: Type.Array(
        Type.String({ pattern: '^[A-Za-z0-9._-]{1,249}=[1-9][0-9]{0,4}$', examples: ['trade-data.asia=24'] }),
        {
          default: [],
          description:
            'Topics with a number of partitions of their own, `topic=n`; the others have 1 to 12 by their kind.'
        }
      )
    }),
    producer: section('How records are gathered and sent.', {
      profile: Type.Enum([...producerProfiles], {
        default: 'throughput',
        description:
          'throughput: linger 50 ms, batches of 128 KiB, the least work per record; latency: 5 ms and 64 KiB.'
      }),
      lingerMs: wholeOrNull(
        0,
        10_000,
        'How long a record may wait for others of its partition; null is what the profile says.'
      ),
      batchBytes: wholeOrNull(
        kib,
        16 * mib,
        'A batch of a partition is sent when it has this size; null is what the profile says.'
      ),
      compression: Type.Enum([...compressionNames], {
        default: 'lz4',
        description: 'Compression of the batches. zstd needs Node 22.15, or the package zstd-napi.'
      }),
      compressionByTopic: Type.Array(
        Type.String({
          pattern: `^[A-Za-z0-9._-]{1,249}=(${compressionNames.join('|')})$`,
          examples: ['ws.dlq=gzip']
        }),
        { default: [], description: 'Topics with a compression of their own, `topic=codec`.' }
      ),
      bufferBytes: whole(
        128 * mib,
        mib,
        4 * gib,
        'Memory of encoded batches from append to acknowledgement. When it is used up frames wait undecoded, within limits.creditBytes.'
      ),
      requestBytesMax: whole(4 * mib, kib, 64 * mib, 'Bytes of batches in one request to a broker.'),
      deliveryTimeoutMs: whole(
        300_000,
        1_000,
        86_400_000,
        'A batch that is not acknowledged within this time is given up and its loss declared.'
      ),
      gapFile: Type.String({
        default: 'run/undelivered-gaps.ndjson',
        minLength: 1,
        description:
          'Gap events that Kafka did not take before the end; they are published at the next start.'
      }),
      drainMs: whole(10_000, 0, 600_000, 'How long a stop waits until everything accepted is acknowledged.')
    }),
    admin: section('The local admin socket.', {
      socket: Type.String({
        default: 'run/admin.sock',
        minLength: 1,
        examples: ['run/admin.sock'],
        description: 'Path of the Unix socket that `status` and `tail` talk to (mode 0600).'
      })
    }),
    instruments: section(
      'The listings of the exchanges, by which symbols get the names that each exchange uses.',
      {
        cacheDir: Type.String({
          default: 'run/instruments',
          examples: ['run/instruments'],
          description:
            'Folder in which fetched listings are kept, one file an exchange. Simulated exchanges are never kept. Empty: none is.'
        }),
        maxAgeMs: whole(
          3_600_000,
          0,
          30 * 86_400_000,
          'A kept listing of up to this age is used without asking the exchange; an older one only when the exchange does not answer.'
        )
      }
    ),
    pod: Type.String({
      pattern: '^[A-Za-z0-9._-]{1,63}$',
      examples: ['coin-stream-0'],
      description: 'Name of this process in connection ids. Default: the host name.'
    }),
    threads: section('Threads beside the main, producer and log threads.', {
      connections: whole(1, 1, 32, 'Threads that hold sockets; an exchange stays on one of them.'),
      codecs: whole(1, 0, 32, 'Workers of the codec pool; 0 transcodes everything on the producer thread.'),
      offload: Type.Enum(['busy', 'always'], {
        default: 'busy',
        description:
          'When the pool takes batches of limits.inlineBytesMax and more: busy, while the producer thread is saturated and a processor is idle; always.'
      })
    }),
    limits: section('Everything that can grow ends at one of these, and is counted there.', {
      frameBytesMax: whole(4 * mib, kib, 64 * mib, 'A larger frame ends its connection.'),
      inflatedBytesMax: whole(16 * mib, kib, 256 * mib, 'A compressed frame that grows beyond this is dead.'),
      creditBytes: whole(
        64 * mib,
        mib,
        4 * gib,
        'Raw frame bytes accepted but not yet acknowledged by the sink: half of it split evenly over the connections, half for whoever needs more.'
      ),
      controlReserveBytes: whole(
        4 * mib,
        64 * kib,
        gib,
        'Room behind producer.bufferBytes for errors and dead letters while the sink takes nothing; gap events always have room.'
      ),
      batchBytes: whole(64 * kib, kib, 4 * mib, 'A frame batch crosses to the producer thread at this size.'),
      batchLingerMs: whole(5, 0, 1000, 'A frame batch crosses to the producer thread after this time.'),
      inlineBytesMax: whole(
        32 * kib,
        0,
        4 * mib,
        'Smaller frame batches are always transcoded on the producer thread; larger ones may go to the codec pool.'
      ),
      tradeIdsPerSymbol: whole(4096, 16, 1_000_000, 'Trade ids remembered per symbol to find duplicates.'),
      bookPendingBytes: whole(
        8 * mib,
        64 * kib,
        gib,
        'Book updates of one symbol that wait for their snapshot; the oldest go first.'
      ),
      bookLevelsMax: whole(
        100_000,
        100,
        10_000_000,
        'Levels kept on each side of a book to check it against its exchange; the worst are forgotten first.'
      ),
      handOverBytes: whole(
        mib,
        64 * kib,
        gib,
        'Records of one symbol from a new connection that wait for the end of the old one; beyond it they do not wait.'
      ),
      deadLettersPerSecond: whole(100, 0, 100_000, 'Dead frames published per second; all are counted.'),
      embeddedTopicBytes: whole(
        64 * mib,
        mib,
        4 * gib,
        'Size of a topic of the embedded log; its oldest records go first.'
      ),
      connectionsMax: whole(1024, 1, 65_536, 'Connections to exchanges, over all targets.'),
      targetsMax: whole(256, 1, 4096, 'Targets of one process.'),
      restartsPerMinute: whole(
        5,
        0,
        1000,
        'Restarts of one thread within a minute before the process gives up.'
      )
    }),
    log: section('Logs, one JSON object a line on stderr.', {
      level: Type.Enum([...logLevels], {
        default: 'info',
        description: 'The least severe level that is written.'
      })
    })
  },
  { additionalProperties: false }
)

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** The checked configuration: frozen, nothing optional, targets read and merged. */
export type Config = DeepReadonly<Omit<Static<typeof configSchema>, 'targets'>> & {
  readonly targets: readonly TargetPlan[]
}
