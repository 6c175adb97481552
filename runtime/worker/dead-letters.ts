/** Opens the dead-letter queue of a task, where its config asks for one. */
import type { RawConfig } from '../api/index.ts';
import { deadLetterSettings } from '../pipeline/dead-letter.ts';
import type { DeadLetterSettings } from '../pipeline/dead-letter.ts';
import { deadLetterTopic } from '../pipeline/dead-letter-topic.ts';
import type { DeadLetterTopic } from '../pipeline/dead-letter-topic.ts';
import type { TransactionalOptions } from '../ports/log.ts';
import { keysUnder } from './task-environment.ts';
import type { TaskEnvironment } from './task-environment.ts';

export interface OpenedDeadLetters {
  readonly settings: DeadLetterSettings;
  readonly topic: DeadLetterTopic;
}

const requestOverheadBytes = 512;
/** Not for ever, as the producers of sources do: the consumer's place in its group would go meanwhile. */
const deliveryTimeoutMs = 120_000;

/** Makes the topic where it is missing. `read`: the topics whose records may come there. */
export async function openDeadLetters(env: TaskEnvironment, read: readonly string[]): Promise<OpenedDeadLetters | undefined> {
  const { id, connectorConfig } = env.spec;
  const settings = deadLetterSettings(connectorConfig, id.connector, id.task);
  if (settings === undefined) return undefined;
  const topic = await deadLetterTopic(env.log, settings, read);
  const largest = producerSettings(env)['max.request.size'];
  const maxBatchBytes = largest === undefined ? topic.maxBatchBytes : Math.min(topic.maxBatchBytes, Number(largest) - requestOverheadBytes);
  return { settings, topic: { ...topic, maxBatchBytes } };
}

/**
 * As whom a sink task writes them, with its offsets. The id is the task's own, so that the task's next run ends at once
 * what this one may leave open.
 */
export function letterProducer(env: TaskEnvironment, groupId: string, { topic }: OpenedDeadLetters): TransactionalOptions {
  const { connector, task } = env.spec.id;
  return {
    transactionalId: `${groupId}-dlq-${task}`,
    clientId: `connector-dlq-producer-${connector}-${task}`,
    overrides: {
      'max.request.size': String(topic.maxBatchBytes + requestOverheadBytes),
      'delivery.timeout.ms': String(deliveryTimeoutMs),
      ...keysUnder(env.spec.connectorConfig, 'producer.override.'),
    },
  };
}

function producerSettings({ settings, spec }: TaskEnvironment): RawConfig {
  return { ...settings.clients?.producer, ...keysUnder(spec.connectorConfig, 'producer.override.') };
}
