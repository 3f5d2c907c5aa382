import { type Listener } from './channel.ts'
import { TextChannel } from './text-channel.ts'

/** A channel that shows the last event of the wire once more to whoever subscribes: a state, or the last trade. */
export abstract class ShownChannel extends TextChannel {
  #last = ''
  #before = ''

  /** Appends exactly one event to the ledger and returns the payload of its frame. */
  protected abstract next(nowMs: number): string

  /** The same payload as a new subscriber gets it, with the venue's mark where it has one. */
  protected abstract asSnapshot(payload: string): string

  protected event(nowMs: number): string {
    this.#before = this.#last
    this.#last = this.next(nowMs)
    return this.#last
  }

  /** Shows the last event to one connection. The first of all arrives, whatever befalls others. */
  showLast(listener: Listener): void {
    const last = this.isSwapped ? this.#before : this.#last
    this.show(listener, this.asSnapshot(last), this.ledger.count <= 1)
  }
}
