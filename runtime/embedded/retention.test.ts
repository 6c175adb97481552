import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';

import { RetriableError } from '../api/index.ts';
import { openTestLog } from '../../test/contract/embedded-test-log.ts';
import { appendValues, at, batchOf, readPartition } from '../../test/contract/log-fixture.ts';
import { joinGroup } from '../../test/contract/log-member.ts';

const hour = 3_600_000;

describe('retention', () => {
  test('records older than retention.ms go; offsets go on', async () => {
    let now = Date.now();
    await using opened = await openTestLog({ now: () => now });
    const { log } = opened;
    await log.createTopics([
      { name: 'short', config: { 'retention.ms': `${hour}` } },
      { name: 'forever', config: { 'retention.ms': '-1' } },
    ]);
    await using producer = await log.openProducer({ clientId: 'p' });
    const old = Date.now() - 2 * hour;
    await producer.append([
      batchOf('short', 0, [{ value: 'old', timestamp: old }]),
      batchOf('short', 0, [{ value: 'mixed', timestamp: old }, { value: 'new' }]),
      batchOf('forever', 0, [{ value: 'old', timestamp: 0 }]),
    ]);
    await log.tidyUp();
    assert.deepEqual(
      (await readPartition(log, 'short', 0)).map((record) => [record.offset, record.value]),
      [
        [1n, 'mixed'],
        [2n, 'new'],
      ],
    );
    assert.equal((await readPartition(log, 'forever', 0)).length, 1);
    now += 2 * hour;
    await log.tidyUp();
    assert.deepEqual(await log.offsetsAt([{ topic: 'short', partition: 0 }], 'earliest'), [at('short', 0, 3)]);
    const [appended] = await producer.append([batchOf('short', 0, ['next'])]);
    assert.equal(appended?.baseOffset, 3n);
  });

  test('a position before the start is out of range for a reader, and reset for a group', async () => {
    await using opened = await openTestLog({ now: () => Date.now() + 1000 * hour });
    const { log } = opened;
    await appendValues(log, 'topic', 0, ['a', 'b', 'c']);
    await log.alterGroupOffsets('g', [at('topic', 0, 1)]);
    await log.tidyUp();
    await appendValues(log, 'topic', 0, ['d']);
    await using reader = await log.openReader({ clientId: 'r' });
    reader.assign([at('topic', 0, 2)]);
    await assert.rejects(reader.fetch({ maxWaitMs: 0, maxBytes: 1000 }), (error) => {
      assert.ok(error instanceof RetriableError);
      assert.match(error.message, /position 2 of topic "topic", partition 0 is out of range: the log has 3 to 4/);
      return true;
    });
    await using member = await joinGroup(log, 'g', { names: ['topic'] });
    while (member.records.length < 1) await new Promise(setImmediate);
    assert.deepEqual(
      member.records.map((record) => record.value),
      ['d'],
    );
  });

  test('retention.bytes keeps the newest; next offsets outlive all records and a restart', async () => {
    await using opened = await openTestLog();
    const { log } = opened;
    await log.createTopics([
      { name: 'small', config: { 'retention.bytes': '5000' } },
      { name: 'none', config: { 'retention.bytes': '0' } },
    ]);
    const values = Array.from({ length: 500 }, (_, i) => `${i}${'x'.repeat(1000)}`);
    await appendValues(log, 'small', 0, values);
    await appendValues(log, 'none', 0, values);
    await log.tidyUp();
    const kept = (await readPartition(log, 'small', 0)).map((record) => record.value);
    assert.deepEqual(kept, values.slice(-5), 'the oldest went while the rest was still above the limit');
    using copy = new DatabaseSync(join(opened.directory, 'millrace.db'), { readOnly: true });
    const row = copy.prepare('SELECT max(next_offset) AS next FROM partitions').get();
    assert.equal(row?.['next'], 500);
    assert.deepEqual(await log.offsetsAt([{ topic: 'none', partition: 0 }], 'latest'), [at('none', 0, 500)]);
  });

  test('a deleted topic leaves nothing, and the file shrinks', async () => {
    await using opened = await openTestLog();
    const { log, directory } = opened;
    await using producer = await log.openProducer({ clientId: 'p' });
    const megabyte = 'x'.repeat(1 << 20);
    for (let i = 0; i < 90; i++) await producer.append([batchOf('large', 0, [megabyte])]);
    const file = join(directory, 'millrace.db');
    await log.deleteTopics(['large']);
    await log.tidyUp();
    await log[Symbol.asyncDispose]();
    assert.ok((await stat(file)).size < 80 << 20, `${(await stat(file)).size} bytes are left`);
    const db = new DatabaseSync(file);
    assert.equal(db.prepare('SELECT count(*) AS n FROM batches').get()?.['n'], 0);
    assert.equal(db.prepare('SELECT count(*) AS n FROM topics').get()?.['n'], 0);
    db.close();
  });

  test('LogAppendTime: records count as of when they were stored', async () => {
    await using opened = await openTestLog({ now: () => 1_700_000_000_000 });
    const { log } = opened;
    await log.createTopics([{ name: 'stamped', config: { 'message.timestamp.type': 'LogAppendTime' } }]);
    await using producer = await log.openProducer({ clientId: 'p' });
    await producer.append([batchOf('stamped', 0, [{ value: 'a', timestamp: 5 }])]);
    assert.deepEqual(
      (await readPartition(log, 'stamped', 0)).map((record) => record.timestamp),
      [1_700_000_000_000],
    );
    assert.deepEqual(await log.offsetsAt([{ topic: 'stamped', partition: 0 }], { timestampMs: 1_600_000_000_000 }), [at('stamped', 0, 0)]);
  });
});
