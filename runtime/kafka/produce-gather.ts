import type { BrokerConnection } from './broker-connection.ts';
import type { ProducerSettings } from './client-settings.ts';
import { overheadBytes } from './produce-request.ts';
import type { Outgoing, ProducerPartition } from './producer-partition.ts';

export interface Broker {
  readonly connection: BrokerConnection;
  /** Requests without an answer. */
  inFlight: number;
}

export interface Sending {
  readonly partition: ProducerPartition;
  readonly outgoing: Outgoing;
}

const requestOverheadBytes = 512;

/**
 * At most one request for each broker that takes one more: from each partition that it leads the next batch, in the
 * order of `partitions`, up to `max.request.size`. (A request holds one batch of a partition.)
 */
export function gatherRequests(
  partitions: Iterable<ProducerPartition>,
  leaderOf: (partition: ProducerPartition) => Broker | undefined,
  { maxInFlight, maxRequestBytes }: ProducerSettings,
): Map<Broker, readonly Sending[]> {
  const now = Date.now();
  const requests = new Map<Broker, Sending[]>();
  const sizes = new Map<Broker, number>();
  for (const partition of partitions) {
    const outgoing = partition.next(now);
    if (outgoing === undefined) continue;
    const broker = leaderOf(partition);
    if (broker === undefined || broker.inFlight >= maxInFlight) continue;
    const sendings = requests.get(broker);
    const bytes = (sizes.get(broker) ?? requestOverheadBytes) + outgoing.batch.length + overheadBytes(partition.topic);
    if (sendings !== undefined && bytes > maxRequestBytes) continue;
    sizes.set(broker, bytes);
    if (sendings === undefined) requests.set(broker, [{ partition, outgoing }]);
    else sendings.push({ partition, outgoing });
  }
  return requests;
}
