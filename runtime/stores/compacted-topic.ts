/**
 * A compacted topic as a journal: created if it is missing, read from its beginning to its end, then followed.
 * Source: org.apache.kafka.connect.util.KafkaBasedLog.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RetriableError } from '../api/index.ts';
import type { PartitionOffset, RawConfig, TopicPartition } from '../api/index.ts';
import { readRecords } from '../batch/record-reader.ts';
import type { FetchedRun, LogReader } from '../ports/log.ts';
import { ensureCompactedTopic, messageOf, partitionsOf } from './compacted-topic-setup.ts';
import type { CompactedTopicSetup } from './compacted-topic-setup.ts';
import { createExclusiveTopicWriter } from './exclusive-topic-writer.ts';
import type { ApplyRecords, Journal, JournalRecord, NewRecord } from './journal.ts';
import { createTopicWriter } from './topic-writer.ts';
import type { PartitionEnd, TopicWriter } from './topic-writer.ts';

export interface CompactedTopicOptions extends CompactedTopicSetup {
  readonly clientId: string;
  /** Left out: read_committed. Connect's workers without `exactly.once.source.support=enabled` read uncommitted. */
  readonly isolation?: 'read_committed' | 'read_uncommitted';
  /** Of the client that reads it, prefix taken off. */
  readonly consumerOverrides?: RawConfig;
  /** Makes the journal's exclusive writing go in transactions of this id; only where the log has transactions. */
  readonly transactionalId?: string;
  /** The start does not wait for transactions that are open: left behind by a writer that was killed, one may stay so for a minute. */
  readonly startsBeforeOpen?: boolean;
}

export interface CompactedTopic extends Journal {
  readonly topic: string;
  /** Known once `start` resolved. */
  readonly partitions: number;
}

const fetchLimits = { maxWaitMs: 1_000, maxBytes: 4 << 20 };
const longestBackoffMs = 5_000;
const closeMs = 5_000;
const noKey = Buffer.alloc(0);

