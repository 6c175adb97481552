import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { S3Client } from '@aws-sdk/client-s3';
import { schemas } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';
import { useS3 } from '../../../test/services/share.ts';
import type { S3Server } from '../../../test/services/s3.ts';
import { bucketConfig, committable, committed, formatClass, record, startSink, textsIn } from './harness.ts';

const partitioner = (name: string): string => `io.confluent.connect.storage.partitioner.${name}Partitioner`;

describe('files in a bucket', () => {
  let server: S3Server;
  let client: S3Client;
  before(async () => {
    server = await useS3();
    client = await server.client();
  });
  after(() => client.destroy());

  /** What a sink with these keys makes of the records, all of which its offsets say are there. */
  async function written(keys: Record<string, string>, records: readonly SinkRecord[], until?: number): Promise<Record<string, string>> {
    const bucket = await server.createBucket();
    await using sink = await startSink({ ...bucketConfig(server.endpoint, bucket), ...keys });
    await sink.task.put(records);
    await committed(sink.task, BigInt(until ?? Number(records.at(-1)?.offset) + 1));
    return textsIn(client, bucket);
  }

  it('makes one of every flush.size records, and commits only whole ones', async () => {
    const bucket = await server.createBucket();
    await using sink = await startSink({ ...bucketConfig(server.endpoint, bucket), 'flush.size': '3' });
    const records = [10, 11, 12, 13, 14, 15, 16].map((offset) => record(offset, { n: offset }));
    await sink.task.put(records.slice(0, 2));
    equal(await committable(sink.task, 12n), 10n);
    await sink.task.put(records.slice(2));
    await committed(sink.task, 16n);
    equal(await committable(sink.task, 17n), 16n);
    deepEqual(await textsIn(client, bucket), {
      'topics/t/partition=0/t+0+0000000010.json': '{"n":10}\n{"n":11}\n{"n":12}\n',
      'topics/t/partition=0/t+0+0000000013.json': '{"n":13}\n{"n":14}\n{"n":15}\n',
    });
  });

  it('names them as it is told to', async () => {
    const names = { 'topics.dir': '', 'directory.delim': '_', 'file.delim': '-', 'filename.offset.zero.pad.width': '3', 'flush.size': '1' };
    deepEqual(await written(names, [record(7, 'text')]), { 't_partition=0_t-0-007.json': '"text"\n' });
    deepEqual(await written({ 'flush.size': '1', 'recreated.topics': 'separate' }, [record(1, 1)]), {
      'topics/t/topic_id=id-of-t/partition=0/t+0+0000000001.json': '1\n',
    });
  });

  it('sorts records into folders by fields, and closes all of them together', async () => {
    const keys = { 'partitioner.class': partitioner('Field'), 'partition.field.name': 'a,b.c', 'flush.size': '3' };
    const records = [record(0, { a: 'x', b: { c: 1 } }), record(1, { a: 'y', b: { c: null } }), record(2, { a: 'x', b: { c: 1 } })];
    deepEqual(await written(keys, records), {
      'topics/t/a=x/b.c=1/t+0+0000000000.json': '{"a":"x","b":{"c":1}}\n{"a":"x","b":{"c":1}}\n',
      'topics/t/a=y/b.c=null/t+0+0000000001.json': '{"a":"y","b":{"c":null}}\n',
    });
  });

  it('sorts records into folders by time, and closes them when it moves on', async () => {
    const keys = {
      'partitioner.class': partitioner('Hourly'),
      timezone: 'America/New_York',
      locale: 'en-US',
      'timestamp.extractor': 'Record',
      'rotate.interval.ms': '1800000',
      'flush.size': '1000',
    };
    const at = (text: string): { timestamp: number } => ({ timestamp: Date.parse(text) });
    const records = [
      record(0, 0, at('2026-01-01T02:00:00Z')),
      record(1, 1, at('2026-01-01T02:29:00Z')),
      record(2, 2, at('2026-01-01T02:30:00Z')),
      record(3, 3, at('2026-01-01T03:00:00Z')),
      record(4, 4, at('2026-01-02T03:00:00Z')),
    ];
    deepEqual(await written(keys, records, 4), {
      'topics/t/year=2025/month=12/day=31/hour=21/t+0+0000000000.json': '0\n1\n',
      'topics/t/year=2025/month=12/day=31/hour=21/t+0+0000000002.json': '2\n',
      'topics/t/year=2025/month=12/day=31/hour=22/t+0+0000000003.json': '3\n',
    });
  });

  it('writes keys and headers beside the values, and tombstones to a folder of their own', async () => {
    const keys = {
      'flush.size': '3',
      'store.kafka.keys': 'true',
      'store.kafka.headers': 'true',
      'keys.format.class': formatClass('Json'),
      'headers.format.class': formatClass('Json'),
      'behavior.on.null.values': 'write',
      's3.compression.type': 'none',
    };
    const headers = [{ key: 'h', schema: schemas.string, value: 'v' }];
    const parts = { key: 'k', keySchema: schemas.string, headers };
    const sent = [record(0, { a: 1 }, parts), record(1, null, parts), record(2, { a: 2 }, parts)];
    deepEqual(await written(keys, sent), {
      'topics/t/partition=0/t+0+0000000000.json': '{"a":1}\n{"a":2}\n',
      'topics/t/partition=0/t+0+0000000000.keys.json': '"k"\n"k"\n',
      'topics/t/partition=0/t+0+0000000000.headers.json': '{"headers":[{"key":"h","value":"v"}]}\n'.repeat(2),
      'topics/t/tombstone/t+0+0000000001.keys.json': '"k"\n',
      'topics/t/tombstone/t+0+0000000001.headers.json': '{"headers":[{"key":"h","value":"v"}]}\n',
    });
  });

  it('hands records that cannot be written on, and none of them to any file', async () => {
    const bucket = await server.createBucket();
    const keys = { 'flush.size': '2', 'store.kafka.keys': 'true', 'keys.format.class': formatClass('Json') };
    await using sink = await startSink({ ...bucketConfig(server.endpoint, bucket), ...keys });
    await sink.task.put([record(0, 'no key'), record(1, 1, { key: 'k' }), record(2, 2), record(3, 3, { key: 'l' })]);
    await committed(sink.task, 4n);
    deepEqual(await textsIn(client, bucket), {
      'topics/t/partition=0/t+0+0000000001.json': '1\n3\n',
      'topics/t/partition=0/t+0+0000000001.keys.json': '"k"\n"l"\n',
    });
    deepEqual(
      sink.reported.map(({ record: { offset } }) => offset),
      [0n, 2n],
    );
    match(
      sink.reported[0]?.error.message ?? '',
      /record t-0@0 cannot be written to S3: the record has no key, and store\.kafka\.keys=true/,
    );
  });

  it('fails at a record that is not tolerated, and at one without a value', async () => {
    const bucket = await server.createBucket();
    const keys = { ...bucketConfig(server.endpoint, bucket), 'flush.size': '2', 'format.class': formatClass('ByteArray') };
    await using strict = await startSink(keys, { tolerant: false });
    await rejects(strict.task.put([record(0, 'text')]), {
      name: 'DataError',
      message: /ByteArrayFormat writes bytes, and this is a string/,
    });
    await rejects(strict.task.put([record(0, null)]), {
      name: 'ConnectError',
      message: /t-0@0 has no value, and behavior\.on\.null\.values=fail/,
    });
    await using ignoring = await startSink({ ...keys, 'behavior.on.null.values': 'ignore', 'errors.tolerance': 'all' });
    await ignoring.task.put([record(0, null)]);
    equal(ignoring.reported.length, 1);
    equal(await committable(ignoring.task, 1n), 1n);
  });

  it('closes files by the clock, and lets their offsets go at once', async () => {
    for (const rule of ['rotate.wall.clock.interval.ms', 'rotate.schedule.interval.ms']) {
      const bucket = await server.createBucket();
      const keys = { ...bucketConfig(server.endpoint, bucket), 'flush.size': '100', timezone: 'UTC', [rule]: '100' };
      await using sink = await startSink(keys);
      await sink.task.put([record(0, 0)]);
      const before = Date.now();
      while (sink.commitsAsked() === 0 && Date.now() - before < 20_000) await new Promise((resolve) => setTimeout(resolve, 5));
      await committed(sink.task, 1n);
      deepEqual(await textsIn(client, bucket), { 'topics/t/partition=0/t+0+0000000000.json': '0\n' });
      match(sink.warnings.join('\n'), new RegExp(`${rule.replaceAll('.', String.raw`\.`)}: files are closed by the clock`));
    }
  });

  it('closes all files before it opens more than it may', async () => {
    const keys = {
      'partitioner.class': partitioner('Field'),
      'partition.field.name': 'f',
      'flush.size': '100',
      'partitioner.max.open.files': '2',
    };
    const records = ['a', 'b', 'a', 'c'].map((f, offset) => record(offset, { f }));
    deepEqual(Object.keys(await written(keys, records, 3)), ['topics/t/f=a/t+0+0000000000.json', 'topics/t/f=b/t+0+0000000001.json']);
  });

  it('refuses a bucket that is not there', async () => {
    await rejects(startSink({ ...bucketConfig(server.endpoint, 'no-such-bucket'), 'flush.size': '1' }), {
      name: 'ConfigError',
      message: /connector objects: bucket no-such-bucket does not exist\. Create it/,
    });
  });

  it('follows a transform that renames the topic, when it is the only one', async () => {
    const renamed = [record(0, 0, { topic: 'other' })];
    deepEqual(await written({ 'flush.size': '1' }, renamed), { 'topics/other/partition=0/other+0+0000000000.json': '0\n' });
    const bucket = await server.createBucket();
    await using sink = await startSink({ ...bucketConfig(server.endpoint, bucket), topics: 't,u', 'flush.size': '1' });
    await rejects(sink.task.put(renamed), /a record has topic "other", which is none that this task reads/);
  });
});
