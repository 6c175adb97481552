/** Reads a whole topic, as somebody else than the worker: kafkajs, or our reader in another process. */
import { randomUUID } from 'node:crypto';

import { Kafka, logLevel } from 'kafkajs';

import { readRecords } from '../../runtime/batch/record-reader.ts';
import type { Log } from '../../runtime/ports/log.ts';
import { openLog } from '../../runtime/worker/open-log.ts';
import { until } from './until.ts';

export interface TopicRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: string | null;
}

/** One that can be read without all of it in memory. */
export interface LongTopicReader extends TopicReader {
  /** What `read` gives, some at a time; the next are read when these were taken. */
  each(topic: string, take: (records: readonly TopicRecord[]) => Promise<void>): Promise<void>;
}

export interface TopicReader {
  /** All that the topic holds now, each partition in order; nothing while it does not exist. */
  read(topic: string): Promise<TopicRecord[]>;
  /** How many records it holds. */
  count(topic: string): Promise<number>;
}

export function embeddedTopicReader(directory: string): LongTopicReader {
  const ends = async (log: Log, topic: string) => {
    const [found] = await log.describeTopics([topic]);
    const partitions = Array.from({ length: found?.partitions ?? 0 }, (_, partition) => ({ topic, partition }));
    return log.offsetsAt(partitions, 'latest');
  };
  const open = (): Promise<Log> => openLog({ kind: 'embedded', directory, readOnly: true });
  const reader: LongTopicReader = {
    async read(topic) {
      const records: TopicRecord[] = [];
      await reader.each(topic, async (some) => void records.push(...some));
      return records;
    },
    async each(topic, take) {
      await using log = await open();
      const missing = new Map(
        (await ends(log, topic)).filter(({ offset }) => offset > 0n).map(({ partition, offset }) => [partition, offset]),
      );
      await using reader = await log.openReader({ clientId: 'chaos' });
      reader.assign([...missing.keys()].map((partition) => ({ topic, partition, offset: 0n })));
      while (missing.size > 0) {
        const records: TopicRecord[] = [];
        for (const { partition, buffer, length, position, nextPosition } of await reader.fetch({ maxWaitMs: 1_000, maxBytes: 1 << 20 })) {
          for (const { offset, key, value } of readRecords(Buffer.from(buffer), length, position)) {
            records.push({ partition, offset, key: key?.toString() ?? null, value: value?.toString() ?? null });
          }
          if (nextPosition >= (missing.get(partition) ?? 0n)) missing.delete(partition);
        }
        await take(records);
      }
    },
    async count(topic) {
      await using log = await open();
      return (await ends(log, topic)).reduce((sum, { offset }) => sum + Number(offset), 0);
    },
  };
  return reader;
}

export function kafkaTopicReader(brokers: readonly string[]): TopicReader {
  const client = (): Kafka => new Kafka({ clientId: 'chaos', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const ends = async (topic: string): Promise<Map<number, bigint>> => {
    const admin = client().admin();
    await admin.connect();
    try {
      if (!(await admin.listTopics()).includes(topic)) return new Map();
      const offsets = await admin.fetchTopicOffsets(topic);
      return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)] as const).filter(([, high]) => high > 0n));
    } finally {
      await admin.disconnect();
    }
  };
  const read = async (topic: string): Promise<TopicRecord[]> => {
    const missing = await ends(topic);
    const records: TopicRecord[] = [];
    if (missing.size === 0) return records;
    const consumer = client().consumer({ groupId: `chaos-${randomUUID()}` });
    const finished = Promise.withResolvers<void>();
    consumer.on(consumer.events.CRASH, ({ payload }) => finished.reject(payload.error));
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachBatch: async ({ batch }) => {
          for (const { offset, key, value } of batch.messages) {
            records.push({
              partition: batch.partition,
              offset: BigInt(offset),
              key: key?.toString() ?? null,
              value: value?.toString() ?? null,
            });
          }
          if (BigInt(batch.lastOffset()) + 1n >= (missing.get(batch.partition) ?? 0n)) missing.delete(batch.partition);
          if (missing.size === 0) finished.resolve();
        },
      });
      await finished.promise;
    } finally {
      await consumer.disconnect();
    }
    return records;
  };
  // Between two lives a broker answers all sorts of things, and kafkajs does not get over each of them.
  return {
    read: (topic) => answered(() => read(topic)),
    count: async (topic) => (await answered(() => ends(topic))).values().reduce((sum, high) => sum + Number(high), 0),
  };
}

async function answered<T>(ask: () => Promise<T>): Promise<T> {
  let answer: T | undefined;
  await until('Kafka answers', async () => {
    answer = await ask();
    return true;
  });
  return answer as T;
}
