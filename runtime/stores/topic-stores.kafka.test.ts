import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import kafkajs from 'kafkajs';
import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from '../kafka/kafka-log.ts';
import { topicClaimsSuite } from './test/topic-claims-suite.ts';
import { collecting, optionsOf } from './test/topic-fixture.ts';
import { topicStoresSuite } from './test/topic-stores-suite.ts';
import { topicConfigStore } from './topic-config-store.ts';

let brokers: string[];
before(async () => {
  ({ brokers } = await useKafka());
});
const openLog = () => openKafkaLog({ 'bootstrap.servers': brokers.join(',') });

topicStoresSuite(openLog);
topicClaimsSuite(openLog);

test('a topic whose first records were deleted reads as what is left, and without a word', async () => {
  await using log = await openLog();
  const { logger, lines } = collecting();
  const options = { ...optionsOf(log, 'deleted'), logger };
  {
    await using store = topicConfigStore(options);
    await store.start({ connector() {} });
    for (const name of ['a', 'b', 'c']) await store.putConnector(name, {});
  }
  const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
  // Of a compacted topic alone nobody can delete the first records.
  const setPolicy = (value: string) => {
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name: options.topic, configEntries: [{ name: 'cleanup.policy', value }] };
    return admin.alterConfigs({ validateOnly: false, resources: [resource] });
  };
  await admin.connect();
  try {
    await setPolicy('delete');
    // It must know the topic before.
    await admin.fetchTopicOffsets(options.topic);
    await admin.deleteTopicRecords({ topic: options.topic, partitions: [{ partition: 0, offset: '2' }] });
    await setPolicy('compact');
  } finally {
    await admin.disconnect();
  }
  await using store = topicConfigStore(options);
  await store.start({ connector() {} });
  assert.deepEqual([store.connectors(), store.offset(), lines], [['c'], 3, []]);
});
