import type { TopicPartition } from '../api/index.ts';

/**
 * What members of a group of protocol type `consumer` tell each other, as ConsumerProtocol of the JVM client writes
 * it (ConsumerProtocolSubscription.json and ConsumerProtocolAssignment.json, versions 0 to 3). Version 0 of both is
 * the beginning of every later one.
 */
const version = 3;

export interface Subscription {
  readonly topics: readonly string[];
}

export function encodeSubscription(topics: readonly string[]): Buffer {
  return Buffer.concat([
    int16(version),
    int32(topics.length),
    ...topics.toSorted().map(text),
    int32(-1), // user data: none
    int32(0), // owned partitions: all are given back before joining
    int32(-1), // generation of the owned partitions
    int16(-1), // rack: none
  ]);
}

/** Throws a RangeError for bytes that are no subscription. */
export function decodeSubscription(bytes: Buffer): Subscription {
  let at = 2;
  const count = bytes.readInt32BE(at);
  at += 4;
  const topics: string[] = [];
  for (let i = 0; i < count; i++) {
    const length = bytes.readInt16BE(at);
    topics.push(bytes.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return { topics };
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)];
  return Buffer.concat([
    int16(version),
    int32(topics.length),
    ...topics.flatMap(([topic, each]) => [text(topic), int32(each.length), ...each.map(({ partition }) => int32(partition))]),
    int32(-1), // user data: none
  ]);
}

/** Empty bytes stand for an empty assignment. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  const partitions: TopicPartition[] = [];
  if (bytes.length < 6) return partitions;
  let at = 2;
  const count = bytes.readInt32BE(at);
  at += 4;
  for (let i = 0; i < count; i++) {
    const length = bytes.readInt16BE(at);
    const topic = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
    const each = bytes.readInt32BE(at);
    at += 4;
    for (let j = 0; j < each; j++, at += 4) partitions.push({ topic, partition: bytes.readInt32BE(at) });
  }
  return partitions;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}
