/**
 * What the S3 sink makes of the bucket's speed: MB/s of objects, from records' bytes through the converter, against a bare multipart upload through the same
 * client, in one run, each in a process of its own. `node bench/sink-s3.ts [megabytes]`; it starts a gateway.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Converter, SinkRecord, SinkTaskContext } from '../runtime/api/index.ts';
import byteArrayConverter from '../runtime/converters/byte-array-converter.ts';
import jsonConverter from '../runtime/converters/json/json-converter.ts';
import { mustParse } from '../runtime/plugins/config-validation.ts';
import sink from '../connectors/sink-s3/index.ts';
import { mostRequests } from '../connectors/sink-s3/settings.ts';
import { objectOptions, s3Client } from '../connectors/sink-s3/storage/client.ts';
import { objectStore } from '../connectors/sink-s3/storage/object-store.ts';
import { S3_USER, startS3 } from '../test/services/s3.ts';

const partBytes = 8 << 20;
const objectBytes = 128 << 20;
const valueBytes = 400;

interface Figures {
  readonly megabytesPerSecond: number;
  readonly cpuSeconds: number;
  readonly rssMegabytes: number;
}

interface Subject {
  readonly name: string;
  run(endpoint: string, bucket: string, bytes: number): Promise<number>;
}

const subjects: readonly Subject[] = [
  { name: 'bare multipart upload', run: bare },
  { name: 'sink, ByteArrayFormat', run: (...args) => throughSink('bytearray.ByteArray', 'none', ...args) },
  { name: 'sink, JsonFormat of maps', run: (...args) => throughSink('json.Json', 'none', ...args) },
  { name: 'sink, JsonFormat of maps with spaces', run: (...args) => throughSink('json.Json', 'none', ...args, spaced) },
  { name: 'sink, JsonFormat of maps, gzip', run: (...args) => throughSink('json.Json', 'gzip', ...args) },
  { name: 'bare multipart upload, again', run: bare },
];

/** As many requests at once as the sink has. */
async function bare(endpoint: string, bucket: string, bytes: number): Promise<number> {
  const access = { region: 'us-east-1', endpoint, pathStyle: true, accelerate: false, proxyUrl: null };
  const credentials = { from: 'default' as const, keys: { id: S3_USER.accessKey, secret: S3_USER.secretKey } };
  using store = objectStore(
    s3Client({ ...access, credentials, timeoutMs: 60_000, connections: mostRequests * 2 }),
    bucket,
    objectOptions({ algorithm: '', kmsKeyId: '', customerKey: null, acl: null, digest: false }),
  );
  const { signal } = new AbortController();
  const body = Buffer.alloc(partBytes, 'x');
  for (let sent = 0, object = 0; sent < bytes; sent += objectBytes, object++) {
    const key = `bare/${object}`;
    const id = await store.createUpload(key, '', signal);
    const parts = Array.from({ length: objectBytes / partBytes }, (_, i) => i + 1);
    const done: Awaited<ReturnType<typeof store.uploadPart>>[] = [];
    const send = async (): Promise<void> => {
      for (let number = parts.shift(); number !== undefined; number = parts.shift()) {
        done.push(await store.uploadPart(key, id, number, body, signal));
      }
    };
    await Promise.all(Array.from({ length: mostRequests }, send));
    const inOrder = done.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
    await store.completeUpload(key, id, inOrder, signal);
  }
  return Math.ceil(bytes / objectBytes) * objectBytes;
}

