import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reaches, sourceConfig, startHerder } from './test/herder-fixture.ts';

const notStopped =
  'Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by ' +
  "issuing a 'PUT' request to the '/connectors/c/stop' endpoint";
const partition = { server: 's' };

test('the offsets of a source are shown, altered and reset, only while it is stopped', async () => {
  await using fixture = await startHerder();
  const { herder, offsetStore, plugins } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  assert.deepEqual(await herder.offsets('c'), []);
  await offsetStore.write('c', [{ partition, offset: { lsn: 9007199254740993n } }]);
  assert.deepEqual(await herder.offsets('c'), [{ partition, offset: { lsn: 9007199254740993n } }]);

  await assert.rejects(herder.alterOffsets('c', []), {
    status: 400,
    message: 'Partitions / offsets need to be provided for an alter offsets request',
  });
  const request = [{ partition, offset: { lsn: 5n } }];
  await assert.rejects(herder.alterOffsets('c', request), { status: 400, message: notStopped });
  await herder.setTargetState('c', 'PAUSED');
  await assert.rejects(herder.resetOffsets('c'), { status: 400, message: notStopped });
  await herder.setTargetState('c', 'STOPPED');
  assert.equal(await herder.alterOffsets('c', request), 'The offsets for this connector have been altered successfully');
  assert.deepEqual(await herder.offsets('c'), request);
  await assert.rejects(herder.alterOffsets('c', [{ partition: { unknown: 1 }, offset: null }]), {
    status: 400,
    message: 'there is no such partition',
  });
  plugins.handlesOffsets = false;
  assert.equal(
    await herder.resetOffsets('c'),
    'The Connect framework-managed offsets for this connector have been reset successfully. However, if this connector manages ' +
      'offsets externally, they will need to be manually reset in the system that the connector uses.',
  );
  assert.deepEqual(await herder.offsets('c'), []);
  assert.deepEqual(plugins.altered.at(-1), [{ partition, offset: null }]);
});

test('offsets wait for the tasks to be gone, and a resume waits for the offsets', async () => {
  await using fixture = await startHerder();
  const { herder, offsetStore, tasks } = fixture;
  await herder.createConnector('c', sourceConfig());
  await reaches(herder, 'c', 'RUNNING RUNNING');
  // As a task that commits once more while it stops.
  tasks.onStop = () => offsetStore.write('c', [{ partition, offset: { lsn: 1n } }]);
  await herder.setTargetState('c', 'STOPPED');
  const altered = herder.alterOffsets('c', [{ partition, offset: { lsn: 7n } }]);
  const resumed = herder.setTargetState('c', 'STARTED');
  tasks.onStart = async ({ id }, events) => {
    assert.deepEqual(await offsetStore.read('c', [partition]), [{ lsn: 7n }]);
    events.running(id);
  };
  await Promise.all([altered, resumed]);
  await reaches(herder, 'c', 'RUNNING RUNNING');
});

test("the offsets of a sink are its group's", async () => {
  await using fixture = await startHerder();
  const { herder, log } = fixture;
  await log.createTopics([{ name: 't', partitions: 2 }]);
  await herder.createConnector('c', { 'connector.class': 'ScriptSink', topic: 't' }, 'STOPPED');
  const offset = (kafka_partition: number | string, kafka_offset: number | string | bigint) => ({
    partition: { kafka_topic: 't', kafka_partition },
    offset: { kafka_offset },
  });
  await herder.alterOffsets('c', [offset(0, '10'), offset('1', 20)]);
  assert.deepEqual(await log.groupOffsets('connect-c'), [
    { topic: 't', partition: 0, offset: 10n },
    { topic: 't', partition: 1, offset: 20n },
  ]);
  await herder.alterOffsets('c', [{ partition: { kafka_topic: 't', kafka_partition: 0 }, offset: null }]);
  assert.deepEqual(await herder.offsets('c'), [offset(1, 20n)]);
  assert.equal(await herder.resetOffsets('c'), 'The offsets for this connector have been reset successfully');
  assert.deepEqual(await log.groupOffsets('connect-c'), []);

  const bad: [Record<string, string | number | null>, Record<string, string> | null, string][] = [
    [{ kafka_partition: 0 }, null, "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"],
    [{ kafka_topic: 't' }, null, "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'"],
    [{ kafka_topic: null, kafka_partition: 0 }, null, 'Kafka topic names must be valid strings and may not be null'],
    [{ kafka_topic: 't', kafka_partition: null }, null, 'Kafka partitions must be valid numbers and may not be null'],
    [
      { kafka_topic: 't', kafka_partition: 'x' },
      null,
      "Failed to parse the following Kafka partition value in the provided offsets: 'x'. Partition values for sink connectors need to be integers.",
    ],
    [
      { kafka_topic: 't', kafka_partition: 0 },
      { offset: '1' },
      "The offset for a sink connector should either be null or contain the key 'kafka_offset'",
    ],
    [
      { kafka_topic: 't', kafka_partition: 0 },
      { kafka_offset: '1.5' },
      "Failed to parse the following Kafka offset value in the provided offsets: '1.5'. Offset values for sink connectors need to be integers.",
    ],
  ];
  bad.push(
    [
      { kafka_topic: 't', kafka_partition: 2 },
      { kafka_offset: '1' },
      'The offset of partition 2 of topic t cannot be set: that topic has partitions 0 to 1.',
    ],
    [
      { kafka_topic: 'no', kafka_partition: 0 },
      { kafka_offset: '1' },
      'The offset of partition 0 of topic no cannot be set: there is no such topic.',
    ],
  );
  for (const [target, value, message] of bad) {
    await assert.rejects(herder.alterOffsets('c', [{ partition: target, offset: value }]), { status: 400, message });
  }
});

test('a sink may name its group', async () => {
  await using fixture = await startHerder();
  const { herder, log } = fixture;
  await log.createTopics([{ name: 't', partitions: 1 }]);
  await log.alterGroupOffsets('mine', [{ topic: 't', partition: 0, offset: 3n }]);
  await herder.createConnector('c', { 'connector.class': 'ScriptSink', topic: 't', 'consumer.override.group.id': 'mine' }, 'STOPPED');
  assert.deepEqual(await herder.offsets('c'), [{ partition: { kafka_topic: 't', kafka_partition: 0 }, offset: { kafka_offset: 3n } }]);
});
