import { type ErrorCode } from '../../core/errors.ts'
import { type ChannelFacts } from './channel-facts.ts'
import { dialAdvice } from './dial-advice.ts'
import { type ChannelReport, type Finding, type Severity, type SymbolReport } from './report.ts'
import { escaped } from './sample.ts'

const namesShown = 10
const offsetNoteMs = 1_000
const offsetWarningMs = 10_000

/** Faults that the report tells by other means, from the sockets, the symbols or the codec. */
export const toldElsewhere: ReadonlySet<ErrorCode> = new Set([
  'SYMBOL_UNKNOWN',
  'SYMBOL_REJECTED',
  'SYMBOL_UNCONFIRMED',
  'SOCKET_FAILED',
  'HANDSHAKE_REFUSED',
  'LISTING_FAILED',
  'BREAKER_OPEN'
])

type Measured = Omit<ChannelReport, 'verdict' | 'findings'>

/** What is to be said of a channel, the worst first. */
export function findingsOf(report: Measured, facts: ChannelFacts): Finding[] {
  const findings = [
    ...connectionFindings(report, facts),
    ...symbolFindings(report, facts),
    ...frameFindings(report),
    ...sequenceFindings(report, facts),
    ...faultFindings(facts),
    ...fieldFindings(report),
    ...clockFindings(report)
  ]
  const order: readonly Severity[] = ['failure', 'warning', 'note']
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity))
}

function connectionFindings(
  { connection, endpoint, heartbeat }: Measured,
  { adapter, evidence, sockets, unlisted, exchangeFailure, wasInterrupted }: ChannelFacts
): Finding[] {
  const host = new URL(endpoint).hostname
  if (connection.sockets === 0) {
    if (unlisted.size === evidence.symbols.size && unlisted.size > 0) return []
    const end = sockets.failure ?? exchangeFailure
    if (end !== null) return [failure(dialAdvice(end, host, adapter))]
    const why = wasInterrupted ? 'the check was interrupted' : 'the handshake did not end in time'
    return [
      failure(`no connection to ${host} came about: ${why}; try again, with a longer --for if it stays so`)
    ]
  }
  const findings: Finding[] = []
  // The last ping may still wait for its answer.
  if (heartbeat.pings_sent > 1 && !heartbeat.is_seen) {
    findings.push(warning(`${heartbeat.pings_sent} pings of ours were not answered`))
  }
  if (connection.closes.length > 0) {
    const last = connection.closes.at(-1)!
    const others = connection.closes.length > 1 ? `, the last of ${connection.closes.length} times` : ''
    findings.push(
      warning(`the connection broke off${others}: ${last.reason}; the service dials again and declares a gap`)
    )
  }
  return findings
}

function symbolFindings(report: Measured, { adapter, unlisted }: ChannelFacts): Finding[] {
  const { symbols, connection, events, request_type } = report
  const having = (state: SymbolReport['state']) => symbols.filter(each => each.state === state)
  const findings: Finding[] = []
  if (unlisted.size > 0) {
    const text = `${adapter.name} does not list ${shown([...unlisted])}`
    // One list of symbols for several venues is a usual thing to ask for.
    findings.push(
      unlisted.size === symbols.length
        ? failure(`${text}, so there was nothing to subscribe; name others with --symbols`)
        : note(text)
    )
  }
  if (connection.sockets === 0) return findings
  const asked = symbols.length - unlisted.size
  const rejected = having('rejected')
  for (const { symbol, reason } of rejected) {
    const text = `${adapter.name} refused ${symbol}: ${reason}`
    findings.push(
      rejected.length === asked
        ? failure(`${text}; compare the subscription with ${adapter.documentation}`)
        : warning(text)
    )
  }
  const unconfirmed = having('unconfirmed').map(({ symbol }) => symbol)
  if (unconfirmed.length > 0) {
    const text = `${shown(unconfirmed)} got no confirmation and no data`
    const isAll = unconfirmed.length === asked - rejected.length && events === 0
    findings.push(
      isAll
        ? failure(
            `${text}: the subscription is not understood any more, or the market is closed; compare with ${adapter.documentation}`
          )
        : warning(text)
    )
  }
  const silent = having('confirmed').filter(each => each.events === 0)
  if (silent.length === 0) return findings
  const names = shown(silent.map(({ symbol }) => symbol))
  const isAll = events === 0
  if (!isAll || request_type === 'trade') {
    const text = `${names} ${silent.length === 1 ? 'was' : 'were'} confirmed and sent nothing; a quiet market may do so`
    findings.push(isAll ? warning(`${text}: try again with a longer --for`) : note(text))
  } else {
    findings.push(
      failure(`${names} confirmed, but no data came; compare the channel with ${adapter.documentation}`)
    )
  }
  return findings
}

