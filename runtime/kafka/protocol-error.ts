import { protocolErrorsCodesById } from '@platformatic/kafka';
import { ConfigError, ConnectError, RetriableError } from '../api/index.ts';

/** The codes of org.apache.kafka.common.protocol.Errors that we act on. */
export const codes = {
  unknownServerError: -1,
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  brokerNotAvailable: 8,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  networkException: 13,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  recordListTooLarge: 18,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  illegalGeneration: 22,
  inconsistentGroupProtocol: 23,
  invalidGroupId: 24,
  unknownMemberId: 25,
  invalidSessionTimeout: 26,
  rebalanceInProgress: 27,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  invalidPartitions: 37,
  invalidReplicationFactor: 38,
  invalidConfig: 40,
  notController: 41,
  policyViolation: 44,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTxnState: 48,
  invalidProducerIdMapping: 49,
  invalidTransactionTimeout: 50,
  concurrentTransactions: 51,
  transactionalIdAuthorizationFailed: 53,
  operationNotAttempted: 55,
  kafkaStorageError: 56,
  unknownProducerId: 59,
  nonEmptyGroup: 68,
  groupIdNotFound: 69,
  topicDeletionDisabled: 73,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  unsupportedCompressionType: 76,
  offsetNotAvailable: 78,
  memberIdRequired: 79,
  groupMaxSizeReached: 81,
  fencedInstanceId: 82,
  groupSubscribedToTopic: 86,
  invalidRecord: 87,
  unstableOffsetCommit: 88,
  throttlingQuotaExceeded: 89,
  producerFenced: 90,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
  transactionAbortable: 120,
  rebootstrapRequired: 129,
} as const;

/** The broker is not, or not yet, the one to ask: look at the metadata again. */
export const staleMetadata: ReadonlySet<number> = new Set([
  codes.unknownTopicOrPartition,
  codes.leaderNotAvailable,
  codes.notLeaderOrFollower,
  codes.replicaNotAvailable,
  codes.kafkaStorageError,
  codes.fencedLeaderEpoch,
  codes.unknownLeaderEpoch,
  codes.unknownTopicId,
  codes.inconsistentTopicId,
]);

/** Passes by itself. */
export const passing: ReadonlySet<number> = new Set([
  ...staleMetadata,
  codes.requestTimedOut,
  codes.networkException,
  codes.brokerNotAvailable,
  codes.coordinatorLoadInProgress,
  codes.coordinatorNotAvailable,
  codes.notCoordinator,
  codes.notController,
  codes.notEnoughReplicas,
  codes.notEnoughReplicasAfterAppend,
  codes.concurrentTransactions,
  codes.offsetNotAvailable,
  codes.unstableOffsetCommit,
  codes.throttlingQuotaExceeded,
]);

/** Ask for the group's coordinator again. */
export const coordinatorMoved: ReadonlySet<number> = new Set([
  codes.coordinatorLoadInProgress,
  codes.coordinatorNotAvailable,
  codes.notCoordinator,
]);

const hints = new Map<number, string>([
  [codes.topicAuthorizationFailed, 'Give the principal of this client the missing ACL on the topic.'],
  [codes.groupAuthorizationFailed, 'Give the principal of this client READ on the group.'],
  [codes.clusterAuthorizationFailed, 'Give the principal of this client the missing ACL on the cluster.'],
  [codes.transactionalIdAuthorizationFailed, 'Give the principal of this client WRITE on the transactional id.'],
  [codes.invalidReplicationFactor, 'Ask for no more replicas than the cluster has brokers (-1 takes the default of the cluster).'],
  [codes.invalidConfig, 'Correct the config of the topic.'],
  [codes.policyViolation, 'A policy of the cluster forbids it; ask who runs the cluster.'],
  [codes.unsupportedVersion, 'Kafka 3.5 or newer is needed.'],
  [
    codes.invalidSessionTimeout,
    'Set session.timeout.ms between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers.',
  ],
  [
    codes.inconsistentGroupProtocol,
    'All members of the group must offer the assignor "range", and none may be of another kind (Kafka Streams, Connect, KIP-848).',
  ],
  [codes.topicDeletionDisabled, 'Set delete.topic.enable=true on the brokers.'],
  [codes.unsupportedCompressionType, 'Set another compression.type.'],
]);

export const codeName = (code: number): string => (protocolErrorsCodesById as Record<string, string>)[String(code)] ?? `error code ${code}`;

/** The ConnectError that a code of a broker's answer stands for: `doing` says what we asked for. */
export function brokerError(code: number, doing: string, said?: string | null): ConnectError {
  const message = `${doing}: the broker answered ${codeName(code)}${said ? ` (${said})` : ''}.`;
  const hint = hints.get(code);
  const options = hint === undefined ? {} : { hint };
  if (passing.has(code)) return Object.assign(new RetriableError(message, options), { code: codeName(code) });
  return hint === undefined ? new ConnectError(message, options) : new ConfigError(message, options);
}

/** A topic that the brokers do not know is waited for no longer than the news of a new one takes to go round. */
export function patienceMs(error: RetriableError): number {
  return (error as NodeJS.ErrnoException).code === codeName(codes.unknownTopicOrPartition) ? 1000 : Infinity;
}

/** The calls of the client throw answers that hold an error code; what was answered is what we want. */
export async function answerOf<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const { response } = error as { response?: T };
    if (response !== undefined && response !== null) return response;
    throw error;
  }
}
