import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allSubjects, avroSchemas, localSchemaIds, subjectsOf } from '../../../src/domain/avro-subjects.ts'
import { type Target } from '../../../src/domain/target.ts'

const upbit: Target = { region: 'korea', exchange: 'upbit', request_type: 'trade' }

test('the subjects of a service are those of its topics, each once', () => {
  const subjects = subjectsOf([
    upbit,
    { ...upbit, exchange: 'bithumb' },
    { ...upbit, request_type: 'ticker' }
  ])
  assert.deepEqual(
    subjects.map(({ subject, record, compatibility }) => [subject, record, compatibility]),
    [
      ['ticker-data.korea-value', 'Ticker', 'FORWARD'],
      ['trade-data.korea-value', 'Trade', 'FORWARD'],
      ['ws.connect_success.korea-value', 'ConnectSuccess', 'BACKWARD']
    ]
  )
  assert.deepEqual(subjectsOf([]), [])
})

test('every region has a subject for each channel and one for its confirmations', () => {
  const subjects = allSubjects()
  assert.equal(new Set(subjects.map(({ topic }) => topic)).size, 16)
  for (const { subject, topic } of subjects) assert.equal(subject, `${topic}-value`)
})

test('without a registry the ids are those of schemas/ids.json', () => {
  assert.deepEqual(localSchemaIds(subjectsOf([upbit])), {
    'trade-data.korea': avroSchemas.Trade.localId,
    'ws.connect_success.korea': avroSchemas.ConnectSuccess.localId
  })
})
