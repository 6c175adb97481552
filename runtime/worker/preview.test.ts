import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RawConfig } from '../api/index.ts';
import type { Preview, PreviewFailure, PreviewRecord } from '../ports/preview.ts';
import type { PluginHost } from '../ports/tasks.ts';
import { createPluginHost } from './plugin-host.ts';
import { troublesome } from './test/task-fixture.ts';

const transforms = 'org.apache.kafka.connect.transforms';
const text = 'org.apache.kafka.connect.storage.StringConverter';
/** Far from any that a slow machine needs. */
const enoughMs = 60_000;
let host: PluginHost;

before(async () => {
  const counting = fileURLToPath(new URL('./test/counting-source', import.meta.url));
  const settings = { pluginPath: [troublesome, counting], callTimeoutMs: enoughMs, memoryMaxBytes: 256 * 1024 * 1024 };
  host = await createPluginHost({ ...settings, converters: { 'value.converter': text } }, { warn() {} });
});
after(() => host[Symbol.asyncDispose]());

const config = (extra: RawConfig = {}): RawConfig => ({
  name: 'p',
  'connector.class': 'troublesome-source',
  trouble: 'none',
  'calm.file': '/not-there',
  topic: 'lines',
  ...extra,
});

async function look(extra: RawConfig, records = 3, timeoutMs = enoughMs): Promise<Preview> {
  const preview = await host.preview(config(extra), { records, timeoutMs });
  assert.ok(preview);
  return preview;
}

const valueOf = (record: PreviewRecord | PreviewFailure): string =>
  'error' in record ? `error: ${record.error.stage}` : Buffer.from(record.value?.bytes ?? []).toString();

test('records come through transforms and converters, as they would be written', async () => {
  const { records, notes, timedOut } = await look({
    transforms: 'route,head,copy',
    'transforms.route.type': `${transforms}.RegexRouter`,
    'transforms.route.regex': '(.*)',
    'transforms.route.replacement': 'to-$1',
    'transforms.head.type': `${transforms}.InsertHeader`,
    'transforms.head.header': 'h',
    'transforms.head.value.literal': 'x',
    'transforms.copy.type': `${transforms}.HoistField$Key`,
    'transforms.copy.field': 'k',
    'unknown.key': '1',
  });
  assert.equal(timedOut, false);
  assert.deepEqual(records.map(valueOf), ['line 1', 'line 2', 'line 3']);
  const [first] = records as PreviewRecord[];
  assert.deepEqual([first?.topic, first?.partition, first?.timestamp], ['to-lines', null, null]);
  // Without a key.converter of the worker: JsonConverter, with its schema.
  assert.match(Buffer.from(first?.key?.bytes ?? []).toString(), /"payload":\{"k":null\}/);
  assert.deepEqual(
    first?.headers.map(({ key, value }) => [key, Buffer.from(value?.bytes ?? []).toString()]),
    [['h', 'x']],
  );
  assert.match(notes.join('\n'), /lines are made up\n|unknown\.key is a key that neither/);
});

test('what is dropped is counted, and not without end', async () => {
  const { records, dropped, notes } = await look({
    transforms: 'none',
    'transforms.none.type': `${transforms}.Filter`,
  });
  assert.deepEqual([records.length, dropped], [0, 1_000]);
  assert.match(notes.join('\n'), /no more than 1000 records were looked at/);
});

test('a source that comes to no end is cut off, and what it gave is shown', async () => {
  const { records, timedOut, notes } = await look({ trouble: 'preview wait' }, 10, 1_000);
  assert.deepEqual([records.map(valueOf), timedOut], [['line 1', 'line 2'], true]);
  assert.match(notes.join('\n'), /the time limit of 1000 ms was over/);
});

test('one that spins is ended with its thread, and the next one works', async () => {
  const settings = { pluginPath: [troublesome], callTimeoutMs: enoughMs, memoryMaxBytes: 256 * 1024 * 1024, previewGraceMs: 2_000 };
  await using own = await createPluginHost(settings, { warn() {} });
  const spinning = own.preview(config({ trouble: 'preview spin' }), { records: 10, timeoutMs: 100 });
  await assert.rejects(spinning, /previewing p took longer than 2100 ms and was ended/);
  assert.equal((await own.preview(config(), { records: 3, timeoutMs: enoughMs }))?.records.length, 3);
});

test('nobody who waits: it is ended', async () => {
  const gone = new AbortController();
  const spinning = host.preview(config({ trouble: 'preview spin' }), { records: 10, timeoutMs: enoughMs, signal: gone.signal });
  gone.abort();
  await assert.rejects(spinning, /previewing p: nobody waits for it any more/);
});

test('what is thrown is told', async () => {
  await assert.rejects(look({ trouble: 'preview throw' }), /thrown in the middle of it/);
});

test('a source without a preview has none', async () => {
  const counting = { name: 'c', 'connector.class': 'counting-source', topic: 't' };
  assert.equal(await host.preview(counting, { records: 1, timeoutMs: enoughMs }), undefined);
});
