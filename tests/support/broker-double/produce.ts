import { type ClusterState } from './cluster-state.ts'
import { codes } from './codes.ts'
import { BatchFault, readBatch } from './record-batch.ts'
import { type MetFault, type RequestFault } from './script.ts'
import { type WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

interface PartitionData {
  readonly topic: string
  readonly partition: number
  readonly records: Buffer | null
}

export interface ProduceRequest {
  readonly acks: number
  readonly data: readonly PartitionData[]
}

interface PartitionAnswer {
  readonly topic: string
  readonly partition: number
  readonly code: number
  readonly baseOffset: number
  /** Rows of the records for which the batch was refused. */
  readonly rows: readonly number[]
}

type Result = Pick<PartitionAnswer, 'code' | 'baseOffset' | 'rows'>

/** Kafka takes times up to an hour ahead. */
const timestampAheadMsMax = 3_600_000

/** @see https://kafka.apache.org/protocol.html#The_Messages_Produce */
export function readProduce(reader: WireReader): ProduceRequest {
  reader.nullableString()
  const acks = reader.int16()
  reader.int32()
  const topics = reader.array(() => {
    const topic = reader.string()
    return reader.array(() => {
      const partition = reader.int32()
      const length = reader.int32()
      return { topic, partition, records: length === -1 ? null : reader.take(length) }
    })
  })
  return { acks, data: topics.flat() }
}

/** Writes what the node may write; faults of single partitions are played here, those of the connection by the caller. */
export function produce(
  { acks, data }: ProduceRequest,
  nodeId: number,
  faults: readonly MetFault[],
  cluster: ClusterState
): PartitionAnswer[] {
  const answers: PartitionAnswer[] = []
  const seen = new Set<string>()
  for (const { topic, partition, records } of data) {
    const place = `${topic}/${partition}`
    if (seen.has(place)) cluster.violations.push(`one produce request names ${place} twice`)
    seen.add(place)
    const fault = partitionFault(faults, topic, partition)
    // Who reads `isWritten` as absent means that the broker refuses, as most codes say.
    const isWritten = fault === null || fault.isWritten === true
    const result = isWritten
      ? write({ topic, partition, records }, acks, nodeId, cluster)
      : refused(codes.none)
    if (fault?.kind === 'omit') continue
    // A batch that is in the log, now or since an earlier request, may be answered with any code; a refusal stands.
    const isScripted = fault !== null && (!isWritten || result.baseOffset >= 0)
    const code = isScripted ? fault.code : result.code
    answers.push({ topic, partition, code, baseOffset: result.baseOffset, rows: result.rows })
  }
  return answers
}

type PartitionFault = Extract<RequestFault, { kind: 'answer' | 'omit' }>

function partitionFault(
  faults: readonly MetFault[],
  topic: string,
  partition: number
): PartitionFault | null {
  for (const { on, fault } of faults) {
    if (fault.kind !== 'answer' && fault.kind !== 'omit') continue
    if (on === null || (on.topic === topic && on.partition === partition)) return fault
  }
  return null
}

function write(
  { topic, partition, records }: PartitionData,
  acks: number,
  nodeId: number,
  cluster: ClusterState
): Result {
  const log = cluster.find(topic, partition)
  if (log === undefined) return refused(codes.unknownTopicOrPartition)
  if (log.leader !== nodeId) return refused(codes.notLeader)
  if (![-1, 0, 1].includes(acks)) return refused(codes.invalidRequiredAcks)
  try {
    const batch = readBatch(records ?? Buffer.alloc(0))
    if (batch.bytes > cluster.maxBatchBytes) return refused(codes.messageTooLarge)
    if (batch.maxTimestamp > Date.now() + timestampAheadMsMax) {
      return refused(codes.invalidTimestamp)
    }
    if (batch.producerId >= 0n && acks !== -1) {
      cluster.violations.push(`an idempotent batch of ${topic}/${partition} asks for acks ${acks}`)
    }
    const poison = cluster.poisons.get(topic)
    if (poison !== undefined) {
      const rows = [...batch.records.keys()].filter(row => batch.records[row]!.value?.includes(poison.text))
      if (rows.length > 0) return { ...refused(poison.code), rows: poison.tellsRows ? rows : [] }
    }
    return { ...log.append(batch), rows: [] }
  } catch (error) {
    if (!(error instanceof BatchFault)) throw error
    cluster.violations.push(`a batch of ${topic}/${partition}: ${error.message}`)
    return refused(error.code)
  }
}

function refused(code: number): Result {
  return { code, baseOffset: -1, rows: [] }
}

export function writeProduceAnswer(
  answers: readonly PartitionAnswer[],
  version: number,
  throttleMs: number
): Buffer {
  const byTopic = new Map<string, PartitionAnswer[]>()
  for (const answer of answers) {
    const list = byTopic.get(answer.topic)
    if (list === undefined) byTopic.set(answer.topic, [answer])
    else list.push(answer)
  }
  const writer = new WireWriter()
  writer.array([...byTopic], ([topic, list]) => {
    writer.string(topic).array(list, ({ partition, code, baseOffset, rows }) => {
      writer.int32(partition).int16(code).int64(BigInt(baseOffset)).int64(-1n)
      if (version >= 5) writer.int64(0n)
      if (version < 8) return
      writer.array(rows, row => writer.int32(row).string('it is poison'))
      writer.string(code === 0 ? null : `code ${code}`)
    })
  })
  return writer.int32(throttleMs).toBuffer()
}
