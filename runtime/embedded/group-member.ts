import { RetriableError, javaPattern } from '../api/index.ts';
import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type { FetchLimits, GroupEvent, GroupOptions, LogGroup, OutboundBatch } from '../ports/log.ts';
import type { ConsumerGroup, GroupMember, StartOf } from './consumer-group.ts';
import { nameOf } from './partition-cursors.ts';
import type { PartitionCursors } from './partition-cursors.ts';
import type { WakeUps } from './wake-ups.ts';

export interface MemberSurroundings {
  readonly group: ConsumerGroup;
  readonly cursors: PartitionCursors;
  readonly wakeUps: WakeUps;
  readonly startOf: StartOf;
  readonly store: (offsets: readonly PartitionOffset[], batches: readonly OutboundBatch[]) => Promise<void>;
}

/** What the member has, and what it must be told next. */
type Phase =
  /** Nothing, or partitions that were given but not told of yet. */
  | 'waiting'
  | 'assigned'
  /** The group wants the partitions back; the member has not been told. */
  | 'revoking'
  /** It was told; its next poll gives them back. */
  | 'revoked'
  /** Out of the group, and not told; its next poll but one joins again. */
  | 'expelled'
  | 'lost';

/** A member of a group on the embedded log. Positions are cleared, and pauses with them, when partitions go. */
export function joinGroup(surroundings: MemberSurroundings, options: GroupOptions): LogGroup {
  const { group, cursors, wakeUps, startOf, store } = surroundings;
  const wants = subscription(options.topics);
  let phase: Phase = 'waiting';
  let held: readonly TopicPartition[] = [];
  let polling = false;
  let closed = false;

  function become(next: Phase, partitions: readonly TopicPartition[] = []): void {
    phase = next;
    held = partitions;
    cursors.assign([]);
  }

  const member: GroupMember = {
    wants,
    rebalanceTimeoutMs: Number(options.overrides?.['max.poll.interval.ms'] ?? 300_000),
    letGo() {
      if (phase === 'assigned' && held.length > 0) phase = 'revoking';
      else if (phase !== 'revoked' && phase !== 'revoking') become('waiting');
      wakeUps.notify();
      return phase === 'waiting';
    },
    take(partitions) {
      become('waiting', partitions);
      wakeUps.notify();
    },
    expel() {
      phase = 'expelled';
      wakeUps.notify();
    },
  };

  /** What has to be told before records. */
  function news(): GroupEvent | undefined {
    if (phase === 'expelled') {
      phase = 'lost';
      return { kind: 'lost', partitions: held };
    }
    if (phase === 'revoking') {
      phase = 'revoked';
      return { kind: 'revoked', partitions: held };
    }
    if (phase === 'waiting' && held.length > 0) {
      const positions = held.map(startOf);
      phase = 'assigned';
      cursors.assign(positions);
      return { kind: 'assigned', partitions: positions };
    }
    return undefined;
  }

  const hasNews = (): boolean =>
    closed || phase === 'expelled' || phase === 'revoking' || (phase === 'waiting' && held.length > 0) || cursors.isReady();

  function checkOpen(): void {
    if (closed) throw new RetriableError(`group ${options.groupId}: this member is closed.`);
  }

  async function nextEvent(limits: FetchLimits, signal: AbortSignal | undefined): Promise<GroupEvent> {
    if (phase === 'revoked') {
      become('waiting');
      group.rejoin(member);
    } else if (phase === 'lost') {
      become('waiting');
      group.join(member);
    }
    const deadline = performance.now() + limits.maxWaitMs;
    for (;;) {
      checkOpen();
      signal?.throwIfAborted();
      const told = news();
      if (told !== undefined) return told;
      const runs = await cursors.read(limits);
      // What was read while the partitions were called back goes with them: it was not delivered, so it is not committed.
      if (runs.length > 0 && phase === 'assigned') return { kind: 'records', runs };
      const leftMs = deadline - performance.now();
      if (leftMs <= 0 && !hasNews()) return { kind: 'idle' };
      await wakeUps.wait(hasNews, leftMs, signal);
    }
  }

  group.join(member);
  return {
    async poll(limits, signal) {
      checkOpen();
      if (polling) throw new Error(`group ${options.groupId}: polled twice at once`);
      signal?.throwIfAborted();
      polling = true;
      try {
        return await nextEvent(limits, signal);
      } finally {
        polling = false;
      }
    },

    async commit(offsets, batches = []) {
      checkOpen();
      const mine = new Set(phase === 'expelled' || phase === 'lost' ? [] : held.map(nameOf));
      const foreign = offsets.find((each) => !mine.has(nameOf(each)));
      if (foreign !== undefined) {
        throw new RetriableError(`group ${options.groupId}: the commit came too late, ${nameOf(foreign)} is not this member's any more.`);
      }
      if (offsets.length + batches.length > 0) await store(offsets, batches);
    },

    seek(offsets) {
      for (const { offset, ...partition } of offsets) {
        const cursor = cursors.get(partition);
        if (cursor !== undefined) cursor.position = offset;
      }
      wakeUps.notify();
    },
    pause: (partitions) => setPaused(cursors, partitions, true),
    resume(partitions) {
      setPaused(cursors, partitions, false);
      wakeUps.notify();
    },

    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      cursors.assign([]);
      group.leave(member);
      wakeUps.notify();
    },
  };
}

/** Partitions that are not this member's are left alone: they may have gone in the meantime. */
function setPaused(cursors: PartitionCursors, partitions: readonly TopicPartition[], paused: boolean): void {
  for (const partition of partitions) {
    const cursor = cursors.get(partition);
    if (cursor !== undefined) cursor.paused = paused;
  }
}

function subscription(topics: GroupOptions['topics']): (topic: string) => boolean {
  if ('names' in topics) {
    const names = new Set(topics.names);
    return (topic) => names.has(topic);
  }
  return javaPattern(topics.pattern).matches;
}
