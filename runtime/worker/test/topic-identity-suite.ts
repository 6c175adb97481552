/** What a sink is told of a topic that was deleted and made anew under it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { batchOf, createTopic, uniqueName, until } from '../../../test/contract/log-fixture.ts';
import { specOf } from './task-fixture.ts';
import type { TaskSettings } from '../task-messages.ts';
import type { TaskFixture } from './task-fixture.ts';

async function produce({ log }: TaskFixture, topic: string, values: readonly string[]): Promise<void> {
  await using producer = await log.openProducer({ clientId: 'identity' });
  await producer.append([
    batchOf(
      topic,
      0,
      values.map((value) => ({ key: 'k', value })),
    ),
  ]);
}

export function registerTopicIdentity(what: string, open: (settings: Partial<TaskSettings>) => Promise<TaskFixture>): void {
  for (const [size, more] of [
    ['shorter', ['d']],
    ['longer', ['d', 'e', 'f', 'g', 'h']],
  ] as const) {
    test(`on ${what} a topic made anew, ${size} than before, is opened with another id and read from its beginning`, async () => {
      await using fixture = await open({});
      const { log, host, events, folder, logged } = fixture;
      const topic = await createTopic(log, 1);
      await produce(fixture, topic, ['a', 'b', 'c']);
      const name = uniqueName('identity');
      const file = join(folder, 'out.txt');
      const lines = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
      const ids = (): string[] => logged.flatMap((line) => new RegExp(`choosy: reads ${topic} (\\S+)`).exec(line)?.[1] ?? []);
      const settings = { 'consumer.override.metadata.max.age.ms': '600000', 'consumer.override.heartbeat.interval.ms': '200' };
      await host.start(specOf(name, { 'connector.class': 'choosy-sink', file, topics: topic, ...settings }), events);
      await until('the first records', () => lines().length === 3);
      await until('their offset', async () => (await log.groupOffsets(`connect-${name}`))[0]?.offset === 3n);
      await log.deleteTopics([topic]);
      await log.createTopics([{ name: topic, partitions: 1 }]);
      await produce(fixture, topic, more);
      await until('the new records', () => lines().length >= 3 + more.length);
      assert.deepEqual(lines(), ['a', 'b', 'c', ...more]);
      await until('their offset', async () => (await log.groupOffsets(`connect-${name}`))[0]?.offset === BigInt(more.length));
      assert.equal(new Set(ids()).size, 2);
      assert.deepEqual(ids().at(-1), (await log.describeTopics([topic]))[0]?.topicId);
    });
  }

  test(`on ${what} what was read of the topic before is not committed as read of the new one`, async () => {
    // Nothing is committed before the group hears of it.
    await using fixture = await open({ offsetFlushIntervalMs: 600_000 });
    const { log, host, events, folder } = fixture;
    const topic = await createTopic(log, 1);
    await produce(fixture, topic, ['a', 'b', 'c']);
    const name = uniqueName('identity');
    const file = join(folder, 'out.txt');
    const lines = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);
    const settings = { 'consumer.override.heartbeat.interval.ms': '200' };
    await host.start(specOf(name, { 'connector.class': 'choosy-sink', file, topics: topic, ...settings }), events);
    await until('the first records', () => lines().length === 3);
    await log.deleteTopics([topic]);
    await log.createTopics([{ name: topic, partitions: 1 }]);
    await produce(fixture, topic, ['d', 'e', 'f', 'g', 'h']);
    await until('the last of the new records', () => lines().includes('h'));
    assert.deepEqual(lines(), ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  });
}
