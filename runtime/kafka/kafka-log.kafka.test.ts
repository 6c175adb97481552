import { registerLogContract } from '../../test/contract/log-contract.ts';
import { useKafka } from '../../test/services/share.ts';
import { openKafkaLog } from './kafka-log.ts';

registerLogContract(
  'the log on Kafka',
  async () => {
    const { brokers } = await useKafka();
    const log = await openKafkaLog({ 'bootstrap.servers': brokers.join(',') });
    return { log, [Symbol.asyncDispose]: () => log[Symbol.asyncDispose]() };
  },
  { atomicAppend: false, autoCreateTopics: true, transactions: true },
);
