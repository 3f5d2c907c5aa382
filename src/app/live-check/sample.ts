const sampleBytesMax = 300

/** The beginning of a frame as text for a report: at most 300 bytes of it, and nothing that a terminal would obey. */
export function sampleOf(frame: Uint8Array): string {
  const part = frame.subarray(0, sampleBytesMax)
  const rest = frame.length - part.length
  return textOf(part) + (rest > 0 ? `… (${rest} bytes more)` : '')
}

/** Control characters, and those that turn or break a line, as their escapes. */
export function escaped(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
}

/** What is no UTF-8 is shown byte by byte. */
function textOf(bytes: Uint8Array): string {
  try {
    // As a stream, so that a character that the cut went through is left out and not held to be wrong.
    return escaped(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true }))
  } catch {
    return Array.from(bytes, byte =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
    ).join('')
  }
}
