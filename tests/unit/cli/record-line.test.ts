import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import avsc from 'avsc'
import { connectSuccessSchema } from '../../../schemas/generated/connect-success.ts'
import ids from '../../../schemas/ids.json' with { type: 'json' }
import { recordLine } from '../../../src/app/record-line.ts'

const stored = {
  topic: 'ws.gap.events',
  partition: 2,
  offset: '9007199254740993',
  key: 'a|b',
  timestampMs: 1700
}
const connectSuccess = avsc.Type.forSchema(JSON.parse(connectSuccessSchema) as avsc.Schema)
const line = (value: Uint8Array | null) => recordLine({ ...stored, value })

suite('a record as a line', () => {
  test('is decoded by the schema id in its bytes', () => {
    const record = {
      correlation_id: null,
      exchange: 'upbit',
      region: 'korea',
      request_type: 'trade',
      symbol: 'BTC-KRW',
      connection_id: 'pod/upbit/trade/0/1',
      ts: 1700
    }
    const header = Buffer.alloc(5)
    header.writeInt32BE(ids.ConnectSuccess, 1)
    const bytes = Buffer.concat([header, connectSuccess.toBuffer(record)])
    const { value, ts, ...rest } = JSON.parse(line(bytes)) as {
      value: unknown
      ts: number
    }
    assert.deepEqual(value, record)
    assert.equal(ts, 1700)
    assert.deepEqual(rest, { topic: 'ws.gap.events', partition: 2, offset: '9007199254740993', key: 'a|b' })
  })

  test('keeps the text of a JSON value to the digit, on one line', () => {
    assert.ok(
      line(Buffer.from('{"id":12345678901234567890}')).endsWith('"value":{"id":12345678901234567890}}')
    )
    assert.ok(line(Buffer.from('{\n"a": 1\n}')).endsWith('"value":{"a":1}}'))
    assert.ok(line(null).endsWith('"value":null}'))
  })

  test('shows what it cannot decode as it is', () => {
    for (const value of [[0, 0, 0, 0, 1, 2], [0, 1], [0x7b], [0, 0x40, 0, 0, 1, 0xff]]) {
      const bytes = Buffer.from(value)
      const shown = JSON.parse(line(bytes)) as { value: { undecodable_base64: string } }
      assert.equal(shown.value.undecodable_base64, bytes.toString('base64'))
    }
  })
})
