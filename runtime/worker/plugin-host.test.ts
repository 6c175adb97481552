import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { PluginHost } from '../ports/tasks.ts';
import { createPluginHost } from './plugin-host.ts';
import { troublesome } from './test/task-fixture.ts';

let folder: string;
let host: PluginHost;
const warnings: string[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-plugins-'));
  const settings = { pluginPath: [troublesome, 'not-there'], callTimeoutMs: 120_000, memoryMaxBytes: 64 * 1024 * 1024 };
  host = await createPluginHost(settings, { warn: (message) => warnings.push(message) });
});
after(async () => {
  await host[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const config = (trouble: string, extra: Record<string, string> = {}): Record<string, string> => ({
  name: 'bad',
  'connector.class': 'troublesome-sink',
  trouble,
  'calm.file': join(folder, 'calm'),
  topics: 't',
  ...extra,
});

test('lists what there is, and warns of what is not', () => {
  assert.ok(host.plugins().some((plugin) => plugin.class === 'com.example.TroublesomeSinkConnector' && plugin.type === 'sink'));
  assert.equal(host.kindOf('troublesome-sink'), 'sink');
  assert.equal(host.versionOf('com.example.TroublesomeSinkConnector'), '1.0.0');
  assert.throws(() => host.kindOf('none'), { name: 'ConfigError' });
  assert.match(warnings.join(), /plugin\.path: there is no folder or installed package "not-there"/);
});

test('describes, validates and plans', async () => {
  const keys = (await host.pluginConfig('troublesome-sink'))?.map(({ name }) => name);
  assert.ok(keys?.includes('trouble'));
  assert.equal(await host.pluginConfig('none'), undefined);
  const infos = await host.validate(config('none', { trouble: '' }));
  assert.equal(infos.error_count, 0);
  assert.equal((await host.taskConfigs(config('none'), 3)).length, 1);
});

test('an error of a connector keeps its kind', async () => {
  const source = { name: 's', 'connector.class': 'FileStreamSource', topic: 't', file: '/nowhere' };
  await assert.rejects(host.alterSourceOffsets(source, [{ partition: { wrong: 'x' }, offset: { position: 1n } }]), { name: 'ConfigError' });
  assert.equal(await host.alterSourceOffsets(source, [{ partition: { filename: '/nowhere' }, offset: { position: 1n } }]), true);
});

test('a call that does not end is ended, and says so; the next one works', async () => {
  // Long enough for a thread to start on a busy machine.
  const settings = { pluginPath: [troublesome], callTimeoutMs: 6_000, memoryMaxBytes: 64 * 1024 * 1024 };
  const impatient = await createPluginHost(settings, { warn() {} });
  const ended = ['spin', 'wait', 'block'].map((what) =>
    assert.rejects(impatient.validate(config(`validate ${what}`)), {
      name: 'ConnectError',
      message: 'validating bad took longer than 6000 ms and was ended',
    }),
  );
  await Promise.all(ended);
  assert.equal((await impatient.validate(config('none'))).error_count, 0);
  await impatient[Symbol.asyncDispose]();
});

test('calls that hang keep no other waiting', async () => {
  // Far from their timeout: what is validated here is validated beside them.
  const own = await createPluginHost(
    { pluginPath: [troublesome], callTimeoutMs: 600_000, memoryMaxBytes: 64 * 1024 * 1024 },
    { warn() {} },
  );
  const hanging = Array.from({ length: 6 }, (_, n) => own.taskConfigs(config('taskConfigs wait', { name: `bad-${n}` }), 1));
  const ended = hanging.map((call) => assert.rejects(call, /the worker is stopping/));
  assert.equal((await own.validate(config('none'))).error_count, 0);
  await own[Symbol.asyncDispose]();
  await Promise.all(ended);
});

for (const [what, message] of [
  ['throw', /thrown in the middle of it/],
  ['throw-later', /a connector's code broke its thread: thrown from a timer/],
  ['reject-unseen', /a connector's code broke its thread: rejected where nobody looks/],
  ['exit', /a connector's code ended its thread with code 3/],
  ['leak-buffers-slowly', /a connector's code holds \d+ MiB \(.*\), more than its limit of 64 MiB .*, and was ended/],
] as const) {
  test(`a call that breaks (${what}) rejects, and the next one works`, async () => {
    await assert.rejects(host.taskConfigs(config(`taskConfigs ${what}`), 1), message);
    assert.equal((await host.taskConfigs(config('none'), 1)).length, 1);
  });
}

test('a host that is closed ends its threads', async () => {
  const own = await createPluginHost({ pluginPath: [troublesome], callTimeoutMs: 60_000, memoryMaxBytes: 64 * 1024 * 1024 }, { warn() {} });
  await own.validate(config('none'));
  const ended = [1, 2].map(() => assert.rejects(own.validate(config('validate spin')), /the worker is stopping/));
  await setImmediate();
  ended.push(assert.rejects(own.validate(config('validate spin')), /the worker is stopping/));
  await own[Symbol.asyncDispose]();
  await Promise.all(ended);
  await assert.rejects(own.validate(config('none')), /the worker is stopping/);
});
