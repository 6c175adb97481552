import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { at, until } from '../../test/contract/log-fixture.ts';
import { openTaskFixture, specOf } from './test/task-fixture.ts';
import type { TaskFixture } from './test/task-fixture.ts';

const id = (connector: string) => ({ connector, task: 0 });
const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const has = (said: readonly string[], text: string) => until(text, () => said.some((each) => each.includes(text)));

/** A file source to topic `lines`, writing to which is up to the test. */
function sourceSpec({ folder }: TaskFixture, extra: { paused?: boolean } = {}) {
  appendFileSync(join(folder, 'in.txt'), '');
  return specOf('source', { 'connector.class': 'FileStreamSource', file: join(folder, 'in.txt'), topic: 'lines' }, extra);
}

const sinkSpec = ({ folder }: TaskFixture) =>
  specOf('sink', { 'connector.class': 'FileStreamSink', file: join(folder, 'out.txt'), topics: 'lines' });

test('a task says that it runs and which topics it uses, has figures, and stops without a further word', async () => {
  await using fixture = await openTaskFixture();
  const { host, said, events, folder } = fixture;
  await host.start(sourceSpec(fixture), events);
  appendFileSync(join(folder, 'in.txt'), 'one\n');
  await has(said, 'topic-used: lines');
  assert.deepEqual(said, ['running', 'topic-used: lines']);
  await until('figures', () => (host.metrics()[0]?.attributes['source-record-write-total'] ?? 0) === 1);
  await until('figures of memory', () => (host.metrics()[0]?.thread.heapBytes ?? 0) > 0);
  const [metrics] = host.metrics();
  assert.deepEqual(metrics?.id, id('source'));
  assert.equal(metrics?.attributes['source-record-active-count'], 0);
  assert.ok(metrics.thread.heapBytes > 0 && metrics.thread.bufferBytes > 0 && metrics.thread.cpuSeconds > 0);
  assert.deepEqual(await host.stop(id('source')), { graceful: true });
  assert.deepEqual(said, ['running', 'topic-used: lines']);
  assert.deepEqual(host.metrics(), []);
});

test('a source and a sink flow; each run goes on where the one before stopped', async () => {
  await using fixture = await openTaskFixture();
  const { host, events, folder } = fixture;
  for (const line of ['one', 'two', 'three']) {
    await host.start(sourceSpec(fixture), events);
    await host.start(sinkSpec(fixture), events);
    appendFileSync(join(folder, 'in.txt'), `${line}\n`);
    await until(line, () => textOf(join(folder, 'out.txt')).includes(line));
    await host.stop(id('source'));
    await host.stop(id('sink'));
  }
  assert.equal(textOf(join(folder, 'out.txt')), 'one\ntwo\nthree\n');
});

test('pause and resume are answered; paused, nothing flows', async () => {
  await using fixture = await openTaskFixture();
  const { host, said, events, folder } = fixture;
  await host.start(sourceSpec(fixture), events);
  await has(said, 'running');
  host.setPaused(id('source'), true);
  await has(said, 'paused');
  appendFileSync(join(folder, 'in.txt'), 'while paused\n');
  await host.start(sinkSpec(fixture), events);
  await until('both', () => said.filter((each) => each === 'running').length === 2);
  host.setPaused(id('sink'), true);
  await until('both', () => said.filter((each) => each === 'paused').length === 2);
  assert.equal(host.metrics()[0]?.attributes['source-record-poll-total'] ?? 0, 0);
  host.setPaused(id('source'), false);
  await until('the record', () => host.metrics()[0]?.attributes['source-record-write-total'] === 1);
  assert.equal(textOf(join(folder, 'out.txt')), '');
  host.setPaused(id('sink'), false);
  await until('the line', () => textOf(join(folder, 'out.txt')) === 'while paused\n');
  await until('both', () => said.filter((each) => each === 'resumed').length === 2);
});

test('a task may be started paused', async () => {
  await using fixture = await openTaskFixture();
  const { host, said, events, folder } = fixture;
  appendFileSync(join(folder, 'in.txt'), 'early\n');
  await host.start(sourceSpec(fixture, { paused: true }), events);
  await has(said, 'paused');
  assert.deepEqual(said, ['running', 'paused']);
  host.setPaused(id('source'), false);
  await has(said, 'topic-used');
  assert.deepEqual(said, ['running', 'paused', 'resumed', 'topic-used: lines']);
});

