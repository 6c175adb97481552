import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { RetriableError } from '../../runtime/api/index.ts';
import { appendValues, createTopic, readPartition, uniqueName, until } from './log-fixture.ts';
import type { OpenLog } from './log-fixture.ts';

export function registerTopicContract(open: OpenLog): void {
  describe('topics', () => {
    test('a topic is created, described and deleted', async () => {
      await using opened = await open();
      const { log } = opened;
      const name = uniqueName('topic');
      assert.deepEqual(await log.createTopics([{ name, partitions: 3, replicationFactor: 1 }]), [name]);
      const [{ topicId, ...described } = assert.fail()] = await log.describeTopics([name]);
      assert.deepEqual(described, { name, partitions: 3, replicationFactor: 1, internal: false });
      assert.ok(topicId);
      assert.ok((await log.describeTopics()).some((topic) => topic.name === name));
      await log.deleteTopics([name]);
      await until('the topic is gone', async () => (await log.describeTopics([name])).length === 0);
    });

    test('a topic keeps its id; one made anew under its name has another', async () => {
      await using opened = await open();
      const { log } = opened;
      const idOf = async (topic: string): Promise<string> => (await log.describeTopics([topic]))[0]?.topicId ?? '';
      const name = await createTopic(log, 1);
      const id = await idOf(name);
      await appendValues(log, name, 0, ['a']);
      assert.equal(await idOf(name), id);
      await log.deleteTopics([name]);
      await until('the topic is gone', async () => (await log.describeTopics([name])).length === 0);
      await log.createTopics([{ name }]);
      assert.notEqual(await idOf(name), id);
      assert.notEqual(await idOf(name), '');
    });

    test('an existing topic is left alone and left out', async () => {
      await using opened = await open();
      const { log } = opened;
      const name = await createTopic(log, 2);
      const other = uniqueName('other');
      assert.deepEqual(
        await log.createTopics([
          { name, partitions: 5 },
          { name: other, partitions: 1 },
        ]),
        [other],
      );
      assert.deepEqual(
        (await log.describeTopics([name])).map((topic) => topic.partitions),
        [2],
      );
    });

    test('partitions left out or -1 mean the default', async () => {
      await using opened = await open();
      const { log } = opened;
      const [first, second] = [uniqueName('default'), uniqueName('default')];
      await log.createTopics([{ name: first }, { name: second, partitions: -1, replicationFactor: -1 }]);
      const described = await log.describeTopics([first, second]);
      assert.equal(described.length, 2);
      for (const topic of described) assert.ok(topic.partitions >= 1);
    });

    test('topics that do not exist are left out of descriptions, and deleting them is fine', async () => {
      await using opened = await open();
      const missing = uniqueName('missing');
      assert.deepEqual(await opened.log.describeTopics([missing]), []);
      await opened.log.deleteTopics([missing]);
    });

    test('topic configs are kept, with defaults for the rest', async () => {
      await using opened = await open();
      const name = await createTopic(opened.log, 1, { 'cleanup.policy': 'compact', 'retention.ms': '123456' });
      const config = await opened.log.topicConfig(name);
      assert.equal(config['cleanup.policy'], 'compact');
      assert.equal(config['retention.ms'], '123456');
      const plain = await opened.log.topicConfig(await createTopic(opened.log));
      assert.equal(plain['cleanup.policy'], 'delete');
    });

    test('a name or a config that a topic cannot have is refused', async () => {
      await using opened = await open();
      await assert.rejects(opened.log.createTopics([{ name: 'no spaces, please', partitions: 1 }]));
      await assert.rejects(opened.log.createTopics([{ name: uniqueName('bad'), partitions: 1, config: { 'cleanup.policy': 'shred' } }]));
    });

    test('a deleted topic may be created again, empty', async () => {
      await using opened = await open();
      const { log } = opened;
      const name = await createTopic(log);
      await appendValues(log, name, 0, ['old']);
      await log.deleteTopics([name]);
      await until('it can be created again', async () => (await log.createTopics([{ name, partitions: 2 }])).length === 1);
      await until('it is described', async () => (await log.describeTopics([name]))[0]?.partitions === 2);
      assert.deepEqual(await readPartition(log, name, 0), []);
      await appendValues(log, name, 0, ['new']);
      assert.deepEqual(
        (await readPartition(log, name, 0)).map((record) => [record.offset, record.value]),
        [[0n, 'new']],
      );
    });

    test('the offsets of a topic that does not exist cannot be had', async () => {
      await using opened = await open();
      await assert.rejects(opened.log.offsetsAt([{ topic: uniqueName('missing'), partition: 0 }], 'latest'), RetriableError);
      await assert.rejects(opened.log.topicConfig(uniqueName('missing')), RetriableError);
    });

    test('the cluster id is 22 characters of base64url and stays', async () => {
      await using opened = await open();
      const id = await opened.log.clusterId();
      assert.match(id, /^[\w-]{22}$/);
      assert.equal(await opened.log.clusterId(), id);
    });
  });
}
