/** One event of `ws.backpressure.events`; `ts` is milliseconds since the epoch. */
export interface BackPressureEvent {
  readonly producer: string
  readonly event: 'start' | 'periodic' | 'end'
  /** Encoded records that the sink has not acknowledged. */
  readonly buffer_bytes: number
  /** Bytes of raw frames that may still be accepted. */
  readonly credits: number
  /** Connections that are paused now. */
  readonly paused: number
  /** Frames shed since the episode began. */
  readonly shed: number
  readonly ts: number
}

/** How things stand at one moment. */
export interface PressureReading {
  /** Raw frame bytes of batches that are not settled. */
  readonly unsettledBytes: number
  readonly bufferBytes: number
  readonly paused: number
  /** Frames shed since the process began. */
  readonly shed: number
  readonly nowMicros: number
}

/** Shares of the credits at which an episode begins and ends; apart, so that it does not flutter. */
const highShare = 0.75
const lowShare = 0.5
const periodMicros = 10_000_000

/**
 * Tells people that the sink is slower than the exchanges, once when it begins, every ten seconds while it lasts, and once
 * when it is over. One loud connection is enough: it may be paused or shed while the credits of the others are whole.
 */
export class BackPressure {
  readonly #producer: string
  readonly #creditBytes: number
  readonly #publish: (event: BackPressureEvent) => void
  #isOn = false
  /** Null before the first look: what was shed until then is an earlier producer's. */
  #shedBefore: number | null = null
  #shedAtStart = 0
  #toldMicros = 0

  constructor(producer: string, creditBytes: number, publish: (event: BackPressureEvent) => void) {
    this.#producer = producer
    this.#creditBytes = creditBytes
    this.#publish = publish
  }

  /** About once a second. */
  look(reading: PressureReading): void {
    const { unsettledBytes, paused, shed, nowMicros } = reading
    const shedBefore = this.#shedBefore ?? shed
    const isHeld = paused > 0 || shed > shedBefore
    if (!this.#isOn) {
      if (isHeld || unsettledBytes >= this.#creditBytes * highShare) {
        this.#isOn = true
        this.#shedAtStart = shedBefore
        this.#tell('start', reading)
      }
    } else if (!isHeld && unsettledBytes <= this.#creditBytes * lowShare) {
      this.#isOn = false
      this.#tell('end', reading)
    } else if (nowMicros - this.#toldMicros >= periodMicros) this.#tell('periodic', reading)
    this.#shedBefore = shed
  }

  #tell(event: BackPressureEvent['event'], reading: PressureReading): void {
    this.#toldMicros = reading.nowMicros
    this.#publish({
      producer: this.#producer,
      event,
      buffer_bytes: reading.bufferBytes,
      credits: Math.max(0, this.#creditBytes - reading.unsettledBytes),
      paused: reading.paused,
      shed: reading.shed - this.#shedAtStart,
      ts: Math.floor(reading.nowMicros / 1000)
    })
  }
}
