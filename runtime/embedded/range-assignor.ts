import type { TopicPartition } from '../api/index.ts';

export interface Subscriber {
  wants(topic: string): boolean;
}

/**
 * Who gets what: the partitions of each topic in runs, one for each member that wants the topic, in member
 * order, the first ones longer by one where it does not divide. Source: org.apache.kafka.clients.consumer.RangeAssignor.
 */
export function assignRange<M extends Subscriber>(
  members: readonly M[],
  topics: Iterable<{ readonly name: string; readonly partitions: { readonly length: number } }>,
): Map<M, TopicPartition[]> {
  const shares = new Map<M, TopicPartition[]>(members.map((member) => [member, []]));
  for (const { name, partitions } of topics) {
    const takers = members.filter((member) => member.wants(name));
    let next = 0;
    takers.forEach((member, index) => {
      const size = Math.floor(partitions.length / takers.length) + (index < partitions.length % takers.length ? 1 : 0);
      for (let i = 0; i < size; i++) shares.get(member)?.push({ topic: name, partition: next++ });
    });
  }
  return shares;
}
