import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readConnection, readEnd, readRequest, readStanding } from '../../../src/capture/read-facts.ts'

const connection = {
  connectionId: 'pod/upbit/trade/0/1',
  target: { region: 'korea', exchange: 'upbit', request_type: 'trade' },
  ordinal: 0,
  instruments: [{ symbol: 'BTC-KRW', native: 'KRW-BTC' }],
  projection: [],
  url: 'wss://venue',
  previous: null
}
const standing = {
  ...connection,
  openedMicros: 1_790_000_000_000_000.5,
  frameSeq: 7,
  states: [1],
  channelIds: { '17': 0 },
  lastId: 3,
  requests: [{ id: '3', subscriptions: [0] }]
}
const request = { subscriptions: [0], isAnew: true }
const end = { end: 'lost', reason: 'disconnect' }
const refused = { code: 'FILE_UNREADABLE', message: /^an entry that should say .* does not; replay/ }

function bodyOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

suite('what the entries of a capture say', () => {
  for (const [what, read, whole, wrong] of [
    [
      'a connection',
      readConnection,
      connection,
      {
        target: null,
        ordinal: -1,
        instruments: [{}],
        projection: 'all',
        url: 1,
        previous: 'none',
        connectionId: 0
      }
    ],
    [
      'how a connection stands',
      readStanding,
      standing,
      {
        frameSeq: 1.5,
        states: [],
        channelIds: { '17': 1 },
        lastId: null,
        requests: [{ id: 3 }],
        openedMicros: -1
      }
    ],
    ['what was asked for', readRequest, request, { subscriptions: [-1], isAnew: 'yes' }],
    ['an end', readEnd, end, { end: 'over', reason: 'bored' }]
  ] as const) {
    test(`${what} is taken as it was written`, () => {
      assert.deepEqual(read(bodyOf(whole)), whole)
    })

    test(`${what} is refused when any part of it is missing or of another kind`, () => {
      for (const [name, value] of Object.entries<unknown>(wrong)) {
        assert.throws(() => read(bodyOf({ ...whole, [name]: value })), refused, name)
        assert.throws(() => read(bodyOf({ ...whole, [name]: undefined })), refused, name)
      }
      for (const body of [bodyOf(null), bodyOf([]), Buffer.from('{"')])
        assert.throws(() => read(body), refused)
    })
  }
})
