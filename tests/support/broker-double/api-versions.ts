import { codes } from './codes.ts'
import { type WireReader } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

export const apiKeys = {
  produce: 0,
  metadata: 3,
  saslHandshake: 17,
  apiVersions: 18,
  initProducerId: 22,
  saslAuthenticate: 36
} as const

/** None of the versions needs a flexible header but the last of ApiVersions. */
const offered: readonly (readonly [key: number, min: number, max: number])[] = [
  [apiKeys.produce, 3, 8],
  [apiKeys.metadata, 0, 6],
  [apiKeys.saslHandshake, 1, 1],
  [apiKeys.apiVersions, 0, 3],
  [apiKeys.initProducerId, 0, 1],
  [apiKeys.saslAuthenticate, 0, 1]
]

export function isOffered(key: number, version: number): boolean {
  return offered.some(([offeredKey, min, max]) => offeredKey === key && version >= min && version <= max)
}

/** @see https://kafka.apache.org/protocol.html#The_Messages_ApiVersions */
export function answerApiVersions(request: WireReader, version: number): Buffer {
  const writer = new WireWriter()
  if (version > 3) {
    // A client that asks for a version we do not know is told in the oldest format which ones there are.
    writer.int16(codes.unsupportedVersion).array(offered, range => writeRange(writer, range))
    return writer.toBuffer()
  }
  if (version === 3) {
    request.compactString()
    request.compactString()
    request.skipTags()
    writer.int16(codes.none).compactArray(offered, range => writeRange(writer, range).uvarint(0))
    return writer.int32(0).uvarint(0).toBuffer()
  }
  writer.int16(codes.none).array(offered, range => writeRange(writer, range))
  return version === 0 ? writer.toBuffer() : writer.int32(0).toBuffer()
}

function writeRange(writer: WireWriter, [key, min, max]: readonly [number, number, number]): WireWriter {
  return writer.int16(key).int16(min).int16(max)
}
