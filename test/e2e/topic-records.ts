/** What is in topics, byte for byte: of the embedded log by our own reader, of Kafka by two that are not ours. */
import { Kafka, logLevel } from 'kafkajs';

import { readRecords } from '../../runtime/batch/record-reader.ts';
import { openEmbeddedLog } from '../../runtime/embedded/embedded-log.ts';
import { kcat } from '../services/kcat.ts';
import { eventually } from './worker-states.ts';

/** Bytes as text where they are UTF-8, else as hex. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
}

/** By topic; by partition, then by offset. */
export type TopicRecords = Readonly<Record<string, readonly TopicRecord[]>>;

function textOf(bytes: Buffer | null | undefined): string | null {
  if (bytes == null) return null;
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : `hex:${bytes.toString('hex')}`;
}

function inOrder(records: TopicRecord[]): TopicRecord[] {
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

export async function readEmbedded(directory: string, topics: readonly string[]): Promise<TopicRecords> {
  await using log = await openEmbeddedLog(directory, { readOnly: true });
  await using reader = await log.openReader({ clientId: 'records' });
  const read: Record<string, TopicRecord[]> = {};
  for (const { name, partitions } of await log.describeTopics(topics)) {
    const records: TopicRecord[] = [];
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
    const ends = new Map((await log.offsetsAt(all, 'latest')).map(({ partition, offset }) => [partition, offset]));
    for (const start of await log.offsetsAt(all, 'earliest')) {
      const end = ends.get(start.partition) ?? 0n;
      reader.assign([start]);
      for (let position = start.offset; position < end;) {
        for (const run of await reader.fetch({ maxWaitMs: 1000, maxBytes: 1 << 20 })) {
          position = run.nextPosition;
          for (const { offset, key, value, headers } of readRecords(Buffer.from(run.buffer), run.length, run.position)) {
            const texts = headers.map((header) => [header.key, textOf(header.value)] as const);
            records.push({ partition: start.partition, offset: Number(offset), key: textOf(key), value: textOf(value), headers: texts });
          }
        }
      }
    }
    read[name] = inOrder(records);
  }
  return read;
}

export async function readWithKafkajs(brokers: string[], topics: readonly string[]): Promise<TopicRecords> {
  const kafka = new Kafka({ clientId: 'records', brokers, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = new Map<string, number>();
  for (const topic of topics) {
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) ends.set(`${topic}/${partition}`, Number(high));
  }
  const expected = [...ends.values()].reduce((sum, end) => sum + end, 0);
  const groupId = `records-${crypto.randomUUID()}`;
  const consumer = kafka.consumer({ groupId });
  const read: Record<string, TopicRecord[]> = Object.fromEntries(topics.map((topic) => [topic, []]));
  let count = 0;
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      async eachMessage({ topic, partition, message }) {
        const headers = Object.entries(message.headers ?? {}).flatMap(([name, value]) =>
          [value].flat().map((each) => [name, typeof each === 'string' ? each : textOf(each)] as const),
        );
        read[topic]?.push({ partition, offset: Number(message.offset), key: textOf(message.key), value: textOf(message.value), headers });
        count++;
      },
    });
    await eventually(`${expected} records by kafkajs`, () => count >= expected);
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect();
  }
  return Object.fromEntries(topics.map((topic) => [topic, inOrder(read[topic] ?? [])]));
}

/** kcat checks each batch's CRC, too. */
export async function readWithKcat(brokers: readonly string[], topics: readonly string[]): Promise<TopicRecords> {
  const read: Record<string, TopicRecord[]> = {};
  for (const topic of topics) {
    const format = '%p %o %K %S %h\n%k%s\n';
    const args = ['-b', brokers.join(','), '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-X', 'check.crcs=true', '-f', format];
    read[topic] = inOrder(parseKcat(Buffer.from(await kcat(args))));
  }
  return read;
}

function parseKcat(output: Buffer): TopicRecord[] {
  const records: TopicRecord[] = [];
  let at = 0;
  const take = (length: number): string | null => {
    if (length < 0) return null;
    at += length;
    return textOf(output.subarray(at - length, at));
  };
  while (at < output.length) {
    const lineEnd = output.indexOf(10, at);
    const [partition, offset, keyLength, valueLength, ...headers] = output.subarray(at, lineEnd).toString().split(' ');
    at = lineEnd + 1;
    const key = take(Number(keyLength));
    const value = take(Number(valueLength));
    at++;
    const pairs = headers.join(' ').split(',').filter(Boolean);
    records.push({ partition: Number(partition), offset: Number(offset), key, value, headers: pairs.map(pairOf) });
  }
  return records;
}

function pairOf(pair: string): readonly [string, string | null] {
  const at = pair.indexOf('=');
  const value = pair.slice(at + 1);
  return [pair.slice(0, at), value === 'NULL' ? null : value];
}
