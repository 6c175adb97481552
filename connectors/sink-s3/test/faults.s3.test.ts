import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SinkRecord } from '@millrace/runtime/api';
import { useS3 } from '../../../test/services/share.ts';
import type { S3Server } from '../../../test/services/s3.ts';
import { until } from '../../../test/chaos/until.ts';
import { faultProxy } from './fault-proxy.ts';
import type { Fault, FaultProxy, Operation } from './fault-proxy.ts';
import { bucketConfig, committable, committed, formatClass, objectsIn, record, startSink } from './harness.ts';
import { uploadsIn } from './worker-sink.ts';

const partBytes = 5 << 20;

describe('a bucket that fails', () => {
  let server: S3Server;
  let client: S3Client;
  let proxy: FaultProxy;
  let bucket: string;
  before(async () => {
    server = await useS3();
    client = await server.client();
  });
  after(() => client.destroy());
  beforeEach(async () => {
    proxy = await faultProxy(server.endpoint);
    bucket = await server.createBucket();
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  const keys = (more: Record<string, string> = {}): Record<string, string> => ({
    ...bucketConfig(proxy.endpoint, bucket),
    'format.class': formatClass('ByteArray'),
    's3.part.size': String(partBytes),
    's3.request.timeout.ms': '2000',
    'flush.size': '3',
    ...more,
  });
  /** Fifteen megabytes in three records: three parts and a bit. */
  const large = [0, 1, 2].map((offset) => record(offset, Buffer.alloc(partBytes + 1, offset)));
  const small = [0, 1, 2].map((offset) => record(offset, Buffer.from(`value ${offset}`)));
  const content = (records: readonly SinkRecord[]): Buffer =>
    Buffer.concat(records.flatMap(({ value }) => [value as Buffer, Buffer.from('\n')]));
  const name = 'topics/t/partition=0/t+0+0000000000.bin';

  const faults: readonly Fault[] = ['cut', 'lose-answer', 'busy', 'throttled', { delayMs: 50 }];
  const inParts = large.slice(0, 2);
  const operations: readonly (readonly [Operation, readonly SinkRecord[]])[] = [
    ['put', small],
    ['head', small],
    ['create', inParts],
    ['part', inParts],
    ['complete', inParts],
  ];
  for (const [operation, records] of operations) {
    for (const fault of faults) {
      it(`writes the object when ${operation} meets ${typeof fault === 'string' ? fault : 'a delay'}`, async () => {
        proxy.fault = (asked, count) => (asked === operation && count <= 2 ? fault : 'pass');
        await using sink = await startSink(keys({ 'flush.size': String(records.length) }));
        await sink.task.put(records);
        await committed(sink.task, BigInt(records.length));
        const found = await objectsIn(client, bucket);
        deepEqual([...found.keys()], [name]);
        ok(found.get(name)?.equals(content(records)));
        ok(proxy.counts[operation] >= 2 || typeof fault === 'object');
        deepEqual(sink.failures, []);
        await until('no uploads are left', async () => (await uploadsIn(client, bucket)).length === 0, 30_000);
      });
    }
  }

  it('tries again as long as it takes, takes no more than it may hold, and says so', async () => {
    await using sink = await startSink(keys({ 'flush.size': '1', 's3.buffer.max.bytes': '1048576', 's3.part.retries': '1' }));
    proxy.fault = () => 'busy';
    const records = Array.from({ length: 40 }, (_, offset) => record(offset, Buffer.alloc(200_000, offset)));
    let refused: Error | undefined;
    while (refused === undefined) await sink.task.put(records).catch((error: Error) => void (refused = error));
    equal(refused.name, 'RetriableError');
    match(refused.message, /connector objects: S3 does not take what is to be written: HTTP status 503/);
    equal(await committable(sink.task, 0n), 0n);
    proxy.fault = () => 'pass';
    // As the worker does: the same records again until they are taken.
    for (let taken = false; !taken;)
      taken = await sink.task.put(records).then(
        () => true,
        () => false,
      );
    await committed(sink.task, 40n);
    const found = await objectsIn(client, bucket);
    equal(found.size, 40);
    for (const { offset, value } of records) {
      ok(found.get(`topics/t/partition=0/t+0+${String(offset).padStart(10, '0')}.bin`)?.equals(content([record(0, value)])));
    }
  });

  it('lets the group hear from it while nothing answers, and holds no more than it may', async () => {
    await using sink = await startSink(keys({ 'flush.size': '1', 's3.buffer.max.bytes': '1048576', 's3.request.timeout.ms': '600000' }));
    proxy.fault = () => 'silent';
    const records = Array.from({ length: 40 }, (_, offset) => record(offset, Buffer.alloc(200_000, offset)));
    await rejects(sink.task.put(records), { name: 'RetriableError', message: /S3 takes what is to be written more slowly than it comes/ });
    await rejects(sink.task.put(records), { name: 'RetriableError' });
    equal(await committable(sink.task, 0n), 0n);
    equal(proxy.counts.head, 7, 'one for the bucket; a megabyte is six records, and no more are taken');
  });

  it('looks for abandoned uploads until the bucket answers, and starts none before', async () => {
    await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: name }));
    let answers = false;
    proxy.fault = (asked) => (asked === 'list' && !answers ? 'busy' : 'pass');
    await using sink = await startSink(keys());
    await sink.task.put(large);
    await until('the upload is about to start', () => proxy.counts.head > 1, 60_000, 5);
    const asked = proxy.counts.list;
    await until('it is still being looked for', () => proxy.counts.list > asked + 10, 60_000, 5);
    equal(proxy.counts.create, 0);
    answers = true;
    await committed(sink.task, 3n);
    await until('no uploads are left', async () => (await uploadsIn(client, bucket)).length === 0, 30_000);
    ok((await objectsIn(client, bucket)).get(name)?.equals(content(large)));
  });

  it('fails at once, for good, when it is refused', async () => {
    await using sink = await startSink({ ...keys(), 'aws.secret.access.key': 'wrong' }).catch((error: Error) => {
      throw error;
    });
    await sink.task.put(small);
    await until('a failure', () => sink.failures.length > 0, 60_000, 5);
    match(
      sink.failures[0]?.message ?? '',
      /connector objects: writing topics\/t\/partition=0\/\S+ was refused: SignatureDoesNotMatch \(403\)/,
    );
    await rejects(async () => sink.task.preCommit?.([{ topic: 't', partition: 0, offset: 3n }]), /SignatureDoesNotMatch/);
  });

  it('makes the same objects, byte for byte, wherever it is killed', async () => {
    const seed = randomInt(1_000_000);
    const records = Array.from({ length: 60 }, (_, i) => {
      const offset = i + Math.floor(i / 7);
      return record(offset, { f: `f${(i * 7) % 3}`, text: 'x'.repeat((i * 7919) % 400_000) });
    });
    const config = keys({
      'format.class': formatClass('Json'),
      's3.compression.type': 'gzip',
      'partitioner.class': 'FieldPartitioner',
      'partition.field.name': 'f',
      'flush.size': '25',
    });
    await using whole = await startSink(config);
    await whole.task.put(records);
    await committed(whole.task, (records[49] as SinkRecord).offset + 1n).catch(() => {});
    const position = (records.at(-1) as SinkRecord).offset + 1n;
    let safe = 0n;
    while (safe <= (records[49] as SinkRecord).offset) safe = (await committable(whole.task, position)) ?? 0n;
    const expected = await objectsIn(client, bucket);
    equal(expected.size, 6);

    bucket = await server.createBucket();
    let random = seed;
    const next = (below: number): number => (random = (random * 48_271 + 11) % 2_147_483_647) % below;
    for (let from = 0n, rounds = 0; from <= (records[49] as SinkRecord).offset; rounds++) {
      await using sink = await startSink({ ...config, 's3.bucket.name': bucket });
      const rest = records.filter(({ offset }) => offset >= from);
      // Cut into puts of any size, and dropped in the middle.
      const upTo = rounds > 12 ? rest.length : 1 + next(rest.length);
      proxy.fault = () => (['pass', 'pass', 'cut', 'lose-answer'] as const)[next(4)] ?? 'pass';
      for (let at = 0; at < upTo;) {
        const end = Math.min(upTo, at + 1 + next(9));
        await sink.task.put(rest.slice(at, end));
        at = end;
      }
      const last = (rest[upTo - 1] as SinkRecord).offset + 1n;
      for (let tries = next(60); tries >= 0 || rounds > 12; tries--) {
        // What is committed may be less than what is there, never more.
        const let_through = (await committable(sink.task, last)) ?? 0n;
        if (next(2) === 0 && let_through > from) from = let_through;
        if (from > (records[49] as SinkRecord).offset) break;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    proxy.fault = () => 'pass';
    const found = await objectsIn(client, bucket);
    deepEqual([...found.keys()], [...expected.keys()], `seed ${seed}`);
    for (const [key, bytes] of expected) ok(found.get(key)?.equals(bytes), `${key}, seed ${seed}`);
  });

  const uploads = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];

  it('reads everything again when its upload was aborted by somebody else', async () => {
    await using sink = await startSink(keys());
    await sink.task.put(large.slice(0, 2));
    let open = await uploads();
    while (open.length === 0) open = await uploads();
    const { Key, UploadId } = open[0] as { Key: string; UploadId: string };
    // The gateway makes an upload anew for a part that arrives while it is aborted.
    const parts = async () => (await client.send(new ListPartsCommand({ Bucket: bucket, Key, UploadId }))).Parts ?? [];
    await until('two parts', async () => (await parts()).length === 2, 60_000, 5);
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
    await sink.task.put(large.slice(2));
    while (sink.commitsAsked() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await rejects(async () => sink.task.preCommit?.([{ topic: 't', partition: 0, offset: 3n }]), {
      name: 'RetriableError',
      message: /the upload of \S+ is gone.*Its records are read again/,
    });
    await sink.task.put(large);
    await committed(sink.task, 3n);
    ok((await objectsIn(client, bucket)).get(name)?.equals(content(large)));
  });

  it('aborts what it does not finish, and what an earlier run left of its partitions', async () => {
    const left = ['topics/t/partition=0/t+0+0000000000.bin', 'topics/t/f=x/t+0+0000000007.bin', 'topics/t/partition=1/t+1+0000000000.bin'];
    for (const Key of left) await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    {
      await using sink = await startSink(keys());
      deepEqual(
        (await uploads()).map(({ Key }) => Key),
        [left[2]],
      );
      await sink.task.put(large.slice(0, 2));
      await until('an upload', async () => (await uploads()).length > 1, 60_000, 5);
      await sink.task.close?.([{ topic: 't', partition: 0 }]);
      equal((await uploads()).length, 1);
    }
    await using keeping = await startSink(keys({ 'abandoned.uploads': 'keep' }), { partitions: [{ topic: 't', partition: 1 }] });
    equal((await uploads()).length, 1);
    deepEqual(keeping.failures, []);
  });

  it('sees a topic that was made anew under its old name', async () => {
    {
      await using old = await startSink(keys());
      await old.task.put(small);
      await committed(old.task, 3n);
    }
    {
      await using same = await startSink(keys());
      await same.task.put(small);
      await committed(same.task, 3n);
    }
    await using made_anew = await startSink(keys(), { topicId: 'another' });
    await made_anew.task.put(large);
    await until('a failure', () => made_anew.failures.length > 0, 60_000, 5);
    match(
      made_anew.failures[0]?.message ?? '',
      /object \S+ holds records of an earlier topic of the same name \(its id was id-of-t, now it is another\).*recreated\.topics=separate/,
    );
    ok((await objectsIn(client, bucket)).get(name)?.equals(content(small)));
    await using overwriting = await startSink(keys({ 'recreated.topics': 'overwrite' }), { topicId: 'another' });
    await overwriting.task.put(large);
    await committed(overwriting.task, 3n);
    ok((await objectsIn(client, bucket)).get(name)?.equals(content(large)));
  });
});
