import { dataTopic, recordKey } from '../../src/domain/routing.ts'
import { type Target, targetKey } from '../../src/domain/target.ts'
import { type BookRules, type ExchangeAdapter } from '../../src/exchange-kit/adapter.ts'
import { type BookLimits, BookSync } from './book-sync.ts'
import { showsWithinMsDefault } from './freshness.ts'
import { RecentStates } from './recent-states.ts'
import { type Routes } from './routes.ts'
import { type Route } from './sinks/record-sink.ts'
import { type SymbolMoves } from './symbol-moves.ts'
import { type SymbolTrack } from './symbol-track.ts'
import { TradeIds } from './trade-ids.ts'

export interface TrackLimits extends BookLimits {
  readonly tradeIdsPerSymbol: number
}

/** The tracks of all symbols, kept while the process lives, so that a new connection continues where the last one broke. */
export class Tracks {
  readonly #tracks = new Map<string, SymbolTrack>()
  readonly #moves = new Map<string, SymbolMoves>()
  readonly #routes: Routes
  readonly #limits: TrackLimits
  readonly #adapterOf: (target: Target) => ExchangeAdapter

  constructor(routes: Routes, limits: TrackLimits, adapterOf: (target: Target) => ExchangeAdapter) {
    this.#routes = routes
    this.#limits = limits
    this.#adapterOf = adapterOf
  }

  all(): Iterable<SymbolTrack> {
    return this.#tracks.values()
  }

  /** The track whose records go this way; undefined for the routes of control records. */
  byRoute(route: Route): SymbolTrack | undefined {
    const track = this.#tracks.get(route.key)
    // `ws.connect_success` has the same keys.
    return track?.route === route ? track : undefined
  }

  /** By `topic/partition`: the key of the one target whose records go there, null where several targets meet. */
  keysByPartition(): ReadonlyMap<string, string | null> {
    const keys = new Map<string, string | null>()
    for (const { target, route } of this.#tracks.values()) {
      const name = `${route.topic}/${route.partition}`
      const key = targetKey(target)
      const known = keys.get(name)
      keys.set(name, known === undefined || known === key ? key : null)
    }
    return keys
  }

  of(target: Target, symbol: string): SymbolTrack {
    const key = recordKey(target, symbol)
    const known = this.#tracks.get(key)
    if (known !== undefined) return known
    const { continuity, freshness } = this.#adapterOf(target)
    const { trade, book } = continuity
    const bookSync = this.#bookOf(target, book)
    const track: SymbolTrack = {
      target,
      symbol,
      route: this.#routes.to(dataTopic(target), key),
      book: bookSync,
      states: target.request_type === 'trade' || bookSync !== null ? null : new RecentStates(),
      tradeIds:
        target.request_type === 'trade' && trade.ids === 'unique'
          ? new TradeIds(this.#limits.tradeIdsPerSymbol)
          : null,
      idsAreContiguous: target.request_type === 'trade' && trade.ids === 'contiguous',
      moves: this.#movesOf(target, symbol),
      connection: -1,
      subscription: -1,
      connectionId: '',
      isConnected: false,
      older: null,
      handOver: null,
      isRefused: false,
      uncoveredMicros: 0,
      source: -1,
      confirmedMicros: 0,
      lastReceivedMicros: 0,
      lastFrameSeq: 0,
      lastConnectionId: '',
      lastTradeId: Number.NaN,
      holes: [],
      newestTradeMicros: 0,
      shown: { connection: -1, frameSeq: -1, newestMicros: 0 },
      repeatsUntilMicros: 0,
      movesSeen: 0,
      owesSinceMicros: 0,
      isHealing: false,
      renewedMicros: 0,
      heals: 0,
      showsWithinMs: freshness?.showsTradesWithinMs[target.request_type] ?? showsWithinMsDefault,
      gap: null
    }
    this.#tracks.set(key, track)
    track.moves.followers.push(track)
    return track
  }

  #bookOf(target: Target, rules: BookRules): BookSync | null {
    if (target.request_type !== 'orderbook' || rules.mode === 'whole') return null
    return new BookSync(rules, this.#limits)
  }

  #movesOf(target: Target, symbol: string): SymbolMoves {
    const key = `${target.exchange}|${symbol}`
    let moves = this.#moves.get(key)
    if (moves === undefined) {
      moves = { count: 0, lastMicros: 0, evidence: Number.NaN, followers: [] }
      this.#moves.set(key, moves)
    }
    return moves
  }
}
