import { useKafka } from '../../test/services/share.ts';
import { openTaskFixture } from './test/task-fixture.ts';
import { registerTopicIdentity } from './test/topic-identity-suite.ts';

registerTopicIdentity('Kafka', async () => {
  const { brokers } = await useKafka();
  return openTaskFixture({}, { kind: 'kafka', settings: { 'bootstrap.servers': brokers.join(',') } });
});
