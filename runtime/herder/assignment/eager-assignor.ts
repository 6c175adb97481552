/** How protocol version 0 shares work out. Source: org.apache.kafka.connect.runtime.distributed.EagerAssignor. */
import type { Work } from '../../ports/membership.ts';
import type { TaskId } from '../../ports/tasks.ts';
import { compareTasks, compareText } from './work.ts';

/**
 * Deals connectors, then tasks, in order and in turn, to the members in the order of their ids, whoever ran what
 * before; the tasks go on where the connectors ended. Gives everything that each member is to run, by member id.
 */
export function shareEagerly(members: Iterable<string>, configured: Work): ReadonlyMap<string, Work> {
  const shares = [...members].toSorted(compareText).map((id) => [id, { connectors: [] as string[], tasks: [] as TaskId[] }] as const);
  let next = 0;
  const deal = () => shares[next++ % shares.length]![1];
  for (const connector of configured.connectors.toSorted(compareText)) deal().connectors.push(connector);
  for (const task of configured.tasks.toSorted(compareTasks)) deal().tasks.push(task);
  return new Map(shares);
}