async function throughSink(
  format: string,
  compression: string,
  endpoint: string,
  bucket: string,
  bytes: number,
  respell: (json: string) => string = (json) => json,
): Promise<number> {
  const raw = {
    topics: 't',
    'store.url': endpoint,
    's3.bucket.name': bucket,
    's3.region': 'us-east-1',
    'aws.access.key.id': S3_USER.accessKey,
    'aws.secret.access.key': S3_USER.secretKey,
    'format.class': `io.confluent.connect.s3.format.${format}Format`,
    's3.compression.type': compression,
    's3.part.size': String(partBytes),
    'flush.size': String(Math.floor(objectBytes / (valueBytes + 1))),
  };
  const partitions = [{ topic: 't', partition: 0 }];
  const log = { debug() {}, info() {}, warn: console.error, error: console.error };
  const context = {
    ...{ connector: 'bench', task: 0, rawConfig: raw, signal: new AbortController().signal, log, fail: console.error },
    ...{
      assignment: () => partitions,
      topicId: () => 'topic',
      seek() {},
      pause() {},
      resume() {},
      requestCommit() {},
      async overtaken() {},
    },
    report: (_record: SinkRecord, error: Error) => Promise.reject(error),
  } satisfies SinkTaskContext;
  const values = mustParse(sink.config, raw, 'bench') as never;
  const task = await sink.start(values, context);
  await task.open?.(partitions.map((each) => ({ ...each, offset: 0n })));

  const flush = Math.floor(objectBytes / (valueBytes + 1));
  const records = Math.ceil(bytes / objectBytes) * flush;
  const form = sink.takesSerialized?.(values);
  const converter: Converter = format.startsWith('byte')
    ? byteArrayConverter.create({}, 'value')
    : jsonConverter.create({ 'schemas.enable': false }, 'value');
  const read = (value: Buffer): unknown =>
    (form === undefined || converter.readSerialized === undefined ? converter.read('t', value) : converter.readSerialized('t', value, form))
      .value;
  const wire = Array.from({ length: 500 }, (_, i) => Buffer.from(format.startsWith('byte') ? 'x'.repeat(valueBytes) : respell(rowOf(i))));
  for (let offset = 0; offset < records; offset += 500) {
    const batch = Array.from({ length: Math.min(500, records - offset) }, (_, i) => recordOf(BigInt(offset + i), read(wire[i] as Buffer)));
    await task.put(batch);
  }
  const position = BigInt(records);
  for (let safe = -1n; safe < position;) {
    safe = (await task.preCommit?.([{ topic: 't', partition: 0, offset: position }]))?.[0]?.offset ?? 0n;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await task[Symbol.asyncDispose]();
  return records * (valueBytes + 1);
}

/** JSON whose line is `valueBytes` long. */
function rowOf(i: number): string {
  const row = {
    id: 1_234_567 + i,
    name: `name number ${i * 7919}`,
    price: (i * 25 + 1250.5) / 100,
    active: i % 3 === 0,
    created: '2026-01-01T00:00:00Z',
    note: '',
  };
  return JSON.stringify({ ...row, note: `note ${i} `.repeat(100).slice(0, valueBytes - JSON.stringify(row).length) });
}

/** As Python writes it: none of it can be copied as it is. */
const spaced = (json: string): string => json.replaceAll('":', '": ').replaceAll(',"', ', "');

const recordOf = (offset: bigint, value: unknown): SinkRecord => ({
  topic: 't',
  partition: 0,
  offset,
  keySchema: null,
  key: null,
  valueSchema: null,
  value,
  timestamp: 0,
  timestampType: 'CreateTime',
  headers: [],
});

const [first = '1024', endpoint, bucket, megabytes] = process.argv.slice(2);
const subject = subjects.find(({ name }) => name === first);
if (subject !== undefined && endpoint !== undefined && bucket !== undefined) {
  const started = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const bytes = await subject.run(endpoint, bucket, Number(megabytes) << 20);
  const { user, system } = process.cpuUsage(cpu);
  const figures: Figures = {
    megabytesPerSecond: bytes / 1e6 / (Number(process.hrtime.bigint() - started) / 1e9),
    cpuSeconds: (user + system) / 1e6,
    rssMegabytes: process.resourceUsage().maxRSS / 1024,
  };
  console.log(JSON.stringify(figures));
} else {
  await using gateway = await startS3({ private: true });
  console.log(
    `${first} MB each, objects of ${objectBytes >> 20} MB, parts of ${partBytes >> 20} MB, ${mostRequests} requests at once; S3 gateway on the same cores`,
  );
  console.log('\n| subject | MB/s | against the bare upload | CPU per MB | peak RSS |\n| --- | --- | --- | --- | --- |');
  let limit = 0;
  for (const { name } of subjects) {
    const own = await gateway.createBucket();
    const { stdout } = await promisify(execFile)(process.execPath, [import.meta.filename, name, gateway.endpoint, own, first]);
    const { megabytesPerSecond, cpuSeconds, rssMegabytes } = JSON.parse(stdout) as Figures;
    limit ||= megabytesPerSecond;
    const share = ((100 * megabytesPerSecond) / limit).toFixed(0);
    const cpuMs = ((1000 * cpuSeconds) / Number(first)).toFixed(1);
    console.log(`| ${name} | ${megabytesPerSecond.toFixed(0)} | ${share} % | ${cpuMs} ms | ${rssMegabytes.toFixed(0)} MB |`);
  }
}
