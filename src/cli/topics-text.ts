import { type TopicFinding, type TopicReport } from '../../actors/kafka/topics.ts'
import { type Column, tableLines } from './table.ts'

const hourMs = 3_600_000

/** One topic in the answer of `topics --json`. */
interface TopicDocument {
  readonly topic: string
  /** As planned. */
  readonly partitions: number
  readonly retention_ms: number
  readonly cleanup_policy: string
  /** 0: the brokers' default. */
  readonly replication: number
  readonly state: 'ok' | 'missing' | 'created' | 'altered' | 'differs' | 'refused'
  readonly differences: readonly {
    readonly setting: string
    readonly actual: string
    readonly planned: string
    readonly message: string
  }[]
  /** Why the cluster refused; null when it did not. */
  readonly refusal: string | null
}

/** Whether something is left that is not as planned. */
export function hasWork({ missing, mismatches, refused }: TopicReport): boolean {
  return missing.length + mismatches.length + refused.length > 0
}

export function topicsDocument(brokers: readonly string[], report: TopicReport) {
  const topics = report.findings.map((finding): TopicDocument => {
    const { plan, differences, refusal } = finding
    return {
      topic: plan.topic,
      partitions: plan.partitions,
      retention_ms: plan.retentionMs,
      cleanup_policy: plan.cleanupPolicy,
      replication: plan.replication ?? 0,
      state: stateOf(finding),
      differences: differences.map(({ setting, actual, planned, message }) => ({
        setting,
        actual,
        planned,
        message
      })),
      refusal
    }
  })
  return { brokers, as_planned: !hasWork(report), topics }
}

/** A table of the planned topics, and below it a sentence for everything that is not as planned. */
export function topicsText(report: TopicReport): string {
  const rows = report.findings.map(({ plan, ...rest }) => [
    plan.topic,
    `${plan.partitions}`,
    hours(plan.retentionMs),
    plan.cleanupPolicy,
    shortState({ plan, ...rest })
  ])
  const titles = ['TOPIC', 'PARTITIONS', 'RETENTION', 'POLICY', 'STATE']
  const columns = titles.map((title, i): Column => {
    const width = Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0))
    return { title, width, align: i === 1 || i === 2 ? 'right' : 'left' }
  })
  const sentences = [...report.mismatches, ...report.refused]
  const below = sentences.length === 0 ? [] : ['', ...sentences]
  return `${[...tableLines(columns, rows), ...below].join('\n')}\n`
}

function stateOf({ state, action, differences, refusal }: TopicFinding): TopicDocument['state'] {
  if (refusal !== null) return 'refused'
  if (state === null) return 'missing'
  if (differences.length > 0) return 'differs'
  return action === 'none' ? 'ok' : action
}

function shortState(finding: TopicFinding): string {
  const state = stateOf(finding)
  if (state !== 'differs') return state
  const { action, differences } = finding
  const said = differences.map(({ setting, actual, planned }) => `${setting} ${actual}, planned ${planned}`)
  return `${action === 'none' ? '' : `${action}, `}differs: ${said.join('; ')}`
}

function hours(ms: number): string {
  return `${ms / hourMs}h`
}
