import { listOffsetsV7 } from '@platformatic/kafka';
import { RetriableError } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type { OffsetTime } from '../ports/log.ts';
import type { Cluster } from './cluster.ts';
import { answerOf, brokerError, codes, passing, patienceMs } from './protocol-error.ts';

const latest = -1n;
const earliest = -2n;

/**
 * The first offset at or after a time, of each partition; the end where there is none so late. Tries again for
 * `default.api.timeout.ms`. With `readCommitted` the end is before the first open transaction.
 */
export async function listOffsets(
  cluster: Cluster,
  partitions: readonly TopicPartition[],
  time: Exclude<OffsetTime, 'committed'>,
  readCommitted: boolean,
): Promise<readonly PartitionOffset[]> {
  if (partitions.length === 0) return [];
  const timestamp = time === 'earliest' ? earliest : time === 'latest' ? latest : BigInt(time.timestampMs);
  const found = new Map<string, bigint>();
  await cluster.retrying(() => round(cluster, partitions, timestamp, readCommitted, found), patienceMs);
  const beyond = partitions.filter((each) => found.get(keyOf(each)) === -1n);
  if (beyond.length > 0) await cluster.retrying(() => round(cluster, beyond, latest, readCommitted, found), patienceMs);
  return partitions.map(({ topic, partition }) => ({ topic, partition, offset: found.get(keyOf({ topic, partition })) as bigint }));
}

/** Asks every leader once. Rejects when a partition is still without an answer; what was found stays found. */
async function round(
  cluster: Cluster,
  all: readonly TopicPartition[],
  timestamp: bigint,
  readCommitted: boolean,
  found: Map<string, bigint>,
): Promise<void> {
  const open = all.filter((each) => timestamp === latest || !found.has(keyOf(each)));
  const topics = new Set(open.map(({ topic }) => topic));
  if (open.some(({ topic, partition }) => cluster.leaderOf(topic, partition) === undefined)) await cluster.refresh(topics);
  const byLeader = Map.groupBy(open, ({ topic, partition }) => cluster.leaderOf(topic, partition) ?? -1);
  let problem: Error | undefined;
  for (const { topic, partition } of byLeader.get(-1) ?? []) {
    const code = cluster.topic(topic)?.errorCode ?? codes.unknownTopicOrPartition;
    const doing = `topic "${topic}", partition ${partition}: asking for its offsets`;
    const error = brokerError(code === codes.none ? codes.leaderNotAvailable : code, doing);
    if (!(error instanceof RetriableError)) throw error;
    problem = error;
  }
  byLeader.delete(-1);
  await Promise.all(
    [...byLeader].map(async ([nodeId, partitions]) => {
      problem = (await askLeader(cluster, nodeId, partitions, timestamp, readCommitted, found)) ?? problem;
    }),
  );
  if (problem === undefined) return;
  await cluster.refresh(topics).catch(() => {});
  throw problem;
}

async function askLeader(
  cluster: Cluster,
  nodeId: number,
  partitions: readonly TopicPartition[],
  timestamp: bigint,
  readCommitted: boolean,
  found: Map<string, bigint>,
): Promise<Error | undefined> {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, each]) => ({
    name,
    partitions: each.map(({ partition }) => ({ partitionIndex: partition, currentLeaderEpoch: -1, timestamp })),
  }));
  let problem: Error | undefined;
  try {
    const answer = await cluster
      .broker(nodeId)
      .request((connection) => answerOf(listOffsetsV7.api.async(connection, -1, readCommitted ? 1 : 0, topics)));
    for (const { name, partitions: answered } of answer.topics) {
      for (const { partitionIndex, errorCode, offset } of answered) {
        if (errorCode === codes.none) found.set(keyOf({ topic: name, partition: partitionIndex }), offset);
        else {
          problem = brokerError(errorCode, `topic "${name}", partition ${partitionIndex}: asking for its offsets`);
          if (!passing.has(errorCode)) throw problem;
        }
      }
    }
  } catch (error) {
    if (!(error instanceof RetriableError)) throw error;
    problem = error;
  }
  return problem;
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
