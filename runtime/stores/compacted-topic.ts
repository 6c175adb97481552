/**
 * A compacted topic as a journal: created if it is missing, read from its beginning to its end, then followed.
 * Source: org.apache.kafka.connect.util.KafkaBasedLog.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, RetriableError } from '../api/index.ts';
import type { Logger, PartitionOffset, TopicPartition } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { FetchedRun, Log, LogReader } from '../ports/log.ts';
import type { Journal, JournalRecord } from './journal.ts';
import { createTopicWriter } from './topic-writer.ts';

export interface CompactedTopicOptions {
  readonly log: Log;
  readonly topic: string;
  /** Of the topic where it must be created. */
  readonly partitions: number;
  /** -1: the log's default. */
  readonly replicationFactor: number;
  /** Further topic configs, such as Connect's `config.storage.min.insync.replicas` without its prefix. */
  readonly topicConfig?: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly logger: Logger;
  /** The topic must have exactly this many partitions, also where it exists already. */
  readonly exactPartitions?: number;
  /** How long one read to the end may take; after it, a RetriableError. */
  readonly readTimeoutMs?: number;
}

export interface CompactedTopic extends Journal {
  readonly topic: string;
  /** Known once `start` resolved. */
  readonly partitions: number;
}

const fetchLimits = { maxWaitMs: 1_000, maxBytes: 4 << 20 };
const longestBackoffMs = 5_000;
const closeMs = 5_000;

export function compactedTopic(options: CompactedTopicOptions): CompactedTopic {
  const { log, topic, logger, readTimeoutMs = 60_000 } = options;
  const stopping = new AbortController();
  const waiting = new Set<() => void>();
  const writer = createTopicWriter(log, topic, options.clientId);
  let positions: bigint[] = [];
  let apply: (records: readonly JournalRecord[]) => void = () => {};
  let following: Promise<void> | undefined;
  let lastError: unknown;

  const all = (): TopicPartition[] => positions.map((_, partition) => ({ topic, partition }));

  function take(runs: readonly FetchedRun[]): void {
    for (const run of runs) {
      if (run.topic !== topic) continue;
      const records: JournalRecord[] = [];
      for (const { key, value, timestamp } of readRecords(Buffer.from(run.buffer, 0, run.length), run.length, run.position)) {
        if (key !== null) records.push({ key, value, timestampMs: timestamp });
      }
      if (records.length > 0) apply(records);
      positions[run.partition] = run.nextPosition;
    }
    for (const check of waiting) check();
  }

  /** Where to go on after a failure: what the log deleted meanwhile is passed over. */
  async function restore(reader: LogReader): Promise<void> {
    const earliest = await log.offsetsAt(all(), 'earliest');
    const latest = await log.offsetsAt(all(), 'latest');
    for (const { partition, offset } of earliest) {
      const end = latest.find((other) => other.partition === partition)?.offset ?? offset;
      const position = positions[partition] as bigint;
      if (position < offset || position > end) positions[partition] = offset;
    }
    reader.assign(positions.map((offset, partition): PartitionOffset => ({ topic, partition, offset })));
  }

  async function follow(): Promise<void> {
    let backoffMs = 100;
    while (!stopping.signal.aborted) {
      try {
        await using reader = await log.openReader({ clientId: options.clientId, isolation: 'read_committed' });
        await restore(reader);
        while (!stopping.signal.aborted) {
          const runs = await reader.fetch(fetchLimits, stopping.signal);
          if (stopping.signal.aborted) return;
          take(runs);
          backoffMs = 100;
          lastError = undefined;
        }
      } catch (error) {
        if (stopping.signal.aborted) return;
        lastError = error;
        logger.warn(`topic ${topic}: reading it failed, will try again in ${backoffMs} ms: ${messageOf(error)}`);
        await sleep(backoffMs, undefined, { signal: stopping.signal }).catch(() => {});
        backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
      }
    }
  }

  /** Resolves once every partition was read up to there. */
  function reached(ends: readonly { readonly partition: number; readonly offset: bigint }[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (why: string, cause?: unknown): void => reject(new RetriableError(`topic ${topic}: ${why}`, { cause }));
    const check = (): void => {
      if (stopping.signal.aborted) failed('the store was closed');
      else if (ends.every(({ partition, offset }) => (positions[partition] ?? 0n) >= offset)) resolve();
    };
    const timer = setTimeout(() => {
      const why = lastError === undefined ? '' : ` The last failure: ${messageOf(lastError)}`;
      failed(`could not be read to its end within ${readTimeoutMs} ms.${why}`, lastError);
    }, readTimeoutMs);
    waiting.add(check);
    check();
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(check);
    });
  }

  return {
    topic,
    get partitions() {
      return positions.length;
    },
    async start(onRecords) {
      const count = await ensureTopic(options);
      apply = onRecords;
      positions = new Array<bigint>(count).fill(0n);
      following = follow();
      await reached(await log.offsetsAt(all(), 'latest'));
    },
    async write(records) {
      const appended = await writer.append(records, positions.length);
      await reached(appended);
    },
    async readToEnd() {
      await reached(await log.offsetsAt(all(), 'latest'));
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      for (const check of [...waiting]) check();
      // A log that is away must not keep the worker from ending.
      const patience = new AbortController();
      const closed = Promise.all([following, writer[Symbol.asyncDispose]()]);
      await Promise.race([closed, sleep(closeMs, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
    },
  };
}

/** Creates the topic where it is missing; returns its partition count. Throws a ConfigError for one that would lose data. */
async function ensureTopic(options: CompactedTopicOptions): Promise<number> {
  const { log, topic, partitions, replicationFactor, topicConfig = {}, exactPartitions } = options;
  const config = { ...topicConfig, 'cleanup.policy': 'compact' };
  const created = await log.createTopics([{ name: topic, partitions, replicationFactor, config }]);
  const described = await describe(options);
  if (exactPartitions !== undefined && described !== exactPartitions) {
    throw new ConfigError(`topic ${topic} has ${described} partitions, and this store needs exactly ${exactPartitions}.`, {
      hint: 'Name another topic in the worker config, or create this one anew.',
    });
  }
  if (!created.includes(topic)) {
    const policy = (await log.topicConfig(topic))['cleanup.policy'] ?? 'delete';
    if (policy.trim() !== 'compact') {
      throw new ConfigError(`topic ${topic} has cleanup.policy=${policy}, which would delete what the worker must remember.`, {
        hint: `Set cleanup.policy=compact on it, or name another topic in the worker config.`,
      });
    }
  }
  return described;
}

/** A fresh topic takes a moment until every broker knows it. */
async function describe({ log, topic, readTimeoutMs = 60_000 }: CompactedTopicOptions): Promise<number> {
  for (const deadline = Date.now() + readTimeoutMs; ; await sleep(100)) {
    const found = (await log.describeTopics([topic]))[0];
    if (found !== undefined && found.partitions > 0) return found.partitions;
    if (Date.now() > deadline) throw new RetriableError(`topic ${topic} was created, but the log still does not know it.`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
