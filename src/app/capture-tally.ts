import { type CaptureStats } from '../capture/capture-writer.ts'
import { type CaptureSummary } from '../domain/summary.ts'

interface Lives {
  /** Of the lives of the thread that have ended. */
  readonly before: CaptureStats[]
  now: CaptureStats | null
}

/** What every life of every connection thread has captured, from what they tell. */
export class CaptureTally {
  readonly #threads = new Map<number, Lives>()

  /** A thread begins, perhaps again: then it goes on in further segments, and what was written before stays counted. */
  begun(thread: number): void {
    const lives = this.#threads.get(thread) ?? { before: [], now: null }
    if (lives.now !== null) lives.before.push(lives.now)
    lives.now = null
    this.#threads.set(thread, lives)
  }

  told(thread: number, stats: CaptureStats): void {
    const lives = this.#threads.get(thread)
    if (lives !== undefined) lives.now = stats
  }

  summary(folder: string): CaptureSummary {
    const parts = [...this.#threads.values()].flatMap(({ before, now }) =>
      now === null ? before : [...before, now]
    )
    const sum = (of: (part: CaptureStats) => number): number =>
      parts.reduce((total, part) => total + of(part), 0)
    return {
      folder,
      frames: sum(part => part.frames),
      raw_bytes: sum(part => part.rawBytes),
      file_bytes: sum(part => part.fileBytes),
      segments: sum(part => part.segments),
      dropped: sum(part => part.dropped),
      stopped: parts.find(part => part.stopped !== null)?.stopped ?? null
    }
  }
}
