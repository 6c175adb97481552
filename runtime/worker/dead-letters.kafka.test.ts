import { useKafka } from '../../test/services/share.ts';
import { registerDeadLetters } from './test/dead-letter-suite.ts';
import { openTaskFixture } from './test/task-fixture.ts';

registerDeadLetters('Kafka', async () => {
  const { brokers } = await useKafka();
  return openTaskFixture({}, { kind: 'kafka', settings: { 'bootstrap.servers': brokers.join(',') } });
});
