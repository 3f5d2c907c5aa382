import { type Admin } from 'kafkajs'
import { createKafkaClient, type KafkaAccess } from '../../src/bus/kafka-client.ts'
import { explainKafkaFault } from '../../src/bus/kafka-fault.ts'
import { IngestError } from '../../src/core/errors.ts'
import { type Logger } from '../../src/core/logger.ts'

/** The part of the admin client that topics need, so that tests can have a cluster in memory. */
export type TopicAdmin = Pick<
  Admin,
  | 'listTopics'
  | 'createTopics'
  | 'fetchTopicMetadata'
  | 'describeConfigs'
  | 'alterConfigs'
  | 'describeCluster'
>

/**
 * Runs `use` with a connected admin client, and ends it whatever comes.
 * @param what the sentence to which the reason of a failure is added: `The topics could not be read`
 * @throws IngestError SINK_UNAVAILABLE that says why the cluster cannot be used, or FILE_UNREADABLE
 */
export async function withTopicAdmin<Answer>(
  access: KafkaAccess,
  what: string,
  logger: Logger,
  use: (admin: TopicAdmin) => Promise<Answer>
): Promise<Answer> {
  const admin = createKafkaClient(access, logger).admin()
  try {
    await admin.connect()
    return await use(admin)
  } catch (error) {
    if (error instanceof IngestError) throw error
    const reason = await explainKafkaFault(error, access)
    throw new IngestError('SINK_UNAVAILABLE', `${what}: ${reason}.`, { cause: error })
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}
