import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IngestError } from '../../../src/core/errors.ts'
import {
  exchangeRegions,
  isExchangeName,
  isRequestType,
  parseTargetArgument,
  regions,
  targetKey,
  targetName
} from '../../../src/domain/target.ts'

test('a target on the command line is read with its region and its symbols, each once', () => {
  assert.deepEqual(parseTargetArgument('upbit/trade:BTC-KRW,1INCH-KRW,BTC-KRW'), {
    target: { region: 'korea', exchange: 'upbit', request_type: 'trade' },
    symbols: ['BTC-KRW', '1INCH-KRW'],
    projection: []
  })
})

const wrong: readonly (readonly [string, RegExp])[] = [
  ['', /form exchange\/request_type/],
  ['upbit', /form exchange\/request_type/],
  ['upbit/trade', /form exchange\/request_type/],
  ['upbit/trade:', /form exchange\/request_type/],
  ['Upbit/trade:BTC-KRW', /form exchange\/request_type/],
  ['mtgox/trade:BTC-USD', /unknown exchange "mtgox"; known are upbit/],
  ['constructor/trade:BTC-USD', /unknown exchange "constructor"/],
  ['upbit/candles:BTC-KRW', /unknown request type "candles"; known are ticker/],
  ['upbit/trade:btc-krw', /symbol "btc-krw"/],
  ['upbit/trade:BTC-KRW,', /symbol ""/],
  ['upbit/trade:KRW', /symbol "KRW"/],
  ['upbit/trade:A-B-C', /symbol "A-B-C"/]
]
for (const [text, sentence] of wrong) {
  test(`the target "${text}" is refused, and the sentence names what is wrong`, () => {
    assert.throws(
      () => parseTargetArgument(text),
      (error: unknown) => {
        assert.ok(error instanceof IngestError)
        assert.equal(error.code, 'TARGET_INVALID')
        assert.match(error.message, sentence)
        return true
      }
    )
  })
}

test('a target has one key for machines and one name for people', () => {
  const { target } = parseTargetArgument('binance/orderbook:BTC-USDT')
  assert.equal(targetKey(target), 'asia|binance|orderbook')
  assert.equal(targetName(target), 'binance/orderbook')
})

test('every exchange lies in a known region, and inherited names are no exchanges', () => {
  for (const [name, region] of Object.entries(exchangeRegions)) {
    assert.ok(isExchangeName(name))
    assert.ok(regions.includes(region))
  }
  for (const name of ['__proto__', 'toString', 'Upbit', '']) assert.equal(isExchangeName(name), false)
  assert.deepEqual(['ticker', 'trade', 'orderbook', 'book'].map(isRequestType), [true, true, true, false])
})
