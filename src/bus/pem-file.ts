import { readFileSync } from 'node:fs'
import { asIngestError, IngestError } from '../core/errors.ts'

/**
 * Reads a certificate or key that a setting names.
 * @param key the setting, for the message
 * @throws IngestError FILE_UNREADABLE
 */
export function readPemFile(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { message } = asIngestError(error)
    throw new IngestError('FILE_UNREADABLE', `${key} names ${path}, which cannot be read: ${message}`)
  }
}
