import { connectSuccessSchema } from '../../schemas/generated/connect-success.ts'
import { orderBookSchema } from '../../schemas/generated/order-book.ts'
import { tickerSchema } from '../../schemas/generated/ticker.ts'
import { tradeSchema } from '../../schemas/generated/trade.ts'
import ids from '../../schemas/ids.json' with { type: 'json' }
import { connectSuccessTopic, dataTopic } from './routing.ts'
import { exchangeRegions, type Region, type RequestType, requestTypes, type Target } from './target.ts'

/** The records that are written as Avro, each with the schema of the same name. */
export type AvroRecordName = keyof typeof ids

/** How a subject may change. FORWARD: readers of the version before read what is written now; BACKWARD: the reverse. */
export type Compatibility = 'FORWARD' | 'BACKWARD'

export interface AvroSchema {
  /** File in `schemas/`. */
  readonly file: string
  /** The schema as JSON, on one line. */
  readonly text: string
  /** Its id where there is no registry, from 2^30 upwards. */
  readonly localId: number
}

export const avroSchemas: Readonly<Record<AvroRecordName, AvroSchema>> = {
  Ticker: { file: 'ticker.avsc', text: tickerSchema, localId: ids.Ticker },
  Trade: { file: 'trade.avsc', text: tradeSchema, localId: ids.Trade },
  OrderBook: { file: 'order-book.avsc', text: orderBookSchema, localId: ids.OrderBook },
  ConnectSuccess: {
    file: 'connect-success.avsc',
    text: connectSuccessSchema,
    localId: ids.ConnectSuccess
  }
}

/** One subject of a registry: the schema of the values of one topic. */
export interface AvroSubject {
  /** `<topic>-value` */
  readonly subject: string
  readonly topic: string
  readonly record: AvroRecordName
  readonly compatibility: Compatibility
}

export const recordOf: Readonly<Record<RequestType, AvroRecordName>> = {
  ticker: 'Ticker',
  trade: 'Trade',
  orderbook: 'OrderBook'
}

function subjectOf(topic: string, record: AvroRecordName, compatibility: Compatibility): AvroSubject {
  return { subject: `${topic}-value`, topic, record, compatibility }
}

/**
 * The subjects behind the topics that a service for these targets writes as Avro, each once.
 * Data has many readers that are not ours and are brought up to date later than we are, hence FORWARD; what concerns the
 * service itself is read by newer tools, hence BACKWARD.
 */
export function subjectsOf(targets: readonly Target[]): AvroSubject[] {
  const subjects = new Map<string, AvroSubject>()
  const add = (subject: AvroSubject): void => void subjects.set(subject.topic, subject)
  for (const target of targets) add(subjectOf(dataTopic(target), recordOf[target.request_type], 'FORWARD'))
  for (const { region } of targets) add(subjectOf(connectSuccessTopic(region), 'ConnectSuccess', 'BACKWARD'))
  return [...subjects.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1))
}

/** Every subject that any service of this version may write: all regions, all channels. */
export function allSubjects(): AvroSubject[] {
  const exchanges = Object.entries(exchangeRegions) as [keyof typeof exchangeRegions, Region][]
  return subjectsOf(
    exchanges.flatMap(([exchange, region]) =>
      requestTypes.map(request_type => ({ region, exchange, request_type }))
    )
  )
}

/** Schema ids by topic, as they are without a registry. */
export function localSchemaIds(subjects: readonly AvroSubject[]): Record<string, number> {
  return Object.fromEntries(subjects.map(({ topic, record }) => [topic, avroSchemas[record].localId]))
}
