import { IngestError } from '../core/errors.ts'

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
/** Timers of Node take at most this; longer runs are runs without `--for`. */
const durationMsMax = 2 ** 31 - 1

/**
 * Reads `500ms`, `10s`, `1.5m`, `2h` as the milliseconds of a timer.
 * @throws IngestError USAGE
 */
export function readDuration(text: string, flag: string): number {
  const ms = readSpan(text, flag)
  if (ms < 1 || ms > durationMsMax) {
    throw new IngestError('USAGE', `${flag} takes a duration from 1ms to 24 days, and "${text}" is not.`)
  }
  return ms
}

/**
 * Reads a distance in time of any length, 0 among them, as milliseconds.
 * @throws IngestError USAGE
 */
export function readSpan(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  if (match === null) {
    throw new IngestError(
      'USAGE',
      `${flag} takes a duration like 500ms, 10s, 5m or 2h, and "${text}" is none.`
    )
  }
  return Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs])
}

/** @throws IngestError USAGE */
export function readWhole(text: string, flag: string, minimum: number, maximum: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= minimum && value <= maximum)) {
    throw new IngestError(
      'USAGE',
      `${flag} takes a whole number from ${minimum} to ${maximum}, and "${text}" is none.`
    )
  }
  return value
}

const rateMax = 10_000_000

/** @throws IngestError USAGE */
export function readRate(text: string): number | 'max' {
  return text === 'max' ? 'max' : readWhole(text, '--rate (or --rate max)', 1, rateMax)
}

/** `1h02m`, `2m05s`, `12s`, `0.8s` */
export function formatDuration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  if (h > 0) return `${h}h${pad(m)}m`
  return m > 0 ? `${m}m${pad(s)}s` : `${s}s`
}

/** 1234567 → `1,234,567` */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Milliseconds with as many digits as the eye wants: `0.42`, `3.1`, `128`. */
export function formatMs(ms: number): string {
  return ms < 1 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)
}

/** Bytes in at most six characters: `0`, `512`, `3.2K`, `128M`, `1.5G`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  for (const unit of ['', 'K', 'M']) {
    if (value < 1000) return `${unit === '' || value >= 100 ? value.toFixed(0) : value.toFixed(1)}${unit}`
    value /= 1024
  }
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)}G`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
