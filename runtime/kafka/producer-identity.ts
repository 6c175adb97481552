import { initProducerIdV4 } from '@platformatic/kafka';
import type { Cluster } from './cluster.ts';
import { answerOf, brokerError, codes } from './protocol-error.ts';

/** Under which the brokers keep this producer's sequence numbers (KIP-98). Transactions will bring their own. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

/** Asks for a producer id, for up to `default.api.timeout.ms`. */
export function newProducerIdentity(cluster: Cluster, clientId: string): Promise<ProducerIdentity> {
  return cluster.retrying(async () => {
    const answer = await cluster.anyBroker((connection) => answerOf(initProducerIdV4.api.async(connection, null, 60_000, -1n, -1)));
    if (answer.errorCode !== codes.none) throw brokerError(answer.errorCode, `producer "${clientId}": asking for a producer id`);
    return { id: answer.producerId, epoch: answer.producerEpoch };
  });
}
