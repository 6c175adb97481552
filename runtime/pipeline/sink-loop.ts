/**
 * The sink side of the flow: batches from the log → records → transforms → put, flushed before their offsets
 * are committed. One loop for each task; no broker, no thread in it.
 * Source: org.apache.kafka.connect.runtime.WorkerSinkTask.
 */
import { ConnectError, RetriableError } from '../api/index.ts';
import type { Logger, PartitionOffset, SinkTask, TopicPartition, Transform } from '../api/index.ts';
import type { FetchLimits, GroupEvent, LogGroup } from '../ports/log.ts';
import { backoffMs } from './backoff.ts';
import type { LettersTaken, SinkDeadLetters } from './dead-letter-queue.ts';
import { PartitionTable } from './partition-table.ts';
import { isAbort, pollAhead } from './poll-ahead.ts';
import type { PollAhead } from './poll-ahead.ts';
import type { SinkDecoder } from './sink-decoder.ts';
import { SinkIntake } from './sink-intake.ts';
import type { Loop } from './loop.ts';
import type { TaskFigures } from './task-figures.ts';
import type { TopicIds } from './topic-ids.ts';

export interface SinkLoopParts {
  readonly task: SinkTask;
  readonly group: LogGroup;
  readonly decoder: SinkDecoder;
  readonly chain: Transform | undefined;
  readonly control: SinkControl;
  readonly figures: TaskFigures;
  readonly topicIds: TopicIds;
  /** Left out: there is no dead-letter queue. */
  readonly letters?: SinkDeadLetters | undefined;
  readonly log: Logger;
  readonly flushIntervalMs: number;
  readonly maxPollRecords: number;
  readonly fetchBytes: number;
  /** Hears of each topic that records come from. */
  topicUsed(topic: string): void;
}

/** What the task asks for through its context; the loop does it between calls. */
export interface SinkControl {
  /** Next offset to put, for each assigned partition. */
  readonly positions: PartitionTable<bigint>;
  readonly pausedByTask: PartitionTable<true>;
  seeks: PartitionOffset[];
  /** Pauses and resumes by the task, in order. */
  switches: { readonly paused: boolean; readonly partitions: readonly TopicPartition[] }[];
  commitRequested: boolean;
}

export function sinkControl(): SinkControl {
  return { positions: new PartitionTable(), pausedByTask: new PartitionTable(), seeks: [], switches: [], commitRequested: false };
}

