import { IngestError } from '../core/errors.ts'
import { gapReasons } from '../domain/gap.ts'
import {
  type CapturedConnection,
  type CapturedEnd,
  type CapturedRequest,
  type OpenRequest,
  type StandingConnection
} from './facts.ts'
import { isCount, isInstrument, isListOf, isMicros, isShape, isTarget, isText, jsonOf } from './shape.ts'

/** @throws IngestError FILE_UNREADABLE, as the others here */
export function readConnection(body: Buffer): CapturedConnection {
  return checked(body, isConnection, 'what a connection is for')
}

export function readStanding(body: Buffer): StandingConnection {
  return checked(body, isStanding, 'how a connection stands')
}

export function readRequest(body: Buffer): CapturedRequest {
  return checked(body, isRequest, 'what a connection asked for')
}

export function readEnd(body: Buffer): CapturedEnd {
  return checked(body, isEnd, 'how a connection ended')
}

function checked<Facts>(body: Buffer, isOf: (value: unknown) => value is Facts, what: string): Facts {
  const value = jsonOf(body.toString('utf8'))
  if (isOf(value)) return value
  const message = `an entry that should say ${what} does not; replay the capture with the build that made it`
  throw new IngestError('FILE_UNREADABLE', message)
}

function isConnection(value: unknown): value is CapturedConnection {
  if (!isShape(value)) return false
  const { connectionId, target, ordinal, instruments, projection, url, previous } = value
  return (
    isText(connectionId) &&
    isTarget(target) &&
    isCount(ordinal) &&
    isListOf(instruments, isInstrument) &&
    isListOf(projection, isText) &&
    isText(url) &&
    (previous === null || isCount(previous))
  )
}

function isStanding(value: unknown): value is StandingConnection {
  if (!isConnection(value)) return false
  const standing = value as Partial<StandingConnection>
  const { openedMicros, frameSeq, states, channelIds, lastId, requests } = standing
  const subscriptions = value.instruments.length
  return (
    isMicros(openedMicros) &&
    isCount(frameSeq) &&
    isListOf(states, isCount) &&
    states.length === subscriptions &&
    isShape(channelIds) &&
    Object.values(channelIds).every(index => isCount(index) && index < subscriptions) &&
    isCount(lastId) &&
    isListOf(requests, isOpenRequest)
  )
}

function isOpenRequest(value: unknown): value is OpenRequest {
  if (!isShape(value)) return false
  const { id, subscriptions } = value
  return (id === null || isText(id)) && isListOf(subscriptions, isCount)
}

function isRequest(value: unknown): value is CapturedRequest {
  if (!isShape(value)) return false
  const { subscriptions, isAnew } = value
  return (subscriptions === null || isListOf(subscriptions, isCount)) && typeof isAnew === 'boolean'
}

function isEnd(value: unknown): value is CapturedEnd {
  if (!isShape(value)) return false
  const { end, reason } = value
  return (end === 'closed' || end === 'lost') && (gapReasons as readonly unknown[]).includes(reason)
}
