import type { PartitionOffset, TopicPartition } from '../api/index.ts';
import type { FetchLimits, GroupEvent, LogGroup } from '../ports/log.ts';

/** Polls a group, and one event ahead where it is told to, while what came before is put. */
export interface PollAhead {
  /** Asks for the next event. Only after records: other events have to be dealt with before the group is polled again. */
  begin(limits: FetchLimits): void;
  /** Whether what was begun has brought word that partitions go: nothing more of them should be put before `next` tells which. */
  readonly takesAway: boolean;
  /** The next event; 'idle' after `maxWaitMs`, though the group may still be asked. */
  next(limits: FetchLimits): Promise<GroupEvent>;
  /** Ends what was begun. What it brought is kept for `next`: the group has gone on behind it. */
  settle(): Promise<void>;
  /** Takes partitions out of what was kept. Returns where to read on to get it again. Only after `settle`. */
  drop(partitions: readonly TopicPartition[]): PartitionOffset[];
}

interface Asked {
  readonly answer: Promise<GroupEvent>;
  readonly stop: AbortController;
}

/** Its polls are given up when the signal is aborted. */
export function pollAhead(group: LogGroup, signal: AbortSignal): PollAhead {
  let asked: Asked | undefined;
  let kept: GroupEvent | undefined;
  let takesAway = false;

  function ask(limits: FetchLimits): Asked {
    const stop = new AbortController();
    asked = { answer: group.poll(limits, stop.signal), stop };
    asked.answer.then(
      ({ kind }) => {
        takesAway = kind === 'revoked' || kind === 'lost';
      },
      // Told when it is asked for.
      () => {},
    );
    return asked;
  }

  signal.addEventListener('abort', () => asked?.stop.abort(signal.reason), { once: true });

  return {
    begin(limits) {
      if (asked === undefined && kept === undefined && !signal.aborted) ask(limits);
    },

    get takesAway() {
      return takesAway;
    },

    async next(limits) {
      signal.throwIfAborted();
      if (kept !== undefined) {
        const event = kept;
        kept = undefined;
        takesAway = false;
        return event;
      }
      const begun = asked !== undefined;
      const { answer } = asked ?? ask(limits);
      try {
        const event = begun ? await within(answer, limits.maxWaitMs) : await answer;
        if (event === undefined) return { kind: 'idle' };
        asked = undefined;
        takesAway = false;
        return event;
      } catch (error) {
        asked = undefined;
        throw error;
      }
    },

    async settle() {
      if (asked === undefined) return;
      const { answer, stop } = asked;
      stop.abort();
      try {
        kept = await answer;
      } catch (error) {
        if (!isAbort(error)) throw error;
      } finally {
        asked = undefined;
      }
      if (kept?.kind === 'idle') kept = undefined;
    },

    drop(partitions) {
      if (kept?.kind !== 'records') return [];
      const runs = kept.runs.filter((run) => !partitions.some((each) => each.topic === run.topic && each.partition === run.partition));
      const dropped = kept.runs.filter((run) => !runs.includes(run));
      kept = runs.length === 0 ? undefined : { kind: 'records', runs };
      return dropped.map(({ topic, partition, position }) => ({ topic, partition, offset: position }));
    },
  };
}

/** Undefined when it takes longer. */
async function within<T>(answer: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || (error as NodeJS.ErrnoException).code === 'ABORT_ERR');
}
