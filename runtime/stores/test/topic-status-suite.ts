/** What holds for the status store on every log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunStatus, StatusStore } from '../../ports/stores.ts';
import { topicStatusStore } from '../topic-status-store.ts';
import { optionsOf, textOf } from './topic-fixture.ts';
import type { OpenLog } from './topic-fixture.ts';

const running: RunStatus = { state: 'RUNNING', trace: null, workerId: '127.0.0.1:8083', generation: 2, version: '3.3.2.Final' };

export function topicStatusSuite(openLog: OpenLog): void {
  test('statuses show at once, and stand in the partitions that Connect chooses', async () => {
    await using log = await openLog();
    const options = optionsOf(log, 'statuses');
    {
      await using store = topicStatusStore(options);
      await store.start();
      const writes = [
        store.putConnector('dbz1', { ...running, state: 'UNASSIGNED' }),
        store.putConnector('dbz1', running),
        store.putTask({ connector: 'dbz1', task: 0 }, running),
        store.addTopic('dbz1', 0, 'topic'),
        store.putTask({ connector: 'dbz1', task: 1 }, running),
        store.removeTask({ connector: 'dbz1', task: 1 }),
      ];
      assert.equal(store.connector('dbz1')?.state, 'RUNNING');
      await Promise.all(writes);
      assert.equal(store.connector('dbz1')?.state, 'RUNNING');
    }
    await using again = topicStatusStore(options);
    await again.start();
    assert.deepEqual(again.connector('dbz1'), running);
    assert.deepEqual(again.tasks('dbz1'), [0]);
    assert.deepEqual(again.topics('dbz1'), ['topic']);
    const records = await textOf(log, options.topic, 3);
    assert.ok(
      records.includes(
        'status-connector-dbz1 {"state":"RUNNING","trace":null,"worker_id":"127.0.0.1:8083","generation":2,"version":"3.3.2.Final"}',
      ),
    );
  });

  test('where workers share a status topic, a late word from an earlier generation changes nothing', async () => {
    await using log = await openLog();
    await using store = topicStatusStore({ ...optionsOf(log, 'shared'), shared: true });
    await store.start();
    const status = { ...running, workerId: 'b:1', generation: 5 };
    await store.putConnector('c', status);
    await store.putConnector('c', { ...status, state: 'UNASSIGNED', workerId: 'a:1', generation: 4 });
    await store.putConnector('c', { ...status, state: 'FAILED', workerId: 'a:1', generation: 4 });
    assert.deepEqual(store.connector('c'), status);
    await store.putConnector('c', { ...status, state: 'UNASSIGNED' });
    assert.equal(store.connector('c')?.state, 'UNASSIGNED');
  });

  test('two workers write to one status topic, and both know the same in the end', async () => {
    await using log = await openLog();
    const options = { ...optionsOf(log, 'two'), shared: true };
    await using a = topicStatusStore(options);
    await using b = topicStatusStore(options);
    await Promise.all([a.start(), b.start()]);
    const id = { connector: 'c', task: 0 };
    const by = (workerId: string, generation: number, state: RunStatus['state']): RunStatus => ({
      ...running,
      state,
      workerId,
      generation,
    });
    const agree = async (): Promise<RunStatus | undefined> => {
      await Promise.all([a, b].map((store) => store.readToEnd(60_000)));
      assert.deepEqual(a.task(id), b.task(id));
      return a.task(id);
    };

    await a.putTask(id, by('a:1', 1, 'RUNNING'));
    assert.deepEqual(await agree(), by('a:1', 1, 'RUNNING'));
    // The task moves: b runs it before a has read so, and a's word comes late.
    await Promise.all([b.putTask(id, by('b:1', 2, 'RUNNING')), a.putTask(id, by('a:1', 1, 'UNASSIGNED'))]);
    assert.deepEqual(await agree(), by('b:1', 2, 'RUNNING'));
    // Once it was read, what is late is not even written.
    await a.putTask(id, by('a:1', 1, 'FAILED'));
    assert.deepEqual(await agree(), by('b:1', 2, 'RUNNING'));
    // Nor is a word of the same generation: the task runs elsewhere in it.
    await a.putTask(id, by('a:1', 2, 'UNASSIGNED'));
    assert.deepEqual(await agree(), by('b:1', 2, 'RUNNING'));
    await b.putTask(id, by('b:1', 2, 'UNASSIGNED'));
    assert.equal((await agree())?.state, 'UNASSIGNED');
    await a.putTask(id, by('a:1', 2, 'FAILED'));
    assert.equal((await agree())?.state, 'FAILED');

    await Promise.all([a.addTopic('c', 0, 'one'), b.addTopic('c', 0, 'two'), b.putConnector('c', by('b:1', 2, 'RUNNING'))]);
    await agree();
    for (const store of [a, b]) assert.deepEqual(store.topics('c'), ['one', 'two']);
    await a.resetTopics('c');
    await a.removeConnector('c');
    await agree();
    const known = (store: StatusStore) => [store.connectors(), store.connector('c'), store.tasks('c'), store.topics('c')];
    for (const store of [a, b]) assert.deepEqual(known(store), [[], undefined, [], []]);
    await using later = topicStatusStore(options);
    await later.start();
    assert.deepEqual(known(later), [[], undefined, [], []]);
  });
}
