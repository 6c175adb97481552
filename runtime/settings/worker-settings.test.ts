import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';

import { ConfigError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import { findKey, topLevelKeys } from './key-table.ts';
import { loadWorkerSettings, workerSettings } from './worker-file.ts';
import { workerSettingsDoc, workerSettingsFile } from './worker-settings-doc.ts';

const converters = { 'key.converter': 'JsonConverter', 'value.converter': 'JsonConverter' };
const embedded = { 'bootstrap.servers': 'embedded:data', ...converters };
const kafka = { 'bootstrap.servers': 'a:9092, b:9092', 'offset.storage.file.filename': '/tmp/offsets', ...converters };
const topics = { 'config.storage.topic': 'c', 'offset.storage.topic': 'o', 'status.storage.topic': 's', 'group.id': 'g' };

const standalone = (config: RawConfig) => workerSettings(config, { file: 'worker.properties', mode: 'standalone' });
const refuses = (config: RawConfig, message: RegExp): void =>
  assert.throws(
    () => standalone(config),
    (error: unknown) => error instanceof ConfigError && message.test(error.message) && !error.message.includes('hunter2'),
    String(message),
  );

describe('a worker file', () => {
  test('embedded, with defaults', () => {
    const settings = standalone(embedded);
    assert.deepEqual(settings.log, { kind: 'embedded', directory: resolve('data'), synchronous: 'full' });
    assert.deepEqual(settings.rest.listeners, ['http://:8083']);
    assert.equal(settings.rest.adminListeners, undefined);
    assert.equal(settings.stores?.offset.topic, 'connect-offsets');
    assert.equal(settings.offsetFile, undefined);
    assert.equal(settings.converters['header.converter'], 'org.apache.kafka.connect.storage.SimpleHeaderConverter');
    assert.equal(settings.task.memoryMaxBytes, 1024 ** 3);
    assert.deepEqual(settings.warnings, []);
  });

  test('standalone on Kafka', () => {
    const settings = standalone({
      ...kafka,
      'value.converter.schemas.enable': 'false',
      'producer.compression.type': 'zstd',
      'admin.listeners': '',
    });
    assert.equal(settings.log.kind, 'kafka');
    assert.equal(settings.log.kind === 'kafka' && settings.log.settings['bootstrap.servers'], 'a:9092,b:9092');
    assert.equal(settings.offsetFile, '/tmp/offsets');
    assert.equal(settings.stores, undefined);
    assert.equal(settings.converters['value.converter.schemas.enable'], 'false');
    assert.deepEqual(settings.rest.adminListeners, []);
    assert.deepEqual(settings.warnings, []);
  });

  test('distributed', () => {
    const config = { ...kafka, ...topics, 'config.storage.min.insync.replicas': '2', 'offset.storage.partitions': '7' };
    const { stores, group } = workerSettings(config, { file: 'worker.properties', mode: 'distributed' });
    assert.deepEqual(stores?.config, { topic: 'c', partitions: 1, replicationFactor: 3, config: { 'min.insync.replicas': '2' } });
    assert.equal(stores?.offset.partitions, 7);
    assert.equal(group?.id, 'g');
    const missing = { ...config, 'group.id': undefined } as unknown as RawConfig;
    const { 'group.id': _id, ...without } = missing;
    assert.throws(
      () => workerSettings(without, { file: 'w', mode: 'distributed' }),
      /Missing required configuration "group.id" which has no default value\./,
    );
  });

  test('exactly-once, in any case, for distributed workers alone', () => {
    const key = 'exactly.once.source.support';
    const load = (value: string, mode: 'distributed' | 'standalone') =>
      workerSettings({ ...kafka, ...topics, [key]: value }, { file: 'w', mode });
    assert.equal(workerSettings({ ...kafka, ...topics }, { file: 'w', mode: 'distributed' }).exactlyOnce, 'disabled');
    assert.equal(load('Enabled', 'distributed').exactlyOnce, 'enabled');
    assert.equal(load('preparing', 'distributed').exactlyOnce, 'preparing');
    assert.throws(() => load('yes', 'distributed'), /Invalid value yes for configuration exactly.once.source.support: must be one of/);
    const alone = load('enabled', 'standalone');
    assert.equal(alone.exactlyOnce, 'disabled');
    assert.match(
      alone.warnings.join(),
      /exactly.once.source.support has no effect on a standalone worker\. On Kafka, a crash may then repeat/,
    );
  });

  test('what is missing or wrong gets Connect’s message', () => {
    refuses({ 'bootstrap.servers': 'a:1' }, /^Missing required configuration "key.converter" which has no default value\.$/);
    refuses({ ...converters }, /^Missing required configuration "offset.storage.file.filename" which has no default value\.$/);
    refuses(
      { ...embedded, 'offset.flush.interval.ms': 'soon' },
      /^Invalid value soon for configuration offset.flush.interval.ms: Not a number of type LONG$/,
    );
    refuses({ ...embedded, 'topic.creation.enable': 'yes' }, /Expected value to be either true or false/);
    refuses({ ...embedded, 'connector.client.config.override.policy': 'com.example.Mine' }, /must be one of All, None, Principal/);
    refuses({ ...embedded, listeners: '8083' }, /Invalid value 8083 for configuration listeners: write http:/);
    refuses({ ...embedded, 'bootstrap.servers': 'embedded:' }, /write embedded:DIR with one folder/);
    refuses({ ...embedded, 'bootstrap.servers': 'embedded:a,b:9092' }, /write embedded:DIR with one folder/);
  });

  test('what security or delivery hang on is refused', () => {
    refuses(
      { ...embedded, 'rest.extension.classes': 'org.example.BasicAuth' },
      /^rest.extension.classes: cannot be honoured\. Other Java classes cannot run here/,
    );
    refuses(
      { ...embedded, 'listeners.https.ssl.provider': 'org.example.Mine' },
      /^listeners.https.ssl.provider: cannot be honoured\. Java classes cannot run here/,
    );
    refuses({ ...kafka, 'producer.partitioner.class': 'org.example.Mine' }, /other partitions/);
    refuses({ ...kafka, 'ssl.engine.factory.class': 'org.example.Mine' }, /Java classes cannot run here/);
  });

  test('harmless values of such keys pass in silence', () => {
    const settings = standalone({
      ...embedded,
      'exactly.once.source.support': 'disabled',
      'ssl.client.auth': 'none',
      'rest.extension.classes': '',
    });
    assert.deepEqual(settings.warnings, []);
  });

  test('what has no effect is warned about by name', () => {
    const warnings = (config: RawConfig): readonly string[] => standalone(config).warnings;
    assert.match(
      warnings({ ...embedded, 'plugin.discovery': 'service_load' })[0] ?? '',
      /^plugin.discovery has no effect\. Plugins are found/,
    );
    assert.match(
      warnings({ ...embedded, 'ssl.keystore.location': '/x' })[0] ?? '',
      /^ssl.keystore.location has no effect on the embedded log\.$/,
    );
    assert.match(warnings({ ...kafka, ...topics })[0] ?? '', /^config.storage.topic has no effect on a standalone worker\.$/);
    assert.match(warnings({ ...kafka, 'consumer.enable.auto.commit': 'true' })[0] ?? '', /^consumer.enable.auto.commit has no effect\./);
    assert.deepEqual(warnings({ ...embedded, 'offset.flush.intervall.ms': '1' }), [
      'offset.flush.intervall.ms is unknown, to Kafka Connect too. Is offset.flush.interval.ms meant?',
    ]);
    assert.deepEqual(warnings({ ...kafka, 'producer.colour': 'red' }), ['producer.colour is unknown, to Kafka Connect too.']);
  });

  test('JSON says the same as properties, and placeholders are resolved', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-settings-'));
    try {
      const json = join(folder, 'worker.json');
      const properties = join(folder, 'worker.properties');
      await writeFile(json, JSON.stringify({ ...embedded, 'offset.flush.interval.ms': 10, 'topic.creation.enable': false }));
      await writeFile(
        properties,
        'bootstrap.servers=embedded:data\nkey.converter=JsonConverter\nvalue.converter=${env:C}\noffset.flush.interval.ms=10\ntopic.creation.enable=false\n',
      );
      const resolveAll = async (config: RawConfig): Promise<RawConfig> =>
        Object.fromEntries(Object.entries(config).map(([key, value]) => [key, value.replace('${env:C}', 'JsonConverter')]));
      const [a, b] = [await loadWorkerSettings(json), await loadWorkerSettings(properties, { resolve: resolveAll })];
      assert.deepEqual({ ...a, file: '' }, { ...b, file: '' });
      await writeFile(json, '{"key.converter": {}}');
      await assert.rejects(loadWorkerSettings(json), /worker\.json: the value of "key.converter" is an object, but must be a string/);
      await assert.rejects(loadWorkerSettings(join(folder, 'none')), /none: there is no such file\.$/);
      await assert.rejects(loadWorkerSettings(folder), /it is a folder/);
      await writeFile(properties, 'listeners=8083');
      await assert.rejects(loadWorkerSettings(properties), /worker\.properties: Invalid value 8083|worker\.properties: Missing/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the table of keys', async () => {
  const fixture = new URL('../../test/fixtures/connect-4.1-keys.json', import.meta.url);
  const known = JSON.parse(await readFile(fixture, 'utf8')) as Record<'worker', Record<string, string | null>> &
    Record<'producer' | 'consumer' | 'admin', string[]>;

  test('knows every key that Connect 4.1 knows', () => {
    const names = [
      ...Object.keys(known.worker),
      ...(['producer', 'consumer', 'admin'] as const).flatMap((kind) => known[kind].map((name) => `${kind}.${name}`)),
    ];
    // What Connect itself sets for each client.
    const unset = /^(producer|consumer|admin)\.(bootstrap\.servers|metric\.reporters|metrics\..*|security\.providers)$/;
    assert.deepEqual(
      names.filter((name) => findKey(name) === undefined && !unset.test(name)),
      [],
    );
  });

  test('has Connect’s defaults', () => {
    for (const [name, value] of Object.entries(known.worker)) {
      const key = topLevelKeys[name];
      if (key?.state !== 'used' && key?.state !== 'distributed') continue;
      assert.equal(key.default === undefined ? '<required>' : key.default, value, name);
    }
  });

  test('is what docs/worker-settings.md says', async () => {
    assert.equal(await readFile(workerSettingsFile, 'utf8'), workerSettingsDoc(), 'run: node runtime/settings/worker-settings-doc.ts');
  });
});
