/** All that both connectors wrote, read by kafkajs, and made comparable. */
import { randomUUID } from 'node:crypto';

import { Kafka, logLevel } from 'kafkajs';
import type { IHeaders } from 'kafkajs';

import type { Message } from '../../connectors/source-postgres/test/fixtures.ts';

export interface TopicSet extends AsyncDisposable {
  /** How many records each of the topics holds; without those that do not exist. */
  ends(topics: readonly string[]): Promise<Map<string, number>>;
  /** Topics that begin with the prefix, and all that they hold: the prefix cut off, in everything. */
  read(prefix: string): Promise<Map<string, Message[]>>;
}

export async function openTopics(brokers: readonly string[]): Promise<TopicSet> {
  const kafka = new Kafka({ clientId: 'differential', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();

  async function ends(topics: readonly string[]): Promise<Map<string, number>> {
    const existing = new Set(await admin.listTopics());
    const found = new Map<string, number>();
    for (const topic of topics.filter((each) => existing.has(each))) {
      const [partition] = await admin.fetchTopicOffsets(topic);
      found.set(topic, Number(partition?.high ?? 0));
    }
    return found;
  }

  async function read(prefix: string): Promise<Map<string, Message[]>> {
    const missing = await ends((await admin.listTopics()).filter((topic) => topic.startsWith(prefix)));
    const messages = new Map<string, Message[]>([...missing.keys()].map((topic) => [topic.slice(prefix.length), []]));
    for (const [topic, count] of missing) if (count === 0) missing.delete(topic);
    const consumer = kafka.consumer({ groupId: `differential-${randomUUID()}`, maxWaitTimeInMs: 100 });
    const finished = Promise.withResolvers<void>();
    consumer.on(consumer.events.CRASH, ({ payload }) => finished.reject(payload.error));
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...missing.keys()], fromBeginning: true });
      await consumer.run({
        eachBatch: async ({ batch }) => {
          for (const { key, value, headers, offset } of batch.messages) {
            const own = (bytes: Buffer | null): unknown => parsed(bytes?.toString().replaceAll(prefix, '') ?? null);
            const topic = batch.topic.slice(prefix.length);
            messages.get(topic)?.push({ topic, headers: headersOf(headers, own), key: own(key), value: own(value) });
            if (Number(offset) + 1 >= (missing.get(batch.topic) ?? 0)) missing.delete(batch.topic);
          }
          if (missing.size === 0) finished.resolve();
        },
      });
      await finished.promise;
    } finally {
      await consumer.disconnect();
    }
    return messages;
  }
  return { ends, read, [Symbol.asyncDispose]: () => admin.disconnect() };
}

function headersOf(headers: IHeaders | undefined, parse: (bytes: Buffer | null) => unknown): [string, unknown][] {
  return Object.entries(headers ?? {}).flatMap(([name, values]) =>
    [values ?? null].flat().map((value): [string, unknown] => [name, parse(value === null ? null : Buffer.from(value))]),
  );
}

/** Numbers stay the text that they were. Without a schema, the payload is put where it would stand with one. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  const keepNumbers = (_: string, value: unknown, { source }: { source: string }): unknown =>
    typeof value === 'number' ? { number: source } : value;
  try {
    const json: unknown = (JSON.parse as (text: string, reviver: typeof keepNumbers) => unknown)(text, keepNumbers);
    const hasSchema = typeof json === 'object' && json !== null && 'payload' in json && 'schema' in json;
    return hasSchema ? json : { payload: json };
  } catch {
    return text;
  }
}
