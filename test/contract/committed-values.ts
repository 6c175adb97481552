/** What others see of transactions: kafkajs, as the second opinion. */
import { Kafka, logLevel } from 'kafkajs';

import { uniqueName, until } from './log-fixture.ts';

/** The values of a topic's partitions that a `read_committed` consumer of kafkajs gets, up to a record with this value in each partition. */
export async function committedByKafkajs(
  brokers: string[],
  topic: string,
  partitions: number,
  last: string,
): Promise<(string | undefined)[][]> {
  const values: (string | undefined)[][] = Array.from({ length: partitions }, () => []);
  const consumer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).consumer({
    groupId: uniqueName('kafkajs'),
    readUncommitted: false,
    maxWaitTimeInMs: 100,
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ partition, message }) => void values[partition]?.push(message.value?.toString()) });
    await until('the last record of each partition', () => values.every((each) => each.at(-1) === last));
  } finally {
    await consumer.disconnect();
  }
  return values.map((each) => each.slice(0, -1));
}
