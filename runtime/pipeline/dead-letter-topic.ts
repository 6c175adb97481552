import { ConnectError } from '../api/index.ts';
import type { Log } from '../ports/log.ts';
import type { DeadLetterSettings } from './dead-letter.ts';

/** The topic that dead letters go to, as it is. */
export interface DeadLetterTopic {
  readonly name: string;
  readonly partitions: number;
  /** The largest batch that it takes (`max.message.bytes`). */
  readonly maxBatchBytes: number;
}

/** What headers may add to a record that its own topic had room for. */
const headerRoomBytes = 128 * 1024;
const defaultMaxMessageBytes = 1_048_588;

/**
 * Makes the topic where it is missing, with one partition, and room for the largest record of those that are `read`
 * with headers added. Rejects with a ConnectError that says why it cannot be used.
 */
export async function deadLetterTopic(
  log: Pick<Log, 'describeTopics' | 'createTopics' | 'topicConfig'>,
  { topic: name, replicationFactor }: DeadLetterSettings,
  read: readonly string[],
): Promise<DeadLetterTopic> {
  try {
    let [found] = await log.describeTopics([name]);
    if (found === undefined) {
      const largest = Math.max(defaultMaxMessageBytes, ...(await Promise.all(await existing(log, read))));
      const config = { 'max.message.bytes': String(largest + headerRoomBytes) };
      await log.createTopics([{ name, partitions: 1, replicationFactor, config }]);
      [found] = await log.describeTopics([name]);
    }
    return { name, partitions: Math.max(1, found?.partitions ?? 1), maxBatchBytes: await maxMessageBytes(log, name) };
  } catch (error) {
    throw new ConnectError(
      `Could not initialize dead letter queue with topic=${name}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

async function existing(log: Pick<Log, 'describeTopics' | 'topicConfig'>, names: readonly string[]): Promise<Promise<number>[]> {
  const topics = names.length === 0 ? [] : await log.describeTopics(names);
  return topics.map(({ name }) => maxMessageBytes(log, name));
}

async function maxMessageBytes(log: Pick<Log, 'topicConfig'>, name: string): Promise<number> {
  return Number((await log.topicConfig(name))['max.message.bytes'] ?? defaultMaxMessageBytes);
}
