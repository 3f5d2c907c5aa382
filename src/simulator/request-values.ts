export type Fields = Readonly<Record<string, unknown>>

/** A client's message as an object; null when it is none. */
export function readRequest(text: string): Fields | null {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return null
  }
}

/** A client's message as a list of objects; null when it is none. */
export function readRequests(text: string): readonly Fields[] | null {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every(item => objectOf(item) !== null) ? (value as Fields[]) : null
  } catch {
    return null
  }
}

/** A value of a client's message as an object; null when it is none. */
export function objectOf(value: unknown): Fields | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Fields) : null
}

/** A list of texts; null when it is anything else. */
export function textsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every(item => typeof item === 'string') ? value : null
}
