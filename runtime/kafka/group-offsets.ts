import { deleteGroupsV2, offsetCommitV8, offsetDeleteV0, offsetFetchV8, txnOffsetCommitV3 } from '@platformatic/kafka';
import { RetriableError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type { Coordinator } from './coordinator.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import { brokerError, codes } from './protocol-error.ts';

/** As whom a commit is made; the default is nobody's membership, which brokers take only for a group without members. */
export interface CommitIdentity {
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | null;
}

const nobody: CommitIdentity = { generation: -1, memberId: '', instanceId: null };

/** The offsets that a group has stored: of these partitions, or all. Asks once. */
export async function fetchGroupOffsets(
  coordinator: Coordinator,
  groupId: string,
  partitions?: readonly TopicPartition[],
): Promise<PartitionOffset[]> {
  const topics =
    partitions === undefined
      ? null
      : [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, each]) => ({
          name,
          partitionIndexes: each.map(({ partition }) => partition),
        }));
  // The type has no null, which asks for all.
  const groups = [{ groupId, topics: topics as NonNullable<typeof topics>, memberId: null, memberEpoch: -1 }];
  const answer = await coordinator.ask((connection) => offsetFetchV8.api.async(connection, groups, true));
  const offsets: PartitionOffset[] = [];
  for (const group of answer.groups) {
    if (group.errorCode !== codes.none) await refuse(coordinator, group.errorCode, `group "${groupId}": reading its offsets`);
    for (const { name, partitions: answered } of group.topics) {
      for (const { partitionIndex, committedOffset, errorCode } of answered) {
        if (errorCode !== codes.none)
          await refuse(coordinator, errorCode, `group "${groupId}", topic "${name}", partition ${partitionIndex}: reading its offset`);
        if (committedOffset >= 0n) offsets.push({ topic: name, partition: partitionIndex, offset: committedOffset });
      }
    }
  }
  return offsets;
}

/** Stores offsets; asks once. Resolves with the first error code, or 0. */
export async function commitGroupOffsets(
  coordinator: Coordinator,
  groupId: string,
  offsets: readonly PartitionOffset[],
  as: CommitIdentity = nobody,
): Promise<number> {
  const answer = await coordinator.ask((connection) =>
    offsetCommitV8.api.async(connection, groupId, as.generation, as.memberId, as.instanceId as string, byTopic(offsets)),
  );
  return firstError(coordinator, answer);
}

/** Stores offsets in a producer's transaction, to count when it commits (KIP-447); asks once. Resolves with the first error code, or 0. */
export async function commitOffsetsInTransaction(
  coordinator: Coordinator,
  groupId: string,
  offsets: readonly PartitionOffset[],
  as: CommitIdentity,
  { transactionalId, id, epoch }: ProducerIdentity & { readonly transactionalId: string },
): Promise<number> {
  const { generation, memberId, instanceId } = as;
  const answer = await coordinator.ask((connection) =>
    txnOffsetCommitV3.api.async(connection, transactionalId, groupId, id, epoch, generation, memberId, instanceId, byTopic(offsets)),
  );
  return firstError(coordinator, answer);
}

function byTopic(offsets: readonly PartitionOffset[]) {
  return [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, each]) => ({
    name,
    partitions: each.map(({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: '',
    })),
  }));
}

async function firstError(
  coordinator: Coordinator,
  { topics }: { readonly topics: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[] },
): Promise<number> {
  const failed = topics.flatMap(({ partitions }) => partitions).find(({ errorCode }) => errorCode !== codes.none);
  const errorCode = failed?.errorCode ?? codes.none;
  await coordinator.noticed(errorCode);
  return errorCode;
}

/** Clears offsets of a group; what it does not have is fine. */
export async function clearGroupOffsets(coordinator: Coordinator, groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
  const doing = `group "${groupId}": clearing offsets`;
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, each]) => ({
    name,
    partitions: each.map(({ partition }) => ({ partitionIndex: partition })),
  }));
  const answer = await coordinator.ask((connection) => offsetDeleteV0.api.async(connection, groupId, topics));
  await refuseUnlessGone(coordinator, answer.errorCode, groupId, doing);
  for (const { partitions: answered } of answer.topics)
    for (const { errorCode } of answered) await refuseUnlessGone(coordinator, errorCode, groupId, doing);
}

export async function deleteGroup(coordinator: Coordinator, groupId: string): Promise<void> {
  const answer = await coordinator.ask((connection) => deleteGroupsV2.api.async(connection, [groupId]));
  for (const { errorCode } of answer.results) await refuseUnlessGone(coordinator, errorCode, groupId, `group "${groupId}": deleting it`);
}

const membersLeft: ReadonlySet<number> = new Set([
  codes.nonEmptyGroup,
  codes.groupSubscribedToTopic,
  codes.unknownMemberId,
  codes.illegalGeneration,
  codes.rebalanceInProgress,
]);

/** The error for a group that still has members, where the code says so. */
export function groupInUse(errorCode: number, groupId: string, doing: string): RetriableError | undefined {
  if (!membersLeft.has(errorCode)) return undefined;
  const hint = 'Stop its consumers first; one that died is forgotten after its session timeout.';
  return Object.assign(new RetriableError(`${doing}: group "${groupId}" still has members.`, { hint }), { code: inUseCode });
}

const inUseCode = 'NON_EMPTY_GROUP';

/** Members do not leave by our asking again. */
export function patienceWithGroupMs(error: RetriableError): number {
  return (error as NodeJS.ErrnoException).code === inUseCode ? 0 : Infinity;
}

async function refuseUnlessGone(coordinator: Coordinator, errorCode: number, groupId: string, doing: string): Promise<void> {
  if (errorCode === codes.none || errorCode === codes.groupIdNotFound || errorCode === codes.unknownTopicOrPartition) return;
  const inUse = groupInUse(errorCode, groupId, doing);
  if (inUse !== undefined) throw inUse;
  await refuse(coordinator, errorCode, doing);
}

async function refuse(coordinator: Coordinator, errorCode: number, doing: string): Promise<never> {
  await coordinator.noticed(errorCode);
  throw brokerError(errorCode, doing);
}
