/** One event of `ws.backpressure.events`; `ts` is milliseconds since the epoch. */
export interface BackPressureEvent {
  readonly producer: string
  readonly event: 'start' | 'periodic' | 'end'
  /** Memory of encoded records that the sink has not acknowledged. */
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
  /** Memory of encoded records. */
  readonly bufferedBytes: number
  /** Frame batches that had to wait undecoded since the process began, because that memory was used up. */
  readonly heldUp: number
  readonly paused: number
  /** Frames shed since the process began. */
  readonly shed: number
  readonly nowMicros: number
}

/** What the shares are of. */
export interface PressureLimits {
  /** Raw frame bytes that may be unsettled. */
  readonly creditBytes: number
  /** Memory that encoded records may take. */
  readonly bufferBytes: number
}

/** Shares of the limits at which an episode begins and ends; apart, so that it does not flutter. */
const highShare = 0.75
const lowShare = 0.5
const periodMicros = 10_000_000

/**
 * Tells people that the sink is slower than the exchanges, once when it begins, every ten seconds while it lasts, and once
 * when it is over. Either limit is enough, that of raw frames or that of encoded records; so is one loud connection: it may
 * be paused or shed while the credits of the others are whole.
 */
export class BackPressure {
  readonly #producer: string
  readonly #limits: PressureLimits
  readonly #publish: (event: BackPressureEvent) => void
  #isOn = false
  /** Null before the first look: what was shed until then is an earlier producer's. */
  #shedBefore: number | null = null
  #heldUpBefore = 0
  #shedAtStart = 0
  #toldMicros = 0

  constructor(producer: string, limits: PressureLimits, publish: (event: BackPressureEvent) => void) {
    this.#producer = producer
    this.#limits = limits
    this.#publish = publish
  }

  /** About once a second. */
  look(reading: PressureReading): void {
    const { paused, shed, heldUp, nowMicros } = reading
    const shedBefore = this.#shedBefore ?? shed
    const isHeld = paused > 0 || shed > shedBefore || heldUp > this.#heldUpBefore
    if (!this.#isOn) {
      if (isHeld || this.#shareOf(reading) >= highShare) {
        this.#isOn = true
        this.#shedAtStart = shedBefore
        this.#tell('start', reading)
      }
    } else if (!isHeld && this.#shareOf(reading) <= lowShare) {
      this.#isOn = false
      this.#tell('end', reading)
    } else if (nowMicros - this.#toldMicros >= periodMicros) this.#tell('periodic', reading)
    this.#shedBefore = shed
    this.#heldUpBefore = heldUp
  }

  /** The larger of the two shares in use. */
  #shareOf({ unsettledBytes, bufferedBytes }: PressureReading): number {
    const { creditBytes, bufferBytes } = this.#limits
    return Math.max(unsettledBytes / creditBytes, bufferedBytes / bufferBytes)
  }

  #tell(event: BackPressureEvent['event'], reading: PressureReading): void {
    this.#toldMicros = reading.nowMicros
    this.#publish({
      producer: this.#producer,
      event,
      buffer_bytes: reading.bufferedBytes,
      credits: Math.max(0, this.#limits.creditBytes - reading.unsettledBytes),
      paused: reading.paused,
      shed: reading.shed - this.#shedAtStart,
      ts: Math.floor(reading.nowMicros / 1000)
    })
  }
}