export function sinkLoop(parts: SinkLoopParts, pausedAtStart: boolean): Loop {
  const { task, group, control, figures, log } = parts;
  const { letters } = parts;
  const { positions, pausedByTask } = control;
  let paused = pausedAtStart;
  const intake = new SinkIntake(parts.decoder, parts.chain, (topic, records) => {
    figures.add('sink-record-read-total', records);
    parts.topicUsed(topic);
  });
  let ahead: PollAhead | undefined;
  const committed = new PartitionTable<bigint>();
  let lastCommitMs = Date.now();
  let retryAttempt = 0;
  let retryAtMs = 0;
  let heldBack = false;
  let commits = 0;

  /** The same records again where they wait for a retry. */
  async function put(): Promise<void> {
    const batch = intake.waiting;
    const startedMs = performance.now();
    try {
      await task.put(batch.map(({ record }) => record));
    } catch (error) {
      if (!(error instanceof RetriableError)) throw error;
      const waitMs = backoffMs(retryAttempt++, 100, 10_000);
      retryAtMs = Date.now() + waitMs;
      figures.add('total-retries');
      log.warn(`put of ${batch.length} records failed, trying again in ${Math.round(waitMs)} ms: ${error.message}`);
      return;
    }
    retryAttempt = 0;
    retryAtMs = 0;
    figures.observe('put-batch', performance.now() - startedMs, '-time-ms');
    figures.add('sink-record-send-total', batch.length);
    batch.forEach(({ from, offset }, at) => {
      if (batch[at + 1]?.from !== from) positions.set(from, offset + 1n);
    });
    intake.done();
    passEnds();
  }

  /** Past what was filtered out, or is not there any more. */
  function passEnds(): void {
    for (const end of intake.ends()) if (end.offset > (positions.get(end) ?? end.offset)) positions.set(end, end.offset);
  }

  /**
   * Flushes and commits what was put, and the dead letters before it; `only` limits it to partitions that go away. A
   * flush that may work later rewinds to what is committed; a commit that the group refuses only means that records may
   * come again. Where a topic was made anew, what was read of the old one says nothing.
   */
  async function commit(only?: readonly TopicPartition[]): Promise<void> {
    lastCommitMs = Date.now();
    control.commitRequested = false;
    letters?.postpone();
    const put = only === undefined ? positions : positions.within(only);
    const moved = notCommitted([...put].map(([{ topic, partition }, offset]) => ({ topic, partition, offset })));
    if (moved.length === 0 && letters?.isEmpty !== false) return;
    const startedMs = performance.now();
    let taken: LettersTaken | undefined;
    try {
      const flushedTo = moved.length === 0 ? [] : notCommitted(await flushed(moved));
      const gone = flushedTo.length === 0 ? noTopics : await parts.topicIds.gone(flushedTo.map(({ topic }) => topic));
      const stands = new PartitionTable<bigint>();
      for (const entry of flushedTo) stands.set(entry, entry.offset);
      taken = letters?.take((partition) => stands.get(partition) ?? committed.get(partition));
      const safe = flushedTo.filter(({ topic }) => !gone.has(topic));
      const batches = taken?.batches ?? [];
      if (safe.length + batches.length > 0) await group.commit(safe, batches);
      taken?.written();
      for (const entry of safe) committed.set(entry, entry.offset);
    } catch (error) {
      taken?.failed();
      if (!(error instanceof RetriableError)) throw error;
      figures.add('offset-commit-failure-total');
      log.warn(`offsets were not committed, the records may come again: ${error.message}`);
      return;
    }
    figures.observe('offset-commit', performance.now() - startedMs, '-time-ms');
    figures.add('offset-commit-completion-total');
    figures.set('offset-commit-seq-no', ++commits);
  }

  function notCommitted(offsets: readonly PartitionOffset[]): PartitionOffset[] {
    return offsets.filter((entry) => committed.get(entry) !== entry.offset);
  }

  async function flushed(offsets: readonly PartitionOffset[]): Promise<readonly PartitionOffset[]> {
    try {
      if (task.preCommit !== undefined) return await task.preCommit(offsets);
      await task.flush?.();
      return offsets;
    } catch (error) {
      if (error instanceof RetriableError) await rewind(offsets);
      throw error;
    }
  }

  /** A flush that failed: what was put since the last commit is delivered again. */
  async function rewind(partitions: readonly TopicPartition[]): Promise<void> {
    const back = partitions.flatMap(({ topic, partition }) => {
      const offset = committed.get({ topic, partition });
      return offset === undefined ? [] : [{ topic, partition, offset }];
    });
    await seek(back);
  }

  async function seek(offsets: readonly PartitionOffset[]): Promise<void> {
    const mine = offsets.filter((entry) => positions.has(entry));
    if (mine.length === 0) return;
    await ahead?.settle();
    group.seek(mine);
    for (const entry of mine) positions.set(entry, entry.offset);
    intake.drop(mine);
    ahead?.drop(mine);
  }

  /** What is there of partitions that are paused is read again when they are resumed. What waits for a retry comes again as it was. */
  async function putBack(partitions: readonly TopicPartition[]): Promise<void> {
    await ahead?.settle();
    const back = new PartitionTable<PartitionOffset>();
    for (const entry of [...intake.drop(partitions, retryAtMs > 0), ...(ahead?.drop(partitions) ?? [])])
      if (!back.has(entry)) back.set(entry, entry);
    if (back.size > 0) group.seek([...back].map(([, entry]) => entry));
  }

  async function handle(event: GroupEvent, signal: AbortSignal): Promise<void> {
    if (event.kind === 'records') for (const run of event.runs) if (positions.has(run)) intake.add(run);
    if (event.kind === 'records' || event.kind === 'idle') return;
    if (event.kind === 'assigned') {
      for (const entry of event.partitions) {
        positions.set(entry, entry.offset);
        committed.set(entry, entry.offset);
      }
      const topics = event.partitions.map(({ topic }) => topic);
      await parts.topicIds.learn(topics, signal);
      await task.open?.(event.partitions);
      if (paused || heldBack) group.pause(event.partitions);
    } else {
      if (event.kind === 'revoked') await commit(event.partitions);
      await task.close?.(event.partitions);
      intake.drop(event.partitions);
      letters?.drop(event.partitions);
      for (const entry of event.partitions) {
        for (const table of [positions, committed, pausedByTask]) table.delete(entry);
      }
    }
    figures.set('partition-count', positions.size);
  }

  /** While records wait for a retry or for their turn, nothing more is fetched, but the membership lives. */
  function holdBack(wanted: boolean): void {
    if (wanted === heldBack) return;
    heldBack = wanted;
    if (paused) return;
    if (wanted) group.pause(positions.keys());
    else group.resume(positions.keys().filter((entry) => !pausedByTask.has(entry)));
  }

  async function switchPartitions(): Promise<void> {
    for (const { paused: wanted, partitions } of control.switches.splice(0)) {
      for (const entry of partitions) {
        if (wanted) pausedByTask.set(entry, true);
        else pausedByTask.delete(entry);
      }
      if (!paused && !heldBack) {
        if (wanted) group.pause(partitions);
        else group.resume(partitions);
      }
      if (wanted) await putBack(partitions.filter((entry) => positions.has(entry)));
    }
  }

  const commitAtMs = (): number => Math.min(lastCommitMs + parts.flushIntervalMs, letters?.dueAtMs ?? Infinity);

  async function turn(polls: PollAhead, signal: AbortSignal): Promise<void> {
    await switchPartitions();
    while (control.seeks.length > 0) await seek(control.seeks.splice(0));
    if (control.commitRequested || Date.now() >= commitAtMs()) await commit();
    if (intake.waiting.length === 0) retryAtMs = 0;
    if (!paused && retryAtMs === 0) await intake.fill(parts.maxPollRecords, signal);
    if (!paused && retryAtMs <= Date.now()) {
      if (intake.waiting.length > 0) await put();
      else passEnds();
      if (!intake.isEmpty && retryAtMs === 0 && !polls.takesAway) return;
    }
    if (!polls.takesAway) holdBack(!intake.isEmpty);
    const nowMs = Date.now();
    const retryInMs = intake.waiting.length > 0 && !paused ? retryAtMs - nowMs : 500;
    const limits: FetchLimits = { maxWaitMs: Math.max(1, Math.min(500, commitAtMs() - nowMs, retryInMs)), maxBytes: parts.fetchBytes };
    const event = await polls.next(limits);
    if (event.kind === 'records' && !paused && !heldBack) polls.begin({ ...limits, maxWaitMs: 500 });
    await handle(event, signal);
    figures.set('sink-record-active-count', intake.waiting.length);
  }

  return {
    async setPaused(wanted) {
      if (wanted === paused) return;
      paused = wanted;
      if (wanted) group.pause(positions.keys());
      else if (!heldBack) group.resume(positions.keys().filter((entry) => !pausedByTask.has(entry)));
    },
    async run(signal) {
      ahead = pollAhead(group, signal);
      while (!signal.aborted) {
        try {
          await turn(ahead, signal);
        } catch (error) {
          if (signal.aborted && isAbort(error)) break;
          throw error;
        }
      }
      await commit().catch((error: unknown) => {
        throw new ConnectError(`the last flush before stopping failed: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      });
      await task.close?.(positions.keys());
    },
  };
}

const noTopics: ReadonlySet<string> = new Set();
