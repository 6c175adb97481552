/** What `followTopic` promises, on either log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { appendValues, createTopic, uniqueName, until } from '../../../test/contract/log-fixture.ts';
import type { OpenLog } from '../../../test/contract/log-fixture.ts';
import type { Log } from '../../ports/log.ts';
import { followTopic } from '../topic-follower.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

interface Followed extends AsyncDisposable {
  readonly values: string[];
}

function follow(log: Log, topic: string, group: string, from: 'earliest' | 'latest', failAt?: string): Followed {
  const stop = new AbortController();
  const values: string[] = [];
  let failed = false;
  const done = followTopic(
    log,
    {
      ...{ topic, group, from, signal: stop.signal },
      deal(records) {
        const texts = records.map(({ value }) => Buffer.from(value ?? []).toString());
        if (!failed && failAt !== undefined && texts.includes(failAt)) {
          failed = true;
          throw new Error('not yet');
        }
        values.push(...texts);
      },
    },
    'follower',
    silent,
  );
  return {
    values,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await done;
    },
  };
}

export function registerTopicFollower(name: string, open: OpenLog): void {
  test(`${name}: what is in a topic and what comes, and on from there the next time`, async () => {
    await using opened = await open();
    const { log } = opened;
    const topic = await createTopic(log);
    const group = uniqueName('group');
    await appendValues(log, topic, 0, ['a', 'b']);
    {
      await using first = follow(log, topic, group, 'earliest');
      await until('two values', () => first.values.length === 2);
      await appendValues(log, topic, 0, ['c']);
      await until('three values', () => first.values.length === 3);
      await until('the position', async () => (await log.groupOffsets(group)).some(({ offset }) => offset === 3n));
    }
    await appendValues(log, topic, 0, ['d']);
    await using second = follow(log, topic, group, 'earliest');
    await until('the fourth value', () => second.values.length > 0);
    assert.deepEqual(second.values, ['d']);
  });

  test(`${name}: from the end on, and what could not be dealt with comes again`, async () => {
    await using opened = await open();
    const { log } = opened;
    const topic = await createTopic(log);
    await appendValues(log, topic, 0, ['old']);
    const group = uniqueName('group');
    await log.alterGroupOffsets(group, [{ topic, partition: 0, offset: 1n }]);
    await using followed = follow(log, topic, group, 'latest', 'new');
    await appendValues(log, topic, 0, ['new']);
    await until('the new value', () => followed.values.length > 0);
    assert.deepEqual(followed.values, ['new']);
  });

  test(`${name}: a topic that comes later`, async () => {
    await using opened = await open();
    const { log } = opened;
    const topic = uniqueName('later');
    await using followed = follow(log, topic, uniqueName('group'), 'earliest');
    await log.createTopics([{ name: topic, partitions: 2 }]);
    await appendValues(log, topic, 1, ['x']);
    await until('the value', () => followed.values.length === 1);
  });
}
