import { writeAscii } from './digits.ts'

/** A piece of a frame: fixed text, or a slot that is written anew for every event. */
export type Piece = string | { readonly slot: string; readonly width: number }

/** A server's WebSocket frame (unmasked, unfragmented) made once, with slots at known places. */
export interface FrameTemplate {
  readonly bytes: Uint8Array
  readonly slots: Readonly<Record<string, number>>
}

export const Opcode = { text: 1, binary: 2 } as const
export type Opcode = (typeof Opcode)[keyof typeof Opcode]

export function slot(name: string, width: number): Piece {
  return { slot: name, width }
}

/** Bytes without a frame header around them, for canonical texts. */
export function template(pieces: readonly Piece[], headerBytes = 0): FrameTemplate {
  let length = headerBytes
  for (const piece of pieces) length += typeof piece === 'string' ? piece.length : piece.width
  const bytes = new Uint8Array(length)
  const slots: Record<string, number> = {}
  let at = headerBytes
  for (const piece of pieces) {
    if (typeof piece === 'string') at = writeAscii(bytes, at, piece)
    else {
      slots[piece.slot] = at
      bytes.fill(0x30, at, at + piece.width)
      at += piece.width
    }
  }
  return { bytes, slots }
}

export function frameTemplate(opcode: Opcode, pieces: readonly Piece[]): FrameTemplate {
  const payload = pieces.reduce(
    (sum, piece) => sum + (typeof piece === 'string' ? piece.length : piece.width),
    0
  )
  const made = template(pieces, headerLength(payload))
  writeHeader(made.bytes, 0, opcode, payload)
  return made
}

/** Bytes of the header in front of a payload of this length. */
export function headerLength(payload: number): number {
  if (payload < 126) return 2
  return payload < 65_536 ? 4 : 10
}

export function writeHeader(bytes: Uint8Array, at: number, opcode: Opcode, payload: number): void {
  bytes[at] = 0x80 | opcode
  if (payload < 126) bytes[at + 1] = payload
  else if (payload < 65_536) {
    bytes[at + 1] = 126
    bytes[at + 2] = payload >> 8
    bytes[at + 3] = payload & 0xff
  } else {
    bytes[at + 1] = 127
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    view.setUint32(at + 2, Math.floor(payload / 0x1_0000_0000))
    view.setUint32(at + 6, payload % 0x1_0000_0000)
  }
}
