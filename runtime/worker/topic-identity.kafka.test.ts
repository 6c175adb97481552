import { useKafka } from '../../test/services/share.ts';
import { openTaskFixture } from './test/task-fixture.ts';
import { registerTopicIdentity } from './test/topic-identity-suite.ts';

registerTopicIdentity('Kafka', async (task) => {
  const { brokers } = await useKafka();
  return openTaskFixture({ task }, { kind: 'kafka', settings: { 'bootstrap.servers': brokers.join(',') } });
});
