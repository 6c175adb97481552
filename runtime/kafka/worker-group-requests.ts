import { joinGroupV9, leaveGroupV5, syncGroupV5 } from '@platformatic/kafka';
import { ConfigError, RetriableError } from '../api/index.ts';
import type { Coordinator } from './coordinator.ts';
import { brokerError, codes } from './protocol-error.ts';
import { pause } from './retry.ts';

/** What all requests of one member say. */
export interface WorkerGroupIdentity {
  readonly groupId: string;
  readonly protocolType: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export type JoinAnswer = Awaited<ReturnType<typeof joinGroupV9.api.async>>;
export type SyncAnswer = Awaited<ReturnType<typeof syncGroupV5.api.async>>;

/** No member takes longer to leave. */
export const leaveTimeoutMs = 5000;
/** A JoinGroup is answered when the rebalance times out at the latest; so much is allowed for delays. Source: AbstractCoordinator. */
const lapseMs = 5000;

const timeoutMs = ({ requestTimeoutMs, rebalanceTimeoutMs }: WorkerGroupIdentity): number =>
  Math.max(requestTimeoutMs, rebalanceTimeoutMs + lapseMs);

export function joinGroup(
  coordinator: Coordinator,
  identity: WorkerGroupIdentity,
  memberId: string,
  protocols: readonly { readonly name: string; readonly metadata: Buffer }[],
): Promise<JoinAnswer> {
  const { groupId, protocolType, sessionTimeoutMs, rebalanceTimeoutMs } = identity;
  return coordinator.ask(
    (connection) =>
      joinGroupV9.api.async(
        connection,
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        null,
        protocolType,
        protocols.map(({ name, metadata }) => ({ name, metadata })),
        '',
      ),
    timeoutMs(identity),
  );
}

export function syncGroup(
  coordinator: Coordinator,
  identity: WorkerGroupIdentity,
  { generationId, memberId, protocolName }: JoinAnswer,
  shares: ReadonlyMap<string, Buffer>,
): Promise<SyncAnswer> {
  const { groupId, protocolType } = identity;
  const assignments = [...shares].map(([member, assignment]) => ({ memberId: member, assignment }));
  return coordinator.ask(
    (connection) => syncGroupV5.api.async(connection, groupId, generationId, memberId, null, protocolType, protocolName, assignments),
    timeoutMs(identity),
  );
}

/** Never rejects, and does not take long: who cannot say good-bye is missed when the session ends. */
export async function leaveGroup(coordinator: Coordinator, groupId: string, memberId: string, reason: string): Promise<void> {
  const members = [{ memberId, groupInstanceId: null, reason }];
  const left = coordinator.ask((connection) => leaveGroupV5.api.async(connection, groupId, members), leaveTimeoutMs).catch(() => {});
  const enough = new AbortController();
  await Promise.race([left, pause(leaveTimeoutMs, enough.signal)]);
  enough.abort();
}

/** A RetriableError for what passes; a ConfigError for what a person has to mend. */
export function refusal(errorCode: number, groupId: string, doing: string): Error {
  const error = brokerError(errorCode, `group "${groupId}": ${doing}`);
  switch (errorCode) {
    case codes.inconsistentGroupProtocol:
      return new ConfigError(`group "${groupId}": ${doing}: there is such a group already, and its members are no Connect workers.`, {
        hint: 'Set group.id to a name that no consumer group and no other kind of group has.',
      });
    case codes.invalidGroupId:
      return new ConfigError(error.message, { hint: 'Correct group.id.' });
    case codes.groupMaxSizeReached:
      return new RetriableError(error.message, { hint: 'The brokers allow no more members: see group.max.size.' });
    case codes.rebalanceInProgress:
      return new RetriableError(error.message);
  }
  return error;
}
