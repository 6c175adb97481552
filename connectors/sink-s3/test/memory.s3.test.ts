import { deepEqual, equal, ok } from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import { useS3 } from '../../../test/services/share.ts';
import type { S3Server } from '../../../test/services/s3.ts';
import { byteQueue } from '../storage/byte-queue.ts';
import { memory, slots } from '../storage/memory.ts';
import { spillFile } from '../storage/spill-file.ts';
import { bucketConfig, committed, formatClass, record, startSink } from './harness.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('memory', () => {
  let server: S3Server;
  let client: S3Client;
  before(async () => {
    server = await useS3();
    client = await server.client();
  });
  after(() => client.destroy());

  it('stays bounded with hundreds of open files, and their bytes come back in order', async () => {
    const bucket = await server.createBucket();
    const files = 200;
    const rounds = 24;
    const valueBytes = 4000;
    await using sink = await startSink({
      ...bucketConfig(server.endpoint, bucket),
      'format.class': formatClass('Json'),
      'partitioner.class': 'FieldPartitioner',
      'partition.field.name': 'f',
      'flush.size': String(files * rounds),
      's3.buffer.max.bytes': String(2 << 20),
      's3.part.size': String(5 << 20),
    });
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const look = (): void => {
      collectGarbage();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    };
    for (let round = 0; round < rounds; round++) {
      for (let f = 0; f < files; f += 100) {
        const batch = Array.from({ length: 100 }, (_, i) =>
          record(round * files + f + i, { f: f + i, round, text: 'x'.repeat(valueBytes) }),
        );
        await sink.task.put(batch);
      }
      look();
    }
    const looking = setInterval(look, 250);
    await committed(sink.task, BigInt(files * rounds)).finally(() => clearInterval(looking));
    // 20 MB in files; a put and the requests under way come on top of the 2 MB.
    ok(most < 8 << 20, `${most >> 20} MB`);
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    equal(page.KeyCount, files);
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: 'topics/t/f=7/t+0+0000000007.json' }));
    const lines = (await Body?.transformToString())?.trimEnd().split('\n') ?? [];
    deepEqual(
      lines.map((line) => (JSON.parse(line) as { round: number }).round),
      Array.from({ length: rounds }, (_, round) => round),
    );
  });

  it('keeps the order of bytes that were put aside in pieces', async () => {
    await using file = spillFile(tmpdir());
    const counted = memory(1);
    const [one, two] = [byteQueue(counted, file), byteQueue(counted, file)];
    const expected: Buffer[] = [];
    for (let i = 0; i < 40; i++) {
      const bytes = Buffer.alloc(1 + ((i * 7919) % 30_000), i);
      expected.push(bytes);
      one.append(bytes);
      two.append(Buffer.from('two'));
      if (i % 3 === 0) void one.spill();
      if (i % 5 === 0) await two.spill();
    }
    const taken = await one.take();
    ok(Buffer.concat(expected).equals(taken));
    counted.give(taken.length);
    equal((await two.take()).toString(), 'two'.repeat(40));
    counted.give(120);
    equal(counted.used(), 0);
  });

  it('lets few requests go at once', async () => {
    const few = slots(2, 100);
    const first = await few.acquire(1000);
    let second: (() => void) | undefined;
    const waiting = few.acquire(10).then((release) => (second = release));
    await Promise.resolve();
    equal(second, undefined);
    first();
    await waiting;
    const third = await few.acquire(90);
    equal(typeof third, 'function');
  });
});
