/** What `millrace topic` does, on whichever log. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { before, test } from 'node:test';

import { batchOf, uniqueName } from '../../../test/contract/log-fixture.ts';
import type { Log } from '../../ports/log.ts';
import { runCommand } from './run-command.ts';

export interface TopicSubject {
  /** Opened for writing, and closed before the commands run. */
  readonly open: () => Promise<Log>;
  /** How the commands choose it. */
  readonly choice: () => readonly string[];
}

export function testTopicCommands({ open, choice }: TopicSubject): void {
  const topic = uniqueName('orders');
  const run = (...args: string[]) => runCommand(['topic', ...args, ...choice()]);
  const append = async (...values: string[]): Promise<void> => {
    await using log = await open();
    await using producer = await log.openProducer({ clientId: 'test' });
    await producer.append([batchOf(topic, 0, values)]);
  };
  const values = (stdout: string): unknown[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { value: unknown }).value);

  before(async () => {
    await using log = await open();
    await log.createTopics([{ name: topic, partitions: 2 }]);
    await using producer = await log.openProducer({ clientId: 'test' });
    await producer.append([
      batchOf(topic, 0, [
        { key: 'k', value: '{"id":9007199254740993}', timestamp: 1700000000000, headers: { source: 'shop' } },
        { key: 'k', value: null },
      ]),
      batchOf(topic, 1, ['plain', 'text']),
    ]);
  });

  test('list', async () => {
    const { code, stdout } = await run('list');
    assert.equal(code, 0);
    assert.match(stdout, /^TOPIC +PARTITIONS\n/);
    assert.match(stdout, new RegExp(`^${topic} +2$`, 'm'));
    const json = await run('list', '--format', 'json');
    const found = json.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { name: string; partitions: number });
    assert.equal(found.find((each) => each.name === topic)?.partitions, 2);
  });

  test('describe', async () => {
    const { code, stdout } = await run('describe', topic);
    assert.equal(code, 0);
    assert.match(stdout, /^PARTITION {2}BEGIN {2}END\n0 +0 +2\n1 +0 +2\n/m);
    const { offsets } = JSON.parse((await run('describe', topic, '--format', 'json')).stdout) as { offsets: unknown };
    assert.deepEqual(offsets, [
      { partition: 0, begin: 0, end: 2 },
      { partition: 1, begin: 0, end: 2 },
    ]);
  });

  test('read everything, up to the end', async () => {
    const { code, stdout, stderr } = await run('read', topic);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n').filter(Boolean);
    assert.equal(lines.length, 4);
    assert.ok(
      lines.includes(
        `{"topic":"${topic}","partition":0,"offset":0,"timestamp":1700000000000,"key":"k","value":{"id":9007199254740993},"headers":[{"key":"source","value":"shop"}]}`,
      ),
      stdout,
    );
  });

  test('read a part', async () => {
    assert.deepEqual(values((await run('read', topic, '--partition', '1')).stdout), ['plain', 'text']);
    assert.deepEqual(values((await run('read', topic, '--partition', '1', '--offset', '1')).stdout), ['text']);
    assert.deepEqual(values((await run('read', topic, '--partition', '1', '--offset', '-1')).stdout), ['text']);
    assert.deepEqual(values((await run('read', topic, '--partition', '1', '--offset', '99')).stdout), []);
    assert.deepEqual(values((await run('read', topic, '--partition', '0', '--max', '1')).stdout), [{ id: 9007199254740992 }]);
    assert.deepEqual(values((await run('read', topic, '--from-end')).stdout), []);
    assert.equal((await run('read', topic, '--partition', '1', '--format', 'value')).stdout, 'plain\ntext\n');
    assert.equal((await run('read', topic, '--partition', '0', '--offset', '1', '--format', 'key-value')).stdout, 'k\tnull\n');
  });

  test('follow what comes', async () => {
    const stop = new AbortController();
    const stdout = new PassThrough();
    const following = runCommand(['topic', 'read', topic, '--follow', '--partition', '0', '--format', 'value', ...choice()], {
      stdout,
      signal: stop.signal,
    });
    const { promise: arrived, resolve } = Promise.withResolvers<void>();
    let seen = '';
    stdout.on('data', (part: Buffer) => {
      if (seen === '') void append('late');
      seen += String(part);
      if (seen.includes('late\n')) resolve();
    });
    await arrived;
    stop.abort();
    assert.equal((await following).code, 0);
  });

  test('what is not there', async () => {
    const missing = await run('read', `${topic}-none`);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, new RegExp(`^millrace: there is no topic ${topic}-none; there are: .*\\n$`));
    const partition = await run('read', topic, '--partition', '7');
    assert.equal(partition.stderr, `millrace: topic ${topic} has no partition 7; it has 0 to 1\n`);
  });
}
