import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawConfig, SinkRecord } from '@millrace/runtime/api';

import { useElasticsearch } from '../../../test/services/share.ts';
import plugin from '../index.ts';
import { ask, documentsOf, freshName } from './elastic-index.ts';
import { record, startTask } from './task-fixture.ts';
import type { StartedTask } from './task-fixture.ts';

async function rawOf(topic: string): Promise<RawConfig> {
  const { url } = await useElasticsearch();
  return { 'connection.url': url, topics: topic, 'schema.ignore': 'true', 'read.timeout.ms': '60000', 'behavior.on.null.values': 'delete' };
}

async function start(topic: string, id = 'first'): Promise<StartedTask> {
  return startTask(await rawOf(topic), { topicId: () => id });
}

const series = (topic: string, from: number, to: number, mark: string): SinkRecord[] =>
  Array.from({ length: to - from }, (_, i) => record(from + i, { topic, key: `k${(from + i) % 10}`, value: { n: from + i, mark } }));

async function marks(topic: string): Promise<Record<string, unknown>> {
  const { url } = await useElasticsearch();
  const found = await documentsOf(url, topic);
  return Object.fromEntries([...found].toSorted().map(([id, { _source }]) => [id, `${String(_source['mark'])}${String(_source['n'])}`]));
}

const expected = (from: number, mark: string) => Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`k${i}`, `${mark}${from + i}`]));

describe('versions', () => {
  it('make a replay change nothing, and it is counted and said', async () => {
    const topic = freshName();
    {
      await using task = await start(topic);
      await task.write(series(topic, 0, 100, 'a'));
    }
    await using task = await start(topic);
    await task.write([...series(topic, 50, 100, 'other'), ...series(topic, 100, 101, 'b')]);
    deepEqual(await marks(topic), { ...expected(90, 'a'), k0: 'b100' });
    equal(task.figures['replayed-records-total'], 50);
    equal(task.figures['hidden-records-total'] ?? 0, 0);
    match(task.lines.join('\n'), /50 records of topic .* were not written, since .* a replay after a restart/);
  });

  it('begin anew with a topic that was made anew', async () => {
    const topic = freshName();
    {
      await using task = await start(topic);
      await task.write(series(topic, 0, 100, 'a'));
    }
    {
      await using task = await start(topic, 'second');
      await task.write(series(topic, 0, 10, 'b'));
      deepEqual(await marks(topic), expected(0, 'b'));
      match(task.lines.join('\n'), /is another one than before \(second, it was first\)/);
    }
    // And a replay of the new one changes nothing again.
    await using task = await start(topic, 'second');
    await task.write([...series(topic, 0, 10, 'other'), record(10, { topic, key: 'k3', value: null })]);
    const { k3: _, ...rest } = expected(0, 'b');
    deepEqual(await marks(topic), rest);
    equal(task.figures['replayed-records-total'], 10);
  });

  it('begin anew while the task runs', async () => {
    const topic = freshName();
    let id = 'first';
    await using task = await startTask(await rawOf(topic), { topicId: () => id });
    await task.write(series(topic, 0, 100, 'a'));
    id = 'second';
    await task.write(series(topic, 0, 10, 'b'));
    deepEqual(await marks(topic), expected(0, 'b'));
  });

  it('begin anew when a person sets offsets back', async () => {
    const topic = freshName();
    {
      await using task = await start(topic);
      await task.write(series(topic, 0, 100, 'a'));
    }
    equal(await plugin.alterOffsets?.(await rawOf(topic), [{ topic, partition: 0, offset: 50n }]), true);
    await using task = await start(topic);
    await task.write(series(topic, 50, 100, 'again'));
    deepEqual(await marks(topic), expected(90, 'again'));
    equal(task.figures['replayed-records-total'] ?? 0, 0);
    // A transform that renamed the topic is not asked, the indices are.
    const renamed = freshName();
    const raw = { ...(await rawOf(topic)), transforms: 'route' };
    {
      await using before = await startTask(raw, { topicId: () => 'first' });
      await before.write(series(renamed, 0, 10, 'a').map((it) => ({ ...it, originalTopic: topic })));
    }
    await plugin.alterOffsets?.(raw, [{ topic, partition: 0, offset: null }]);
    await using after = await startTask(raw, { topicId: () => 'first' });
    await after.write(series(renamed, 0, 10, 'again').map((it) => ({ ...it, originalTopic: topic })));
    deepEqual(await marks(renamed), expected(0, 'again'));
    // An index that does not exist has nothing to begin anew.
    equal(await plugin.alterOffsets?.(await rawOf(freshName()), [{ topic: freshName(), partition: 0, offset: null }]), true);
  });

  it('from elsewhere hide records, which is counted and said', async () => {
    const { url } = await useElasticsearch();
    const topic = freshName();
    await using task = await start(topic);
    await task.write(series(topic, 0, 1, 'a'));
    await ask(url, 'PUT', `/${topic}/_doc/k5?version=15&version_type=external`, { mark: 'theirs', n: 15 });
    await task.write(series(topic, 1, 30, 'a').filter(({ offset }) => offset !== 15n && offset !== 25n));
    equal(task.figures['hidden-records-total'], 1);
    match(
      task.lines.join('\n'),
      /1 records were not written, since their documents have a version that no record.*@5, document "k5".*version 15/,
    );
  });

  it('of several tasks on one index agree', async () => {
    const topic = freshName();
    await using first = await start(topic);
    await using second = await start(topic);
    await Promise.all([
      first.write(series(topic, 0, 50, 'a')),
      second.write(series(topic, 0, 50, 'b').map((it) => ({ ...it, partition: 1, key: `p1${String(it.key)}` }))),
    ]);
    equal(Object.keys(await marks(topic)).length, 20);
    await using other = await start(topic, 'second');
    await using another = await start(topic, 'second');
    await Promise.all([
      other.write(series(topic, 0, 10, 'c')),
      another.write(series(topic, 0, 10, 'd').map((it) => ({ ...it, partition: 1, key: `p1${String(it.key)}` }))),
    ]);
    deepEqual(
      Object.values(await marks(topic))
        .map((mark) => String(mark)[0])
        .join(''),
      'ccccccccccdddddddddd',
    );
  });
});
