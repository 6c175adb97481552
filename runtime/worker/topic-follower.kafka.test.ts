import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from '../kafka/kafka-log.ts';
import { registerTopicFollower } from './test/topic-follower-suite.ts';

registerTopicFollower('Kafka', async () => {
  const { brokers } = await useKafka();
  const log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
  return { log, [Symbol.asyncDispose]: () => log[Symbol.asyncDispose]() };
});
