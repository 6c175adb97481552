import { describeGroupsV5 } from '@platformatic/kafka';
import { networkSettings } from './client-settings.ts';
import { Cluster } from './cluster.ts';
import { Coordinator } from './coordinator.ts';
import { brokerError, codes, patienceMs } from './protocol-error.ts';
import type { Settings } from './setting-values.ts';

export interface WorkerGroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  /** Of the protocol that the group elected, as the member gave it; empty while the group rebalances. */
  readonly metadata: Buffer;
}

/**
 * Who is in a group now, without joining it; nobody, if there is no such group. `settings` are the worker's own, without a prefix.
 * Rejects with a RetriableError when no broker answers in time.
 */
export async function workerGroupMembers(settings: Settings, groupId: string): Promise<readonly WorkerGroupMember[]> {
  const clientId = settings['client.id'] ?? 'millrace-admin';
  const cluster = new Cluster(await networkSettings(settings), clientId);
  const coordinator = new Coordinator(cluster, clientId, groupId);
  try {
    return await cluster.retrying(async () => {
      const answer = await coordinator.ask((connection) => describeGroupsV5.api.async(connection, [groupId], false));
      const group = answer.groups[0];
      const errorCode = group?.errorCode ?? codes.none;
      // What is wrong with a group of another kind is told when this worker joins it.
      if (group === undefined || errorCode === codes.groupIdNotFound) return [];
      await coordinator.noticed(errorCode);
      if (errorCode !== codes.none) throw brokerError(errorCode, `group "${groupId}": asking who is in it`);
      return group.members.map(({ memberId, clientId: client, clientHost, memberMetadata }) => ({
        memberId,
        clientId: client,
        clientHost,
        metadata: memberMetadata,
      }));
    }, patienceMs);
  } finally {
    await coordinator.forget();
    cluster.close();
  }
}