test('pausing, resuming and stopping while a task is still being started', async () => {
  await using fixture = await openTaskFixture();
  const { host, said, events } = fixture;
  await host.start(sourceSpec(fixture), events);
  host.setPaused(id('source'), true);
  await has(said, 'paused');
  assert.deepEqual(said, ['running', 'paused']);
  await host.stop(id('source'));
  await host.start(sourceSpec(fixture), events);
  assert.deepEqual(await host.stop(id('source')), { graceful: true });
  assert.deepEqual(said, ['running', 'paused']);
});

test('what runs already is refused; what does not run can be stopped', async () => {
  await using fixture = await openTaskFixture();
  const { host, events } = fixture;
  assert.deepEqual(await host.stop(id('source')), { graceful: true });
  await host.start(sourceSpec(fixture), events);
  await assert.rejects(host.start(sourceSpec(fixture), events), /task source-0 runs already/);
});

test('an error at the start fails the task with its trace, and it can be started again', async () => {
  await using fixture = await openTaskFixture();
  const { host, said, events, folder } = fixture;
  const config = { 'connector.class': 'troublesome-sink', trouble: 'start throw', 'calm.file': join(folder, 'calm'), topics: 'lines' };
  await host.start(specOf('bad', config), events);
  await has(said, 'failed');
  assert.match(said[0] ?? '', /^failed: Error: thrown in the middle of it\n +at .*troubles\.ts/);
  assert.deepEqual(await host.stop(id('bad')), { graceful: true });
  await host.start(specOf('bad', { ...config, 'connector.class': 'nowhere' }), events);
  await until('the second failure', () => said.length === 2);
  assert.match(said[1] ?? '', /^failed: ConfigError: [^\n]*nowhere/);
  await host.stop(id('bad'));
  appendFileSync(join(folder, 'calm'), '');
  await host.start(specOf('bad', config), events);
  await has(said, 'running');
});

test('a thread that spins is reported, ended on stop, and out of its group then', async () => {
  await using fixture = await openTaskFixture({ gracefulTimeoutMs: 300, unresponsiveAfterMs: 1000 });
  const { host, said, events, folder, log } = fixture;
  await host.start(sourceSpec(fixture), events);
  appendFileSync(join(folder, 'in.txt'), 'one\n');
  await has(said, 'topic-used: lines');
  said.length = 0;
  const config = { 'connector.class': 'troublesome-sink', trouble: 'put spin', 'calm.file': join(folder, 'calm'), topics: 'lines' };
  await host.start(specOf('bad', config), events);
  await has(said, 'silent');
  assert.deepEqual(await host.stop(id('bad')), { graceful: false });
  assert.equal(host.metrics().length, 1);
  await log.alterGroupOffsets('connect-bad', [at('lines', 0, 0)]);
  assert.equal(host.blocked(), 0);
});

test('what fails while it stops is logged', async () => {
  await using fixture = await openTaskFixture();
  const { host, said, events, folder, logged } = fixture;
  const config = { 'connector.class': 'troublesome-sink', trouble: 'dispose throw', 'calm.file': join(folder, 'calm'), topics: 'lines' };
  await host.start(specOf('bad', config), events);
  await has(said, 'running');
  assert.deepEqual(await host.stop(id('bad')), { graceful: true });
  assert.deepEqual(said, ['running']);
  assert.ok(
    logged.some((line) => line.startsWith('error task bad-0 failed while it stopped: Error: thrown in the middle of it')),
    logged.join('\n'),
  );
});

test('secrets stay out of what a task logs', async () => {
  await using fixture = await openTaskFixture();
  const { host, said, events, folder, logged } = fixture;
  const config = {
    'connector.class': 'troublesome-sink',
    trouble: 'none',
    'calm.file': join(folder, 'calm'),
    topics: 'lines',
    note: 'say hunter2!',
  };
  await host.start(specOf('bad', config, { secrets: ['hunter2'] }), events);
  await has(said, 'running');
  const line = logged.find((each) => each.includes('starting')) ?? '';
  assert.match(line, /"note":"say \[hidden\]!"/);
  assert.ok(!logged.join('\n').includes('hunter2'));
});
