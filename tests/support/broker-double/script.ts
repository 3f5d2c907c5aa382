/** How an answer is spoiled: a client must notice each of them, or its timeout must. */
export const garbleKinds = [
  'correlation',
  'foreign',
  'count',
  'cut',
  'tail',
  'topic',
  'length',
  'noise'
] as const
export type GarbleKind = (typeof garbleKinds)[number]

/** What a produce request meets at its leader. `isWritten`: the batch goes into the log all the same. */
export type RequestFault =
  /** Answers the code for the partition, or for each of the request where the step names none. */
  | { readonly kind: 'answer'; readonly code: number; readonly isWritten?: boolean }
  /** Leaves the partition out of the answer. */
  | { readonly kind: 'omit'; readonly isWritten: boolean }
  /** Resets the connection instead of answering. */
  | { readonly kind: 'drop'; readonly isWritten: boolean }
  /** Writes, sends the first half of the answer and closes. */
  | { readonly kind: 'tear' }
  | { readonly kind: 'garble'; readonly how: GarbleKind }
  /** Holds the answer, and with it what follows on the connection. */
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'throttle'; readonly ms: number }

/** What happens to the cluster. Partitions are of the step; nodes are numbered from 1; ends by itself after `ms`. */
export type ClusterEvent =
  /** To the node given, else to the next one that is up. */
  | { readonly kind: 'move'; readonly topic: string; readonly partition: number; readonly to?: number }
  /** Connections are accepted and requests taken in, but nothing happens until it thaws; then all of it does. */
  | { readonly kind: 'freeze'; readonly node: number; readonly ms: number }
  /** All connections of the node are reset. */
  | { readonly kind: 'cut'; readonly node: number }
  /** Connections are refused; its partitions go to others, or have no leader meanwhile. */
  | { readonly kind: 'down'; readonly node: number; readonly ms: number; readonly movesLeaders: boolean }
  /** Without `isStrict` a producer may go on at any sequence, as with brokers from 2.5 on. */
  | {
      readonly kind: 'forget'
      readonly topic: string
      readonly partition: number
      readonly isStrict: boolean
    }
  /** Batches above this size are refused. */
  | { readonly kind: 'shrink'; readonly bytes: number; readonly ms: number }
  /** Batches that hold a record with this text are refused with the code; `tellsRows`: and which records it is for. */
  | {
      readonly kind: 'poison'
      readonly topic: string
      readonly text: string
      readonly code: number
      readonly tellsRows: boolean
    }
  /** The topic is unknown to every node. */
  | { readonly kind: 'vanish'; readonly topic: string; readonly ms: number }
  /** The next InitProducerId requests are answered with the code. */
  | { readonly kind: 'init'; readonly code: number; readonly times: number }
  /** The next metadata of the topic is answered with the code. */
  | { readonly kind: 'metadata'; readonly topic: string; readonly code: number; readonly times: number }

export type Action = RequestFault | ClusterEvent

export interface Step {
  /** Acts from the n-th produce request of the cluster on, counted from 1. */
  readonly from: number
  /** Only requests that carry this partition; a fault of a partition touches no other one. */
  readonly on?: { readonly topic: string; readonly partition: number }
  /** How many requests a fault meets; 1 unless told. */
  readonly times?: number
  readonly action: Action
}

const requestFaultKinds: ReadonlySet<string> = new Set<RequestFault['kind']>([
  'answer',
  'omit',
  'drop',
  'tear',
  'garble',
  'delay',
  'throttle'
])

/** A fault that a request meets, and the partition it is for; null: the whole request. */
export interface MetFault {
  readonly on: { readonly topic: string; readonly partition: number } | null
  readonly fault: RequestFault
}

interface Pending {
  readonly step: Step
  left: number
}

/** The steps that still have something to do. */
export class Script {
  readonly #pending: Pending[]
  #requests = 0

  constructor(steps: readonly Step[]) {
    this.#pending = steps.map(step => ({ step, left: step.times ?? 1 }))
  }

  /** Produce requests so far. */
  get requests(): number {
    return this.#requests
  }

  get isOver(): boolean {
    return this.#pending.length === 0
  }

  add(steps: readonly Step[]): void {
    for (const step of steps) this.#pending.push({ step, left: step.times ?? 1 })
  }

  /** Faults stop here: what is left of the script is not played. */
  end(): void {
    this.#pending.length = 0
  }

  /** Counts a produce request; says what it meets, and which events happen before it is looked at. */
  next(carries: (topic: string, partition: number) => boolean): {
    events: ClusterEvent[]
    faults: MetFault[]
  } {
    this.#requests++
    const events: ClusterEvent[] = []
    const faults: MetFault[] = []
    const places = new Set<string>()
    for (const pending of [...this.#pending]) {
      const { from, on, action } = pending.step
      if (this.#requests < from || (on !== undefined && !carries(on.topic, on.partition))) continue
      if (isRequestFault(action)) {
        // Faults of one place queue up, so that an attempt meets the first and its repetition the second.
        const place = on === undefined ? '' : `${on.topic}/${on.partition}`
        if (places.has(place)) continue
        places.add(place)
        faults.push({ on: on ?? null, fault: action })
      } else events.push(action)
      pending.left--
      if (pending.left <= 0) this.#pending.splice(this.#pending.indexOf(pending), 1)
    }
    return { events, faults }
  }
}

function isRequestFault(action: Action): action is RequestFault {
  return requestFaultKinds.has(action.kind)
}