export function compactedTopic(options: CompactedTopicOptions): CompactedTopic {
  const { log, topic, logger, clientId, isolation = 'read_committed', transactionalId, readTimeoutMs = 60_000 } = options;
  const stopping = new AbortController();
  const waiting = new Set<() => void>();
  const writer = createTopicWriter(log, topic, clientId);
  const exclusive = transactionalId === undefined ? undefined : createExclusiveTopicWriter(log, topic, clientId, transactionalId);
  let positions: bigint[] = [];
  /** Where each partition ended when it was last begun to be read: what is below it is a replay. */
  let replayEnds: bigint[] = [];
  let apply: ApplyRecords = () => {};
  let following: Promise<void> | undefined;
  /** Somebody saw that the topic ends before what was read of it. */
  let cutOff = false;
  let lastError: unknown;

  const all = (): TopicPartition[] => positions.map((_, partition) => ({ topic, partition }));
  const ends = (): Promise<readonly PartitionEnd[]> => log.offsetsAt(all(), 'latest');

  function checkWaiting(): void {
    for (const check of [...waiting]) check();
  }

  function take(runs: readonly FetchedRun[]): void {
    for (const run of runs) {
      if (run.topic !== topic) continue;
      const records: JournalRecord[] = [];
      for (const { key, value, timestamp, offset } of readRecords(Buffer.from(run.buffer, 0, run.length), run.length, run.position)) {
        records.push({ key: key ?? noKey, value, timestampMs: timestamp, offset });
      }
      const replayEnd = replayEnds[run.partition] ?? 0n;
      const fresh = records.findIndex(({ offset }) => offset >= replayEnd);
      const split = fresh === -1 ? records.length : fresh;
      if (split > 0) apply(records.slice(0, split), true);
      if (split < records.length) apply(records.slice(split), false);
      positions[run.partition] = run.nextPosition;
    }
    checkWaiting();
  }

  /**
   * Where to go on after a failure. As KafkaBasedLog, what was read before a topic was made anew or cut off stays
   * known until the worker starts again: forgetting it would stop every connector at once. The warning says so.
   */
  async function restore(reader: LogReader): Promise<void> {
    const partitions = await partitionsOf(options);
    if (partitions === undefined) throw new RetriableError(`topic ${topic} is not there any longer.`);
    if (partitions !== positions.length) {
      const found = `it has ${partitions} partitions now, and had ${positions.length}`;
      if (options.exactPartitions !== undefined) throw new RetriableError(`topic ${topic}: ${found}.`);
      staleWarning(found);
      positions = new Array<bigint>(partitions).fill(-1n);
    }
    const earliest = await log.offsetsAt(all(), 'earliest');
    const latest = await ends();
    for (const { partition, offset } of earliest) {
      const end = latest.find((other) => other.partition === partition)?.offset ?? offset;
      const position = positions[partition] as bigint;
      if (position >= offset && position <= end) continue;
      const found = `partition ${partition} was read up to offset ${position}, and now has ${offset} to ${end}`;
      if (position > end) staleWarning(`it was made anew or cut off: ${found}`);
      else if (position >= 0n) logger.warn(`topic ${topic}: records were deleted before they were read: ${found}. Changes may be missing.`);
      positions[partition] = offset;
      replayEnds[partition] = end;
    }
    reader.assign(positions.map((offset, partition): PartitionOffset => ({ topic, partition, offset })));
    checkWaiting();
  }

  /** A topic cannot end before a position that was reached earlier, unless it is another one, or was cut off. */
  function checkEnds(found: readonly PartitionEnd[], before: readonly bigint[]): readonly PartitionEnd[] {
    for (const { partition, offset } of found) {
      const position = before[partition] ?? 0n;
      if (offset >= position || positions[partition] === -1n) continue;
      staleWarning(`it was made anew or cut off: partition ${partition} was read up to offset ${position}, and now ends at ${offset}`);
      positions[partition] = -1n;
      cutOff = true;
    }
    return found;
  }

  function staleWarning(found: string): void {
    logger.warn(
      `topic ${topic}: ${found}. It is read again from its beginning; what was known before and is not in it any longer ` +
        'counts until this worker is started again.',
    );
  }

  async function follow(): Promise<void> {
    let backoffMs = 100;
    while (!stopping.signal.aborted) {
      try {
        await using reader = await log.openReader({ clientId, isolation, overrides: options.consumerOverrides ?? {} });
        await restore(reader);
        while (!stopping.signal.aborted) {
          const runs = await reader.fetch(fetchLimits, stopping.signal);
          if (stopping.signal.aborted) return;
          if (cutOff) await restore(reader);
          else take(runs);
          cutOff = false;
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
  function reached(to: readonly PartitionEnd[] | Promise<readonly PartitionEnd[]>, timeoutMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let wanted: readonly PartitionEnd[] | undefined;
    const failed = (why: string, cause?: unknown): void => reject(new RetriableError(`topic ${topic}: ${why}`, { cause }));
    const check = (): void => {
      if (stopping.signal.aborted) failed('the store was closed');
      else if (wanted?.every(({ partition, offset }) => (positions[partition] ?? 0n) >= offset)) resolve();
    };
    const timer = setTimeout(() => {
      const why = lastError === undefined ? '' : ` The last failure: ${messageOf(lastError)}`;
      failed(`could not be read to its end within ${timeoutMs} ms.${why}`, lastError);
    }, timeoutMs);
    waiting.add(check);
    check();
    Promise.resolve(to).then((known) => {
      wanted = known;
      check();
    }, reject);
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(check);
    });
  }

  async function write(by: TopicWriter, records: readonly NewRecord[]): Promise<void> {
    const before = [...positions];
    await reached(checkEnds(await by.append(records, positions.length), before), readTimeoutMs);
  }

  function readToEnd(timeoutMs = readTimeoutMs): Promise<void> {
    const before = [...positions];
    return reached(
      ends().then((found) => checkEnds(found, before)),
      timeoutMs,
    );
  }

  return {
    topic,
    get partitions() {
      return positions.length;
    },
    async start(onRecords) {
      positions = new Array<bigint>(await ensureCompactedTopic(options)).fill(-1n);
      replayEnds = positions.map(() => 0n);
      apply = onRecords;
      following = follow();
      await (options.startsBeforeOpen === true ? reached(log.offsetsAt(all(), 'committed'), readTimeoutMs) : readToEnd());
    },
    write: (records) => write(writer, records),
    readToEnd,
    ...(exclusive && { exclusive: { claim: () => exclusive.claim(), write: (records) => write(exclusive, records) } }),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      checkWaiting();
      // A log that is away must not keep the worker from ending.
      const patience = new AbortController();
      const closed = Promise.all([following, writer[Symbol.asyncDispose](), exclusive?.[Symbol.asyncDispose]()]);
      await Promise.race([closed, sleep(closeMs, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
    },
  };
}
