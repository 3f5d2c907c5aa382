import { type Listener } from './channel.ts'
import { TextChannel } from './text-channel.ts'

/** A channel that shows its newest event once more to whoever subscribes: a state, or the last trade. */
export abstract class ShownChannel extends TextChannel {
  #last = ''

  /** Appends exactly one event to the ledger and returns the payload of its frame. */
  protected abstract next(nowMs: number): string

  /** The same payload as a new subscriber gets it, with the venue's mark where it has one. */
  protected abstract asSnapshot(payload: string): string

  protected event(nowMs: number): string {
    this.#last = this.next(nowMs)
    return this.#last
  }

  /** Shows the newest event to one connection. The first of all arrives, whatever befalls others. */
  showLast(listener: Listener): void {
    this.show(listener, this.asSnapshot(this.#last), this.ledger.count <= 1)
  }
}
