import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { ConfigError, ConnectError, DataError } from '../api/index.ts';
import { createTestFolder, openTestLog } from '../../test/contract/embedded-test-log.ts';
import { appendValues, at, batchOf, fetchRecords, readPartition } from '../../test/contract/log-fixture.ts';
import { joinGroup } from '../../test/contract/log-member.ts';
import { openEmbeddedLog } from './embedded-log.ts';

const appender = fileURLToPath(new URL('../../test/contract/embedded-appender.ts', import.meta.url));

describe('the file', () => {
  test('everything is there after closing and opening again', async () => {
    await using folder = await createTestFolder();
    let clusterId: string;
    {
      await using log = await openEmbeddedLog(join(folder.path, 'made', 'here'));
      clusterId = await log.clusterId();
      await log.createTopics([{ name: 'kept', partitions: 2, config: { 'retention.ms': '-1' } }]);
      await appendValues(log, 'kept', 1, ['a', 'b']);
      await log.alterGroupOffsets('group', [at('kept', 1, 1)]);
      await log.createTopics([{ name: 'gone' }]);
      await log.deleteTopics(['gone']);
    }
    await using log = await openEmbeddedLog(join(folder.path, 'made', 'here'));
    assert.equal(await log.clusterId(), clusterId);
    assert.deepEqual(
      (await log.describeTopics()).map((topic) => [topic.name, topic.partitions]),
      [['kept', 2]],
    );
    assert.equal((await log.topicConfig('kept'))['retention.ms'], '-1');
    assert.deepEqual(await log.groupOffsets('group'), [at('kept', 1, 1)]);
    await appendValues(log, 'kept', 1, ['c']);
    assert.deepEqual(
      (await readPartition(log, 'kept', 1)).map((record) => [record.offset, record.value]),
      [
        [0n, 'a'],
        [1n, 'b'],
        [2n, 'c'],
      ],
    );
  });

  test('offsets go beyond 2^53', async () => {
    await using folder = await createTestFolder();
    const big = 2n ** 60n;
    {
      await using log = await openEmbeddedLog(folder.path);
      await log.createTopics([{ name: 'big' }]);
    }
    const db = new DatabaseSync(join(folder.path, 'millrace.db'));
    db.prepare('UPDATE partitions SET start_offset = ?, next_offset = ?').run(big, big);
    db.close();
    await using log = await openEmbeddedLog(folder.path);
    await using producer = await log.openProducer({ clientId: 'p' });
    const appended = await producer.append([batchOf('big', 0, ['a', 'b', 'c'])]);
    assert.equal(appended[0]?.baseOffset, big);
    await using reader = await log.openReader({ clientId: 'r' });
    reader.assign([at('big', 0, big + 1n)]);
    assert.deepEqual(
      (await fetchRecords(reader, 2)).map((record) => record.offset),
      [big + 1n, big + 2n],
    );
    await using member = await joinGroup(log, 'group', { names: ['big'] });
    while (member.records.length < 3) await new Promise(setImmediate);
    await member.commit();
    assert.deepEqual(await log.groupOffsets('group'), [at('big', 0, big + 3n)]);
  });

  test('a second worker is refused, and told who has it; the lock goes with the first', async () => {
    await using folder = await createTestFolder();
    {
      await using first = await openEmbeddedLog(folder.path);
      await assert.rejects(openEmbeddedLog(folder.path), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /in use by another worker/);
        assert.match(error.message, new RegExp(`process ${process.pid}`));
        return true;
      });
      await appendValues(first, 'still', 0, ['works']);
    }
    await using again = await openEmbeddedLog(folder.path);
    assert.deepEqual(
      (await readPartition(again, 'still', 0)).map((record) => record.value),
      ['works'],
    );
  });

  test('another process reads while one writes, and wakes up', async () => {
    await using folder = await createTestFolder();
    const child = spawn(process.execPath, [appender, folder.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      await assert.rejects(openEmbeddedLog(folder.path), new RegExp(`process ${child.pid}`));
      await using log = await openEmbeddedLog(folder.path, { readOnly: true });
      await using reader = await log.openReader({ clientId: 'r' });
      reader.assign([at('numbers', 1, 0)]);
      let count = 0;
      const end = (): Promise<bigint | undefined> =>
        log.offsetsAt([{ topic: 'numbers', partition: 1 }], 'latest').then((found) => found[0]?.offset);
      const before = await end();
      while (count < 300) {
        for (const run of await reader.fetch({ maxWaitMs: 30_000, maxBytes: 1000 })) count = Number(run.nextPosition);
      }
      assert.ok(before !== undefined && ((await end()) ?? 0n) > before);
    } finally {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  });

  test('a log opened for reading writes nothing', async () => {
    await using folder = await createTestFolder();
    await assert.rejects(openEmbeddedLog(folder.path, { readOnly: true }), /there is no log in/);
    {
      await using log = await openEmbeddedLog(folder.path);
      await appendValues(log, 'topic', 0, ['a']);
    }
    await using log = await openEmbeddedLog(folder.path, { readOnly: true });
    assert.deepEqual(
      (await readPartition(log, 'topic', 0)).map((record) => record.value),
      ['a'],
    );
    await assert.rejects(log.openProducer({ clientId: 'p' }), ConfigError);
    await assert.rejects(log.openGroup({ clientId: 'c', groupId: 'g', topics: { names: ['topic'] } }), ConfigError);
    await assert.rejects(log.createTopics([{ name: 'other' }]), ConfigError);
    await assert.rejects(log.deleteTopics(['topic']), ConfigError);
    await assert.rejects(log.alterGroupOffsets('g', [at('topic', 0, 1)]), ConfigError);
  });

  test('a directory or a file that will not do is refused with a reason', async () => {
    await using folder = await createTestFolder();
    const file = join(folder.path, 'file');
    await writeFile(file, 'plain text');
    await assert.rejects(
      openEmbeddedLog(join(file, 'below')),
      (error) => error instanceof ConfigError && /making the directory/.test(error.message),
    );
    await writeFile(join(folder.path, 'millrace.db'), 'no database at all, '.repeat(100));
    await assert.rejects(
      openEmbeddedLog(folder.path),
      (error) => error instanceof ConfigError && /choose another directory/.test(error.message),
    );
    await using other = await createTestFolder();
    const db = new DatabaseSync(join(other.path, 'millrace.db'));
    db.exec('CREATE TABLE something (else_ TEXT)');
    db.close();
    await assert.rejects(openEmbeddedLog(other.path), /tables of something else/);
  });

  test('a damaged batch is noticed', async () => {
    await using folder = await createTestFolder();
    {
      await using log = await openEmbeddedLog(folder.path);
      await appendValues(log, 'topic', 0, ['good', 'bad']);
    }
    const db = new DatabaseSync(join(folder.path, 'millrace.db'));
    const body = db.prepare('SELECT body FROM batches WHERE base_offset = 1').get()?.['body'] as Uint8Array;
    body[body.length - 2] = (body[body.length - 2] as number) ^ 1;
    db.prepare('UPDATE batches SET body = ? WHERE base_offset = 1').run(body);
    db.close();
    await using log = await openEmbeddedLog(folder.path);
    await using reader = await log.openReader({ clientId: 'r' });
    reader.assign([at('topic', 0, 0)]);
    await assert.rejects(reader.fetch({ maxWaitMs: 0, maxBytes: 10_000 }), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.match(error.message, /offset 1 of topic "topic", partition 0 is damaged/);
      return true;
    });
  });

  test('bytes that are no batch are refused, and nothing of the call is stored', async () => {
    await using opened = await openTestLog();
    await opened.log.createTopics([{ name: 'topic' }]);
    const good = batchOf('topic', 0, ['a', 'b']);
    const cases = [
      { ...good, records: 3 },
      { ...good, length: good.length - 1 },
      { ...good, buffer: new ArrayBuffer(100), length: 100 },
      { ...good, length: 5 },
    ];
    for (const batch of cases) {
      await using producer = await opened.log.openProducer({ clientId: 'p' });
      await assert.rejects(producer.append([batchOf('topic', 0, ['x']), batch]), DataError);
    }
    assert.deepEqual(await readPartition(opened.log, 'topic', 0), []);
  });

  test('closing ends what waits, and what was appended is kept', async () => {
    await using folder = await createTestFolder();
    const log = await openEmbeddedLog(folder.path);
    await log.createTopics([{ name: 'topic' }]);
    const reader = await log.openReader({ clientId: 'r' });
    reader.assign([at('topic', 0, 0)]);
    const fetching = assert.rejects(reader.fetch({ maxWaitMs: 60_000, maxBytes: 1000 }), /closed/);
    const group = await log.openGroup({ clientId: 'm', groupId: 'g', topics: { names: ['other'] } });
    const polling = assert.rejects(group.poll({ maxWaitMs: 60_000, maxBytes: 1000 }), /closed/);
    const producer = await log.openProducer({ clientId: 'p' });
    await log.createTopics([{ name: 'late' }]);
    const appending = producer.append([batchOf('late', 0, ['last words'])]);
    await log[Symbol.asyncDispose]();
    await Promise.all([fetching, polling, appending]);
    await assert.rejects(producer.append([batchOf('topic', 0, ['too late'])]), /closed/);
    await assert.rejects(log.describeTopics(), /closed/);
    await using again = await openEmbeddedLog(folder.path);
    assert.deepEqual(
      (await readPartition(again, 'late', 0)).map((record) => record.value),
      ['last words'],
    );
  });
});
