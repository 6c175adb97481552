import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from '../kafka/kafka-log.ts';
import { topicStoresSuite } from './test/topic-stores-suite.ts';

topicStoresSuite(async () => {
  const { brokers } = await useKafka();
  return openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
});
