import { type Logger, pino } from 'pino'

export type { Logger }

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Logs go to stderr as one JSON object a line; documents go to stdout. */
export function createLogger(level: LogLevel, actor: string): Logger {
  return pino(
    { level, base: { actor }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true })
  )
}