function frameFindings({ undecodable, frames, events }: Measured): Finding[] {
  const findings: Finding[] = []
  for (const { reason, count } of undecodable) {
    const text = `${count} of ${frames.data} data frames cannot be decoded (${reason})`
    findings.push(
      events === 0
        ? failure(`${text}; the venue's format has changed: the adapter must follow`)
        : warning(`${text}; the service declares gaps for them`)
    )
  }
  const ignored = Object.entries(frames.ignored)
  if (ignored.length > 0) {
    const list = ignored.map(([reason, count]) => `${count} (${reason})`).join(', ')
    findings.push(note(`frames that hold nothing for this channel: ${list}`))
  }
  if (frames.shed > 0) {
    findings.push(warning(`${frames.shed} frames were shed: this machine could not keep up with the channel`))
  }
  return findings
}

function sequenceFindings({ sequence, symbols }: Measured, { evidence }: ChannelFacts): Finding[] {
  const findings: Finding[] = []
  const { holes, missed, checksum_mismatches, crossed, gaps, repeats } = sequence
  const where = (reason: string): string => {
    const named = [...evidence.gaps.values()].filter(gap => gap.reason === reason)
    const list = [...new Set(named.map(({ symbol }) => symbol ?? 'the connection'))]
    return shown(list.length > 0 ? list : symbols.map(({ symbol }) => symbol))
  }
  const isBook = evidence.target.request_type === 'orderbook'
  if (holes > 0) {
    const what = isBook
      ? `the sequence of the book broke ${times(holes)}`
      : `the trade ids have ${holes === 1 ? 'a hole' : `${holes} holes`} (${missed} missing)`
    findings.push(warning(`${what} in ${where('sequence')}; the service declares gaps`))
  }
  if (checksum_mismatches > 0) {
    const what = `the book did not match the venue's checksum, or was crossed, ${times(checksum_mismatches)}`
    findings.push(warning(`${what} in ${where('checksum')}; the service rebuilds it`))
  }
  if (crossed > 0) {
    findings.push(warning(`${crossed} book snapshots are crossed, for example ${evidence.crossedExample}`))
  }
  if ((gaps['stale'] ?? 0) > 0) {
    findings.push(
      warning(
        `${where('stale')} fell silent ${times(gaps['stale']!)} although the symbol traded; the service subscribes anew`
      )
    )
  }
  if (repeats > 0) findings.push(note(`${repeats} records repeated earlier ones and were left out`))
  return findings
}

function faultFindings({ evidence }: ChannelFacts): Finding[] {
  return [...evidence.faults]
    .filter(([code]) => !toldElsewhere.has(code))
    .map(([code, { count, message }]) =>
      warning(`${code}${count > 1 ? ` (${times(count)})` : ''}: ${escaped(message)}`)
    )
}

function fieldFindings({ unknown_fields, fields_never_seen, frames_examined }: Measured): Finding[] {
  const findings = unknown_fields.map(({ path, table, count, example }) =>
    note(`unknown field ${path} in ${count} of ${frames_examined} frames (${table}), for example ${example}`)
  )
  if (fields_never_seen.length > 0)
    findings.push(note(`optional and never seen: ${shown(fields_never_seen)}`))
  return findings
}

function clockFindings({ clock_offset_ms: offset }: Measured): Finding[] {
  if (offset === null || Math.abs(offset.median) < offsetNoteMs) return []
  const { median } = offset
  const text = `event times are ${Math.abs(median)} ms ${median > 0 ? 'behind' : 'ahead of'} this clock`
  return [
    Math.abs(median) < offsetWarningMs
      ? note(text)
      : warning(`${text}; check that this machine keeps the time`)
  ]
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

export function shown(names: readonly string[]): string {
  const rest = names.length - namesShown
  return names.slice(0, namesShown).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

function note(text: string): Finding {
  return { severity: 'note', text }
}

function warning(text: string): Finding {
  return { severity: 'warning', text }
}

function failure(text: string): Finding {
  return { severity: 'failure', text }
}
