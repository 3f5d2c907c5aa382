import { serviceTopics } from '../../src/domain/routing.ts'

/** Every topic this service writes: the closed list of what `tail` takes. */
export const readableTopics: readonly string[] = serviceTopics
