import { deepEqual, match } from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SinkRecord } from '@millrace/runtime/api';
import { until } from '../../../test/chaos/until.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { useS3 } from '../../../test/services/share.ts';
import type { S3Server } from '../../../test/services/s3.ts';
import { bucketConfig, committable, committed, record, startSink, textsIn } from './harness.ts';
import { namesIn, whileRunning } from './worker-sink.ts';

const through = 'connect-objects-resubmitted';
const partitions = [
  { topic: 't', partition: 0 },
  { topic: through, partition: 0 },
];

/** The letter of t-2, at an offset of the topic that it comes through. */
const letter = (offset: number, first: number, value: unknown): SinkRecord => ({
  ...record(offset, value),
  originalTopic: through,
  resubmitted: { topic: 't', partition: 2, offset: BigInt(first) },
});

describe('dead letters that were resubmitted', () => {
  let server: S3Server;
  let client: S3Client;
  before(async () => {
    server = await useS3();
    client = await server.client();
  });
  after(() => client.destroy());

  it('are objects of their own, in the folders where they belong, at once, and the same however often they come', async () => {
    const bucket = await server.createBucket();
    const config = { ...bucketConfig(server.endpoint, bucket), 'flush.size': '2' };
    const ordinary = [record(0, 'a'), record(1, 'b'), record(2, 'c')];
    const letters = [letter(0, 7, 'mended'), letter(1, 0, 'too')];
    const expected = {
      'topics/t/partition=0/t+0+0000000000.json': '"a"\n"b"\n',
      'topics/t/partition=2/t+connect-objects-resubmitted+0+0000000000.json': '"mended"\n',
      'topics/t/partition=2/t+connect-objects-resubmitted+0+0000000001.json': '"too"\n',
    };
    for (let run = 0; run < 2; run++) {
      await using sink = await startSink(config, { partitions });
      await sink.task.put([...ordinary, ...letters]);
      await committed(sink.task, 2n, through);
      await committed(sink.task, 2n);
      // Records of the topic itself have places of their own.
      deepEqual([await committable(sink.task, 3n), sink.failures], [2n, []]);
      deepEqual(await textsIn(client, bucket), expected);
    }
  });

  it('come from several topics, renamed ones too', async () => {
    const bucket = await server.createBucket();
    const config = { ...bucketConfig(server.endpoint, bucket), topics: 't,u', 'flush.size': '100' };
    await using sink = await startSink(config, { partitions: [...partitions, { topic: 'u', partition: 0 }] });
    await sink.task.put([letter(0, 7, 1), { ...letter(1, 8, 2), topic: 'other' }]);
    await committed(sink.task, 2n, through);
    deepEqual(await textsIn(client, bucket), {
      'topics/other/partition=2/other+connect-objects-resubmitted+0+0000000001.json': '2\n',
      'topics/t/partition=2/t+connect-objects-resubmitted+0+0000000000.json': '1\n',
    });
  });

  it('that cannot be written again are told of by where they stood first', async () => {
    const bucket = await server.createBucket();
    const keys = { 'flush.size': '2', 'store.kafka.keys': 'true' };
    await using sink = await startSink({ ...bucketConfig(server.endpoint, bucket), ...keys }, { partitions });
    await sink.task.put([letter(0, 7, 'no key')]);
    await committed(sink.task, 1n, through);
    match(sink.reported[0]?.error.message ?? '', /record t-2@7, resubmitted, cannot be written to S3/);
  });

  it('that do not say where they stood keep the name of the topic that they come through', async () => {
    const bucket = await server.createBucket();
    await using sink = await startSink({ ...bucketConfig(server.endpoint, bucket), 'flush.size': '1' }, { partitions });
    await sink.task.put([record(0, 'a'), record(0, 'b', { topic: through })]);
    await committed(sink.task, 1n);
    await committed(sink.task, 1n, through);
    deepEqual(await textsIn(client, bucket), {
      'topics/connect-objects-resubmitted/partition=0/connect-objects-resubmitted+0+0000000000.json': '"b"\n',
      'topics/t/partition=0/t+0+0000000000.json': '"a"\n',
    });
  });

  it('go straight to a connector of a worker, once each', async () => {
    const bucket = await server.createBucket();
    await using worker = await startMillrace({ properties: { 'offset.flush.interval.ms': '300' } });
    const text = 'org.apache.kafka.connect.storage.StringConverter';
    const file = join(worker.folder, 'lines.txt');
    appendFileSync(file, '1\n2\nword\n3\n4\n');
    await worker.put('source', { 'connector.class': 'FileStreamSource', topic: 't', file, 'value.converter': text });
    await worker.put('objects', {
      'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
      ...bucketConfig(server.endpoint, bucket),
      'flush.size': '4',
      'value.converter': text,
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'letters',
      'errors.deadletterqueue.topic.replication.factor': '1',
      'errors.deadletterqueue.context.headers.enable': 'true',
      transforms: 'c',
      'transforms.c.type': 'org.apache.kafka.connect.transforms.Cast$Value',
      'transforms.c.spec': 'int32',
    });
    const resubmit = async (): Promise<unknown> => {
      const letters = [{ partition: 0, offset: 0, value: { text: '77' } }];
      return worker.request('POST', '/connectors/objects/dead-letters/resubmit', { letters, target: 'sink' });
    };
    await whileRunning(worker, 'objects', 'an object', async () => (await namesIn(client, bucket)).length === 1);
    const outcomes: string[] = [];
    for (const outcome of ['resubmitted', 'unchanged']) {
      await until('the letter is resubmitted', async () => {
        const { letters } = (await resubmit()) as { letters: readonly { outcome: string }[] };
        outcomes.push(letters[0]?.outcome ?? 'none');
        return outcomes.at(-1) === outcome;
      });
    }
    appendFileSync(file, '5\n6\n7\n8\n');
    await whileRunning(worker, 'objects', 'all objects', async () => (await namesIn(client, bucket)).length >= 3);
    deepEqual(await textsIn(client, bucket), {
      'topics/t/partition=0/t+0+0000000000.json': '1\n2\n3\n4\n',
      'topics/t/partition=0/t+0+0000000005.json': '5\n6\n7\n8\n',
      'topics/t/partition=0/t+connect-objects-resubmitted+0+0000000000.json': '77\n',
    });
  });
});
