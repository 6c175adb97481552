/** A topic of records with ids from 0 on, one in a hundred of which is poison, of ten kinds or more. */
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';

import type { Random } from './seed.ts';

/** A record that cannot come through, and what its dead letter must say. */
export interface Poison {
  readonly kind: string;
  readonly key?: (id: number) => Buffer | string | null;
  readonly value: (id: number) => Buffer | string | null;
  readonly stage: string;
  /** Of the message. */
  readonly cause: RegExp;
}

export interface Placed {
  readonly id: number;
  readonly partition: number;
  readonly offset: number;
  /** Left out for a good record. */
  readonly poison?: Poison;
}

export interface SinkInput extends AsyncDisposable {
  readonly topic: string;
  /** Everything that was sent, by id. */
  readonly sent: readonly Placed[];
  /** Sends the next so many. */
  send(count: number): Promise<void>;
  /** Sends good ones until each partition has a multiple of so many of those. */
  fill(multiple: number): Promise<void>;
}

export interface SinkInputOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly poison: readonly Poison[];
  readonly random: Random;
}

const perSend = 1_000;
const poisonShare = 0.01;

export async function createSinkInput({ brokers, topic, partitions, poison, random }: SinkInputOptions): Promise<SinkInput> {
  const kafka = new Kafka({ clientId: 'chaos-input', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }] });
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const sent: Placed[] = [];
  const ends = new Array<number>(partitions).fill(0);
  let poisoned = 0;

  function next(): Placed {
    const partition = random.between(0, partitions - 1);
    // Each kind in turn, so that all come even in a short run.
    const bad = random.next() < poisonShare ? poison[poisoned++ % poison.length] : undefined;
    return place(partition, bad);
  }

  function place(partition: number, bad?: Poison): Placed {
    const offset = ends[partition] as number;
    ends[partition] = offset + 1;
    const placed: Placed = { id: sent.length, partition, offset, ...(bad && { poison: bad }) };
    sent.push(placed);
    return placed;
  }

  async function write(placed: readonly Placed[]): Promise<void> {
    const messages = placed.map(({ id, partition, poison: bad }) => ({
      partition,
      key: bad?.key === undefined ? keyOf(id) : bad.key(id),
      value: bad === undefined ? valueOf(id) : bad.value(id),
    }));
    if (messages.length > 0) await producer.send({ topic, messages, acks: -1, compression: CompressionTypes.GZIP });
  }

  return {
    topic,
    sent,
    async send(count) {
      for (let left = count; left > 0; left -= perSend) await write(Array.from({ length: Math.min(perSend, left) }, next));
    },
    async fill(multiple) {
      const good = new Array<number>(partitions).fill(0);
      for (const { partition, poison: bad } of sent) if (bad === undefined) good[partition] = (good[partition] as number) + 1;
      const missing = good.flatMap((count, partition) => new Array<number>((multiple - (count % multiple)) % multiple).fill(partition));
      await write(missing.map((partition) => place(partition)));
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  };
}

const keySchema = { type: 'int64', optional: false };
const fields = [
  { field: 'id', type: 'int64', optional: false },
  { field: 'name', type: 'string', optional: true },
  { field: 'score', type: 'string', optional: true },
];
const valueSchema = JSON.stringify({ type: 'struct', fields, optional: false });

export const keyOf = (id: number): string => JSON.stringify({ schema: keySchema, payload: id });

/** A record's value, as JSON with its schema; fields may be set otherwise. */
export function valueOf(id: number, other: Readonly<Record<string, unknown>> = {}): string {
  const payload = { id, name: `name ${id} ${'é'.repeat(id % 50)}`, score: String(id % 1000), ...other };
  return `{"schema":${valueSchema},"payload":${JSON.stringify(payload)}}`;
}

const letters = (id: number): string => `poison ${id}`;

/** What no sink ever sees, since converters or transforms refuse it. */
export const commonPoison: readonly Poison[] = [
  { kind: 'no JSON', value: letters, stage: 'VALUE_CONVERTER', cause: /malformed JSON/ },
  { kind: 'cut short', value: (id) => valueOf(id).slice(0, -4), stage: 'VALUE_CONVERTER', cause: /JSON/ },
  { kind: 'no text', value: () => Buffer.from([0xff, 0xfe, 0x00, 0x80]), stage: 'VALUE_CONVERTER', cause: /JSON/ },
  { kind: 'no envelope', value: (id) => JSON.stringify({ id }), stage: 'VALUE_CONVERTER', cause: /"?schema"?/ },
  { kind: 'wrong type', value: (id) => valueOf(id, { id: 'five' }), stage: 'VALUE_CONVERTER', cause: /./ },
  { kind: 'unknown type', value: (id) => `{"schema":{"type":"no type"},"payload":${id}}`, stage: 'VALUE_CONVERTER', cause: /no type/ },
  { kind: 'required field null', value: (id) => valueOf(id, { id: null }), stage: 'VALUE_CONVERTER', cause: /./ },
  {
    kind: 'nested too deep',
    value: () => `{"schema":{"type":"string"},"payload":${'['.repeat(10_000)}`,
    stage: 'VALUE_CONVERTER',
    cause: /./,
  },
  { kind: 'refused by a transform', value: (id) => valueOf(id, { score: 'many' }), stage: 'TRANSFORMATION', cause: /many|score/ },
  { kind: 'key is no JSON', key: letters, value: (id) => valueOf(id), stage: 'KEY_CONVERTER', cause: /malformed JSON/ },
];

/** What a connector has to say for records of this shape and poison of these kinds. */
export const inputConfig: Readonly<Record<string, string>> = {
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  transforms: 'number',
  'transforms.number.type': 'org.apache.kafka.connect.transforms.Cast$Value',
  'transforms.number.spec': 'score:int32',
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.replication.factor': '1',
  'errors.deadletterqueue.context.headers.enable': 'true',
};
