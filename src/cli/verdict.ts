import { framesBalance, recordsBalance } from '../domain/ledger.ts'
import { type Summary } from '../domain/summary.ts'
import { type Truth, truthFaults } from '../domain/truth.ts'
import { formatCount } from './values.ts'

const meaning = {
  missing: 'events were sent, not delivered, and no gap declares them',
  overdeclared: 'gaps declare a loss where nothing was lost and nothing had failed',
  duplicated: 'records were delivered twice',
  misordered: 'records came out of order',
  altered: 'records do not say what the exchange sent',
  books_different: 'books rebuilt from the records differ from the exchange’s'
} as const satisfies Record<(typeof truthFaults)[number], string>

/** Why a run has failed, in sentences; none when it is in order. */
export function verdict(summary: Summary, wasVerified: boolean): string[] {
  const reasons: string[] = []
  if (!framesBalance(summary.frames)) reasons.push('The frame ledger does not balance: its two sides differ.')
  if (!recordsBalance(summary.records))
    reasons.push('The record ledger does not balance: its two sides differ.')
  if (summary.undelivered > 0) {
    reasons.push(
      `${formatCount(summary.undelivered)} records were not acknowledged in time; gaps declare them.`
    )
  }
  if (summary.replay?.frames === 0) reasons.push('No frame lies in what was replayed of the capture.')
  if (summary.capture?.stopped) reasons.push(`${summary.capture.stopped}.`)
  if (!wasVerified) return reasons
  if (summary.truth === null) return [...reasons, 'The check gave no answer.']
  const hasBooks = summary.per_target.some(({ target }) => target.endsWith('/orderbook'))
  return [...reasons, ...truthVerdict(summary.truth, hasBooks)]
}

export function truthVerdict(truth: Truth, hasBooks: boolean): string[] {
  const reasons: string[] = truthFaults
    .filter(name => truth[name] !== 0)
    .map(name => `${name} is ${formatCount(truth[name])}: ${meaning[name]}.`)
  if (truth.sent === 0) reasons.push('sent is 0: nothing was compared.')
  if (hasBooks && truth.books_compared === 0) {
    reasons.push('books_compared is 0, although there are book targets.')
  }
  return reasons
}
