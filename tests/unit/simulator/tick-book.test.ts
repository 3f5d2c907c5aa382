import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bookHash } from '../../../src/simulator/fingerprint.ts'
import { dollarMarkets } from '../../../src/simulator/market-spec.ts'
import { shortDecimals } from '../../../src/simulator/price-ladder.ts'
import { SharedMarket, shortSize } from '../../../src/simulator/shared-market.ts'
import { type BookShape, type BookSide, TickBook } from '../../../src/simulator/tick-book.ts'
import { BookReplica } from '../../../src/verify/book-replica.ts'

const spec = dollarMarkets('kraken', 'USD', base => `${base}/USD`, 1)[0]!
const everything = 10_000

function bookOf(shape: BookShape, seed = 7) {
  const { market } = new SharedMarket(spec, seed)
  const prices = market.ladder.texts(shortDecimals)
  const form = { prices, wirePrices: prices, size: shortSize, wireSize: shortSize, zero: '0' }
  const levels = (side: BookSide, ticks: readonly number[]) =>
    ticks.map(tick => ({ price: prices[tick]!, size: side.sizes[tick]! || '0' }))
  return { market, book: new TickBook(market, form, shape), levels }
}

/** Steps a market and its book, and a reader who has only the changes. */
function follow(shape: BookShape, step: (book: TickBook) => void, each: (book: TickBook) => void): void {
  const { market, book, levels } = bookOf(shape)
  const replica = new BookReplica(shape.forgetsSilently === true ? shape.depth : null)
  replica.replace(
    levels(book.bids, book.best(book.bids, everything)),
    levels(book.asks, book.best(book.asks, everything))
  )
  assert.equal(replica.hash, book.hash)
  for (let n = 0; n < 3000; n++) {
    if (n % 3 === 0) market.trade(n, n)
    step(book)
    replica.change(levels(book.bids, book.bids.changed), levels(book.asks, book.asks.changed))
    assert.equal(replica.hash, book.hash, `step ${n}`)
    each(book)
  }
}

test('a reader of the changes alone has the very book, and it is never crossed', () => {
  follow(
    { opening: 40, depth: null },
    book => book.step(),
    book => {
      const [bid, ask] = [book.best(book.bids, 1)[0]!, book.best(book.asks, 1)[0]!]
      assert.ok(bid < ask)
    }
  )
})

test('levels beyond the depth are removed in the frame that pushed them out', () => {
  follow(
    { opening: 25, depth: 25 },
    book => book.step(),
    book => assert.ok(book.best(book.bids, everything).length <= 25)
  )
})

test('levels beyond the depth go without a word where the venue does it so', () => {
  follow(
    { opening: 25, depth: 25, forgetsSilently: true },
    book => book.step(),
    book => assert.ok(book.best(book.asks, everything).length <= 25)
  )
})

test('a step of one change is one change, and the book is not crossed after it', () => {
  follow(
    { opening: 25, depth: 25 },
    book => book.stepOne(),
    book => {
      assert.equal(book.bids.changed.length + book.asks.changed.length, 1)
      const [bid, ask] = [book.best(book.bids, 1)[0], book.best(book.asks, 1)[0]]
      assert.ok(bid === undefined || ask === undefined || bid < ask)
    }
  )
})

test('a level can be changed besides those of a step, and the depth is kept all the same', () => {
  follow(
    { opening: 25, depth: 25, forgetsSilently: true },
    book => {
      book.step()
      book.touch(book.bids, 7)
      book.touch(book.asks, 0)
    },
    book => {
      assert.ok(book.bids.changed.includes(book.bidTick - 7))
      assert.ok(book.asks.changed.includes(book.bidTick + 1))
      assert.ok(book.best(book.bids, everything).length <= 25)
    }
  )
})

test('the hash is that of the levels', () => {
  const { book, levels } = bookOf({ opening: 10, depth: null })
  for (let n = 0; n < 50; n++) book.step()
  const bids = levels(book.bids, book.best(book.bids, everything))
  const asks = levels(book.asks, book.best(book.asks, everything))
  assert.equal(bookHash(bids, asks), book.hash)
})
