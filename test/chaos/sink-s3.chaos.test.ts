/** The S3 sink under fire: files of JSON lines, closed by count, whose names tell their first offset. */
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';

import { S3_USER, startS3 } from '../services/s3.ts';
import { httpMishaps, startHttpFaultProxy } from './http-fault-proxy.ts';
import { isFull } from './seed.ts';
import type { Random } from './seed.ts';
import { sinkChaos } from './sink-chaos.ts';
import type { SinkTarget } from './sink-chaos.ts';
import { resubmitAll } from './sink-resubmission.ts';

const timeout = 90 * 60_000;
const flushSize = 200;

async function s3Target(random: Random, more: Readonly<Record<string, string>>): Promise<SinkTarget> {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await startS3({ private: true }));
  const bucket = await server.createBucket();
  const client = opened.adopt(await server.client(), (each) => each.destroy());
  const refusal = (status: number) => ({
    type: 'application/xml',
    body: `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>made up (${status})</Message></Error>`,
  });
  const proxy = opened.use(await startHttpFaultProxy({ target: server.endpoint, random, refusal }));
  const kept = opened.move();

  async function* keys(): AsyncGenerator<string> {
    for (let token: string | undefined; ;) {
      const { Contents = [], NextContinuationToken } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: 'topics/', ...(token === undefined ? {} : { ContinuationToken: token }) }),
      );
      for (const { Key } of Contents) if (Key?.endsWith('.json') === true) yield Key;
      if (NextContinuationToken === undefined) return;
      token = NextContinuationToken;
    }
  }

  return {
    config: {
      'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
      'store.url': proxy.url,
      's3.bucket.name': bucket,
      's3.region': 'us-east-1',
      'aws.access.key.id': S3_USER.accessKey,
      'aws.secret.access.key': S3_USER.secretKey,
      'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
      'flush.size': String(flushSize),
      'retry.backoff.ms': '500',
      ...more,
    },
    wholeOf: flushSize,
    mishaps: [
      ...httpMishaps(proxy, random),
      async () => {
        await server.kill('SIGKILL');
        await sleep(random.between(0, 2_000));
        await server.restart();
        return 'S3 killed and started';
      },
    ],
    async calm() {
      proxy.set([]);
    },
    async progress() {
      return (await Array.fromAsync(keys())).length;
    },
    async read(each) {
      for await (const key of keys()) {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        const lines = ((await Body?.transformToString()) ?? '').split('\n').filter(Boolean);
        const wanted = key.includes('-resubmitted+') ? 1 : flushSize;
        if (lines.length !== wanted) throw new Error(`${key} has ${lines.length} lines, not ${wanted}`);
        for (const line of lines) each((JSON.parse(line) as { id: number }).id);
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

describe('sink-s3: target and dead letters are the input', () => {
  // Straight alone: what goes to the topic waits there for others that fill its file.
  test('one worker; the dead letters are mended and resubmitted', { timeout }, (t) =>
    sinkChaos(t, {
      name: 's3',
      target: (_, random) => s3Target(random, {}),
      afterwards: (it) => resubmitAll(it, { straight: 'all' }),
    }),
  );

  // The short run has the same of two other sinks.
  if (!isFull) return;
  test('two workers, three tasks', { timeout }, (t) =>
    sinkChaos(t, { name: 's3', cluster: true, target: (_, random) => s3Target(random, { 'tasks.max': '3' }) }),
  );
});
