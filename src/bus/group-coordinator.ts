import { type Admin } from 'kafkajs'
import { causesOf } from './kafka-fault.ts'

const askAgainMs = 100
/** Loading, not there yet, and moved to another broker. @see https://kafka.apache.org/protocol.html#protocol_error_codes */
const passingCodes: ReadonlySet<unknown> = new Set([14, 15, 16])

/**
 * Resolves when the group has a coordinator that answers. The first group of a cluster waits for one to be made; a consumer
 * that meets it half made crashes, and what it leaves in the group holds its successor up until the session has expired.
 * Rejects with the client's error when it is another one, or still the same when the time is up.
 */
export async function groupCoordinated(
  admin: Pick<Admin, 'fetchOffsets'>,
  groupId: string,
  topic: string,
  withinMs: number
): Promise<void> {
  const deadlineMs = performance.now() + withinMs
  for (;;) {
    try {
      await admin.fetchOffsets({ groupId, topics: [topic] })
      return
    } catch (error) {
      const isPassing = causesOf(error).some(each =>
        passingCodes.has((each as { readonly code?: unknown }).code)
      )
      if (!isPassing || performance.now() > deadlineMs) throw error
    }
    await new Promise(resolve => setTimeout(resolve, askAgainMs))
  }
}
