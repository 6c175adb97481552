import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawConfig } from '@millrace/runtime/api';
import { parseConfig } from '../../../runtime/plugins/config-validation.ts';
import plugin from '../index.ts';
import { config, accessSettings, encryptionSettings } from '../settings.ts';
import { objectOptions } from '../storage/client.ts';
import { bucketConfig, formatClass, parse, startSink } from './harness.ts';

const partitioner = (name: string): string => `io.confluent.connect.storage.partitioner.${name}Partitioner`;

/** As the peer's quick start has it. */
const documented: RawConfig = {
  name: 's3-sink',
  'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
  'tasks.max': '1',
  topics: 's3_topic',
  's3.region': 'us-west-2',
  's3.bucket.name': 'confluent-kafka-connect-s3-testing',
  's3.part.size': '5242880',
  'flush.size': '3',
  'storage.class': 'io.confluent.connect.s3.storage.S3Storage',
  'format.class': 'io.confluent.connect.s3.format.avro.AvroFormat',
  'schema.generator.class': 'io.confluent.connect.storage.hive.schema.DefaultSchemaGenerator',
  'partitioner.class': 'io.confluent.connect.storage.partitioner.DefaultPartitioner',
  'schema.compatibility': 'NONE',
};

async function problems(keys: RawConfig): Promise<Record<string, string>> {
  const raw = { ...documented, ...keys };
  const { problems: found } = parseConfig(config, raw);
  // The connector is asked only once each key by itself is right.
  const own = found.length > 0 ? [] : ((await plugin.validate?.(parse(raw), raw)) ?? []);
  return Object.fromEntries([...found, ...own].map(({ key, message }) => [key, message]));
}

describe('the config', () => {
  it('of the peer runs as it is', async () => deepEqual(await problems({}), {}));

  const refused: readonly (readonly [keys: RawConfig, key: string, message: RegExp])[] = [
    [{ 'format.class': 'com.example.MyFormat' }, 'format.class', /com\.example\.MyFormat is not available: classes of your own need a JVM/],
    [{ 'avro.codec': 'bzip2' }, 'avro.codec', /codec bzip2 cannot be written here; choose one of null, deflate, snappy, zstandard/],
    [{ 'parquet.codec': 'lzo' }, 'parquet.codec', /codec lzo cannot be written here/],
    [{ 's3.part.size': '1000' }, 's3.part.size', /5242880/],
    [{ 'flush.size': '0' }, 'flush.size', /1/],
    [{ timezone: 'Nowhere/Land' }, 'timezone', /time zone Nowhere\/Land is unknown/],
    [{ 's3.compression.type': 'gzip' }, 'format.class', /this format compresses by avro\.codec/],
    [{ 'rotate.schedule.interval.ms': '1000' }, 'timezone', /must be set for rotate\.schedule\.interval\.ms/],
    [{ 'partitioner.class': partitioner('Field') }, 'partition.field.name', /must be set for/],
    [{ 'partitioner.class': partitioner('Daily'), locale: 'en' }, 'timezone', /must be set for/],
    [
      { 'partitioner.class': partitioner('TimeBased'), timezone: 'UTC', locale: 'en', 'path.format': 'YYYY' },
      'partition.duration.ms',
      /above 0/,
    ],
    [
      { 'partitioner.class': partitioner('TimeBased'), timezone: 'UTC', locale: 'en', 'path.format': 'nope', 'partition.duration.ms': '1' },
      'path.format',
      /Illegal pattern component: n/,
    ],
    [{ 's3.wan.mode': 'true' }, 's3.path.style.access.enabled', /the accelerated endpoint has no path style/],
    [{ 'behavior.on.null.values': 'write' }, 'behavior.on.null.values', /needs store\.kafka\.keys=true/],
    [{ 'store.kafka.headers': 'true', 'headers.format.class': formatClass('ByteArray') }, 'headers.format.class', /Choose one of/],
    [{ 's3.proxy.url': 'not a url' }, 's3.proxy.url', /no address/],
    [{ 's3.sse.customer.key': 'c2hvcnQ=', 's3.ssea.name': 'AES256' }, 's3.sse.customer.key', /32 bytes, in base64/],
    [{ 's3.object.tagging.key.value.pairs': 'a' }, 's3.object.tagging.key.value.pairs', /not of the form key:value/],
    [{ 'aws.access.key.id': 'id' }, 'aws.access.key.id', /go together/],
    [{ 'timestamp.extractor': 'com.example.Extractor' }, 'timestamp.extractor', /Wallclock/],
    [{ 's3.acl.canned': 'nobody' }, 's3.acl.canned', /private/],
  ];
  for (const [keys, key, message] of refused) {
    it(`is refused for ${key}: ${JSON.stringify(keys)}`, async () => match((await problems(keys))[key] ?? '', message));
  }

  it('says where credentials come from', () => {
    const settings = (keys: RawConfig) => {
      const raw = { ...documented, ...keys };
      return accessSettings(parse(raw), raw);
    };
    deepEqual(settings({}).credentials, { from: 'default', keys: null });
    deepEqual(settings({ 'aws.access.key.id': 'id', 'aws.secret.access.key': 'secret' }).credentials.keys, { id: 'id', secret: 'secret' });
    const role = {
      's3.credentials.provider.class': 'io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider',
      's3.credentials.provider.sts.role.arn': 'arn:x',
      's3.credentials.provider.sts.role.session.name': 'me',
    };
    deepEqual(settings(role).credentials.role, { arn: 'arn:x', session: 'me', externalId: '', region: '' });
    equal(plugin.alsoKnows?.('s3.credentials.provider.sts.role.arn'), true);
    const proxy = { 's3.proxy.url': 'http://proxy:3128', 's3.proxy.user': 'u', 's3.proxy.password': 'p@' };
    equal(settings(proxy).proxyUrl, 'http://u:p%40@proxy:3128/');
  });

  it('says how objects are encrypted', () => {
    const options = (keys: RawConfig) => objectOptions(encryptionSettings(parse({ ...documented, ...keys })));
    deepEqual(options({ 's3.ssea.name': 'AES256', 's3.acl.canned': 'private' }).onCreate, {
      ACL: 'private',
      ServerSideEncryption: 'AES256',
    });
    deepEqual(options({ 's3.ssea.name': 'aws:kms', 's3.sse.kms.key.id': 'k' }).onCreate, {
      SSEKMSKeyId: 'k',
      ServerSideEncryption: 'aws:kms',
    });
    const customer = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.alloc(32).toString('base64') };
    const own = options({ 's3.ssea.name': 'AES256', 's3.sse.customer.key': customer.SSECustomerKey });
    deepEqual([own.onCreate, own.onEach], [customer, customer]);
  });

  it('needs a bucket that can be named, and starts without one that cannot be reached', async () => {
    await using sink = await startSink({ ...bucketConfig('http://127.0.0.1:9', 'bucket'), 'flush.size': '1', 'rotate.interval.ms': '5' });
    match(sink.warnings.join('\n'), /bucket bucket cannot be reached now, and is tried again with the first file: ECONNREFUSED/);
    match(sink.warnings.join('\n'), /rotate\.interval\.ms has no effect without a time-based partitioner/);
    await rejects(
      startSink({ ...bucketConfig('http://127.0.0.1:9', 'bucket'), 'flush.size': '1', 'partitioner.class': 'FieldPartitioner' }),
      {
        name: 'ConfigError',
        message: /connector objects: partition\.field\.name: partition\.field\.name must be set/,
      },
    );
  });
});
