import type { TopicPartition } from '../api/index.ts';

export interface AssignorMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly topics: readonly string[];
}

/**
 * Shares out partitions as org.apache.kafka.clients.consumer.RangeAssignor does: of each topic, members in order
 * take runs of equal length, the first ones one more where it does not come out even.
 */
export function assignRanges(members: readonly AssignorMember[], partitionsOf: (topic: string) => number): Map<string, TopicPartition[]> {
  const assigned = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]));
  const ordered = members.toSorted(byInstanceThenId);
  const topics = [...new Set(members.flatMap((member) => member.topics))].toSorted();
  for (const topic of topics) {
    const takers = ordered.filter((member) => member.topics.includes(topic));
    const count = partitionsOf(topic);
    const each = Math.floor(count / takers.length);
    const extra = count % takers.length;
    for (const [index, { memberId }] of takers.entries()) {
      const start = each * index + Math.min(index, extra);
      const end = start + each + (index < extra ? 1 : 0);
      for (let partition = start; partition < end; partition++) assigned.get(memberId)?.push({ topic, partition });
    }
  }
  return assigned;
}

/** Static members first, by instance id; the others by member id. */
function byInstanceThenId(a: AssignorMember, b: AssignorMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compare(a.instanceId, b.instanceId);
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return compare(a.memberId, b.memberId);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
