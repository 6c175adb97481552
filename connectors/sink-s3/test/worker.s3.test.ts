/** The connector in a worker of its own process, with configs as the peer's documentation has them. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { S3Client } from '@aws-sdk/client-s3';
import { parquetReadObjects } from 'hyparquet';
import { until } from '../../../test/chaos/until.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import type { MillraceServer } from '../../../test/services/millrace.ts';
import type { S3Server } from '../../../test/services/s3.ts';
import { useS3 } from '../../../test/services/share.ts';
import { readAvro } from './avro-reader.ts';
import { objectsIn, textsIn } from './harness.ts';
import { committedOffset, namesIn, reach, whileRunning } from './worker-sink.ts';

const partitioner = 'io.confluent.connect.storage.partitioner';
const format = 'io.confluent.connect.s3.format';

/** The quick start's. */
const quickStart = {
  'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
  'tasks.max': '1',
  's3.part.size': '5242880',
  'flush.size': '3',
  'storage.class': 'io.confluent.connect.s3.storage.S3Storage',
  'format.class': `${format}.avro.AvroFormat`,
  'schema.generator.class': 'io.confluent.connect.storage.hive.schema.DefaultSchemaGenerator',
  'partitioner.class': `${partitioner}.DefaultPartitioner`,
  'schema.compatibility': 'NONE',
};

describe('a worker', () => {
  let server: S3Server;
  let client: S3Client;
  let worker: MillraceServer;
  before(async () => {
    server = await useS3();
    client = await server.client();
    worker = await startMillrace();
  });
  after(async () => {
    client.destroy();
    await worker[Symbol.asyncDispose]();
  });

  /** Lines into a topic, each a struct of one field. */
  async function lines(topic: string, count: number): Promise<void> {
    const file = join(worker.folder, `${topic}.txt`);
    appendFileSync(file, Array.from({ length: count }, (_, i) => `val${i + 1}\n`).join(''));
    await worker.put(`${topic}-source`, {
      'connector.class': 'FileStreamSource',
      topic,
      file,
      transforms: 'hoist',
      'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
      'transforms.hoist.field': 'f1',
    });
  }

  async function sink(name: string, topics: string, more: Record<string, string>): Promise<string> {
    const bucket = await server.createBucket();
    await worker.put(name, {
      ...quickStart,
      topics,
      ...reach(server.endpoint, bucket),
      ...more,
    });
    return bucket;
  }

  async function names(name: string, bucket: string, count: number): Promise<string[]> {
    let found: string[] = [];
    await whileRunning(worker, name, `${count} objects`, async () => (found = await namesIn(client, bucket)).length >= count);
    return found;
  }

  it("runs the quick start's config: nine records, three Avro files", async () => {
    await lines('s3_topic', 9);
    const bucket = await sink('s3-sink', 's3_topic', {});
    deepEqual(await names('s3-sink', bucket, 3), [
      'topics/s3_topic/partition=0/s3_topic+0+0000000000.avro',
      'topics/s3_topic/partition=0/s3_topic+0+0000000003.avro',
      'topics/s3_topic/partition=0/s3_topic+0+0000000006.avro',
    ]);
    const first = (await objectsIn(client, bucket)).get('topics/s3_topic/partition=0/s3_topic+0+0000000000.avro');
    const { values } = await readAvro(first as Buffer, 'null');
    deepEqual(values, [{ f1: 'val1' }, { f1: 'val2' }, { f1: 'val3' }]);
  });

  it('runs the other formats and partitioners by their Java names', async () => {
    await lines('others', 6);
    const time = { locale: 'en-US', timezone: 'UTC', 'timestamp.extractor': 'Record' };
    const json = await sink('json', 'others', {
      'format.class': `${format}.json.JsonFormat`,
      'partitioner.class': `${partitioner}.FieldPartitioner`,
      'partition.field.name': 'f1',
      's3.compression.type': 'gzip',
    });
    const parquet = await sink('parquet', 'others', {
      'format.class': `${format}.parquet.ParquetFormat`,
      'partitioner.class': `${partitioner}.TimeBasedPartitioner`,
      'path.format': "'year'=YYYY",
      'partition.duration.ms': '3600000',
      ...time,
    });
    const daily = await sink('daily', 'others', {
      'format.class': `${format}.json.JsonFormat`,
      'partitioner.class': `${partitioner}.DailyPartitioner`,
      'rotate.interval.ms': '600000',
      ...time,
    });
    const hourly = await sink('hourly', 'others', {
      'format.class': `${format}.bytearray.ByteArrayFormat`,
      'partitioner.class': `${partitioner}.HourlyPartitioner`,
      'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
      ...time,
    });
    equal((await names('json', json, 6))[0], 'topics/others/f1=val1/others+0+0000000000.json.gz');
    const [file] = await names('parquet', parquet, 2);
    match(file ?? '', /^topics\/others\/year=\d{4}\/others\+0\+0000000000\.snappy\.parquet$/);
    const bytes = (await objectsIn(client, parquet)).get(file as string) as Buffer;
    const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
    deepEqual(rows, [{ f1: 'val1' }, { f1: 'val2' }, { f1: 'val3' }]);
    match((await names('daily', daily, 2))[0] ?? '', /^topics\/others\/year=\d{4}\/month=\d\d\/day=\d\d\/others\+0\+0000000000\.json$/);
    match((await names('hourly', hourly, 2))[0] ?? '', /\/hour=\d\d\/others\+0\+0000000000\.bin$/);
  });

  it('writes again what offsets reset by REST ask for, under the same names', async () => {
    await lines('again', 6);
    const bucket = await sink('again', 'again', { 'format.class': `${format}.json.JsonFormat` });
    const found = await names('again', bucket, 2);
    await until('the offset', async () => (await committedOffset(worker, 'again')) === 6);
    await worker.request('PUT', '/connectors/again/stop');
    await until('no tasks', async () => (await worker.status('again')).tasks.length === 0);
    await worker.request('DELETE', '/connectors/again/offsets');
    await worker.request('PUT', '/connectors/again/config', {
      ...((await worker.request('GET', '/connectors/again/config')) as Record<string, string>),
      transforms: 'mark',
      'transforms.mark.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
      'transforms.mark.static.field': 'again',
      'transforms.mark.static.value': 'yes',
    });
    await worker.request('PUT', '/connectors/again/resume');
    await until('all of it again', async () =>
      Object.values(await textsIn(client, bucket)).every((text) =>
        text.split('\n').every((line) => line === '' || line.includes('"again":"yes"')),
      ),
    );
    deepEqual(await names('again', bucket, 2), found);
  });
});
