/** A sink task over a real bucket, and a stand-in for what the worker does around it. */
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { noHeaders } from '@millrace/runtime/api';
import type { ConfigValues, RawConfig, Schema, SinkRecord, SinkTask, SinkTaskContext, TopicPartition } from '@millrace/runtime/api';
import { mustParse } from '../../../runtime/plugins/config-validation.ts';
import { S3_USER } from '../../../test/services/s3.ts';
import plugin from '../index.ts';
import { config } from '../settings.ts';

export const formatClass = (name: 'Json' | 'ByteArray' | 'Avro' | 'Parquet'): string =>
  `io.confluent.connect.s3.format.${name.toLowerCase()}.${name}Format`;

export interface Harness extends AsyncDisposable {
  readonly task: SinkTask;
  readonly reported: { record: SinkRecord; error: Error }[];
  readonly warnings: string[];
  /** What the task failed with from outside its calls. */
  readonly failures: Error[];
  commitsAsked(): number;
  /** Asks the task to stop. */
  stop(): void;
}

export interface HarnessOptions {
  readonly partitions?: readonly TopicPartition[];
  readonly topicId?: string;
  readonly tolerant?: boolean;
}

export const parse = (raw: RawConfig): ConfigValues<typeof config> =>
  mustParse(config, raw, 'test') as unknown as ConfigValues<typeof config>;

/** The keys that reach a bucket, and quick retries. */
export const bucketConfig = (endpoint: string, bucket: string): Record<string, string> => ({
  topics: 't',
  'store.url': endpoint,
  's3.bucket.name': bucket,
  's3.region': 'us-east-1',
  'aws.access.key.id': S3_USER.accessKey,
  'aws.secret.access.key': S3_USER.secretKey,
  'format.class': formatClass('Json'),
  's3.retry.backoff.ms': '1',
  'retry.backoff.ms': '20',
});

export async function startSink(raw: RawConfig, options: HarnessOptions = {}): Promise<Harness> {
  const { partitions = [{ topic: 't', partition: 0 }], topicId = 'id-of-t', tolerant = true } = options;
  const ended = new AbortController();
  const reported: Harness['reported'] = [];
  const failures: Error[] = [];
  const warnings: string[] = [];
  let asked = 0;
  const context: SinkTaskContext = {
    connector: 'objects',
    task: 0,
    rawConfig: raw,
    signal: ended.signal,
    log: { debug() {}, info() {}, warn: (message) => void warnings.push(message), error() {} },
    fail: (error) => void failures.push(error),
    assignment: () => partitions,
    topicId: () => topicId,
    seek() {},
    pause() {},
    resume() {},
    requestCommit: () => void asked++,
    overtaken: async () => {},
    async report(record, error) {
      if (!tolerant) throw error;
      reported.push({ record, error });
    },
  };
  const task = await plugin.start(parse(raw), context);
  await task.open?.(partitions.map((each) => ({ ...each, offset: 0n })));
  return {
    task,
    reported,
    warnings,
    failures,
    commitsAsked: () => asked,
    stop: () => ended.abort(),
    async [Symbol.asyncDispose]() {
      ended.abort();
      await task[Symbol.asyncDispose]();
    },
  };
}

/** The offset that the task lets partition 0 be committed to, when `next` is the next one to read. */
export async function committable(task: SinkTask, next: bigint, topic = 't', partition = 0): Promise<bigint | undefined> {
  const offsets = await task.preCommit?.([{ topic, partition, offset: next }]);
  return offsets?.[0]?.offset;
}

/** Commits until this offset is let through. */
export async function committed(task: SinkTask, offset: bigint, topic = 't', partition = 0): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const found = await committable(task, offset, topic, partition);
    if (found === offset) return;
    if (Date.now() > deadline) throw new Error(`offset ${offset} was never let through, only ${found}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface RecordParts {
  readonly topic?: string;
  readonly partition?: number;
  readonly schema?: Schema | null;
  readonly key?: unknown;
  readonly keySchema?: Schema | null;
  readonly timestamp?: number;
  readonly headers?: SinkRecord['headers'];
}

export function record(offset: number | bigint, value: unknown, parts: RecordParts = {}): SinkRecord {
  const { topic = 't', partition = 0, schema = null, key = null, keySchema = null, timestamp = 0, headers = noHeaders } = parts;
  return {
    topic,
    partition,
    offset: BigInt(offset),
    keySchema,
    key,
    valueSchema: schema,
    value,
    timestamp,
    timestampType: 'CreateTime',
    headers,
  };
}

/** Everything in a bucket, by name. */
export async function objectsIn(client: S3Client, bucket: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, ...(token === undefined ? {} : { ContinuationToken: token }) }),
    );
    for (const { Key } of page.Contents ?? []) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      found.set(Key as string, Buffer.from((await Body?.transformToByteArray()) ?? []));
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return found;
}

/** Texts of all objects, by name. */
export async function textsIn(client: S3Client, bucket: string): Promise<Record<string, string>> {
  const found = await objectsIn(client, bucket);
  return Object.fromEntries([...found].map(([name, bytes]) => [name, bytes.toString()]));
}
