import assert from 'node:assert/strict'
import { test } from 'node:test'
import { binanceMarkets, upbitMarkets } from '../../../src/simulator/market-spec.ts'
import { javaDouble, ladderTicks, PriceLadder, plainDecimals } from '../../../src/simulator/price-ladder.ts'

test('a double is written as Java does, with an exponent from ten million and below a thousandth', () => {
  assert.deepEqual(javaDouble(1_165_393, 2), { wire: '1.165393E8', expanded: '116539300' })
  assert.deepEqual(javaDouble(9_121_003, -10), { wire: '9.121003E-4', expanded: '0.0009121003' })
  assert.deepEqual(javaDouble(4_160_003, 0), { wire: '4160003.0', expanded: '4160003.0' })
  assert.deepEqual(javaDouble(3_120_003, -3), { wire: '3120.003', expanded: '3120.003' })
  assert.deepEqual(javaDouble(1_165_393, -1), { wire: '116539.3', expanded: '116539.3' })
})

test('plain prices have eight decimals', () => {
  assert.equal(plainDecimals(1_165_393, 2), '116539300.00000000')
  assert.equal(plainDecimals(3_120_003, -7), '0.31200030')
})

test('every listed market has a ladder of rising prices that keep their width', () => {
  for (const spec of [...upbitMarkets, ...binanceMarkets]) {
    const ladder = new PriceLadder(spec, spec.exchange === 'upbit' ? 'java' : 'plain')
    ladder.changes()
    ladder.ratios()
    assert.match(ladder.percents().ratio.text(0), /^-?0\.0\d{4}$/)
    const [low, high] = [ladder.prices.javaExpanded.text(0), ladder.prices.javaExpanded.text(ladderTicks - 1)]
    assert.ok(Number(low) < Number(high), spec.symbol)
    assert.equal(Number(ladder.prices.java.text(7)), Number(ladder.prices.javaExpanded.text(7)))
  }
})

test('at least five markets a venue, forty on Binance, no symbol twice', () => {
  assert.ok(upbitMarkets.length >= 5 && binanceMarkets.length >= 40)
  const natives = [...upbitMarkets, ...binanceMarkets].map(spec => spec.native)
  assert.equal(new Set(natives).size, natives.length)
})
