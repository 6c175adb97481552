/** Follows a topic for a source task. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Logger, PartitionOffset, TopicFollowing, TopicPartition, TopicRecord } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { FetchedRun, Log } from '../ports/log.ts';

const limits = { maxWaitMs: 1_000, maxBytes: 1 << 20 };
const missingMs = 1_000;
const firstBackoffMs = 100;
const longestBackoffMs = 10_000;
/** How long partitions that are added to the topic may go unseen. */
const lookAgainMs = 60_000;

type UsedLog = Pick<Log, 'describeTopics' | 'groupOffsets' | 'alterGroupOffsets' | 'offsetsAt' | 'openReader'>;

/** As `SourceTaskContext.followTopic` promises. */
export async function followTopic(log: UsedLog, following: TopicFollowing, clientId: string, logger: Logger): Promise<void> {
  const { topic, signal } = following;
  let backoffMs = firstBackoffMs;
  while (!signal.aborted) {
    try {
      const positions = await startPositions(log, following);
      if (positions === undefined) await pause(missingMs, signal);
      else await follow(log, following, positions, clientId, () => (backoffMs = firstBackoffMs));
    } catch (error) {
      if (signal.aborted) return;
      logger.warn(`topic ${topic}: following it failed, will try again in ${backoffMs} ms: ${(error as Error).message}`);
      await pause(backoffMs, signal);
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
    }
  }
}

/** Of each partition; undefined where there is no such topic. */
async function startPositions(log: UsedLog, { topic, group, from }: TopicFollowing): Promise<PartitionOffset[] | undefined> {
  const [found] = await log.describeTopics([topic]);
  if (found === undefined) return undefined;
  const all = Array.from({ length: found.partitions }, (_, partition): TopicPartition => ({ topic, partition }));
  const known = (await log.groupOffsets(group)).filter((one) => one.topic === topic);
  const [earliest, latest] = [await log.offsetsAt(all, 'earliest'), await log.offsetsAt(all, 'latest')];
  const at = (offsets: readonly PartitionOffset[], partition: number): bigint | undefined =>
    offsets.find((one) => one.partition === partition)?.offset;
  return all.map(({ partition }) => {
    const [first = 0n, end = 0n] = [at(earliest, partition), at(latest, partition)];
    const position = at(known, partition);
    // What was deleted meanwhile is passed over, and a topic that was made anew read from its beginning.
    if (position !== undefined && position <= end) return { topic, partition, offset: position < first ? first : position };
    return { topic, partition, offset: position !== undefined || from === 'earliest' ? first : end };
  });
}

async function follow(
  log: UsedLog,
  following: TopicFollowing,
  positions: readonly PartitionOffset[],
  clientId: string,
  onRead: () => void,
): Promise<void> {
  const { topic, group, signal } = following;
  await using reader = await log.openReader({ clientId, isolation: 'read_committed' });
  reader.assign(positions);
  const until = Date.now() + lookAgainMs;
  while (!signal.aborted && Date.now() < until) {
    const runs = await reader.fetch(limits, signal);
    onRead();
    const records = runs.flatMap(recordsOf);
    if (records.length > 0) await following.deal(records);
    const moved = runs.filter(({ position, nextPosition }) => nextPosition > position);
    if (moved.length === 0) continue;
    await log.alterGroupOffsets(
      group,
      moved.map(({ partition, nextPosition }) => ({ topic, partition, offset: nextPosition })),
    );
  }
}

const recordsOf = ({ topic, partition, buffer, length, position }: FetchedRun): TopicRecord[] =>
  [...readRecords(Buffer.from(buffer), length, position)].map(({ offset, timestamp, key, value }) => ({
    ...{ topic, partition, offset, timestamp },
    key,
    value,
  }));

const pause = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});
