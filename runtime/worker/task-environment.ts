import type { Logger, OffsetMap, TaskReport } from '../api/index.ts';
import type { TaskFigures } from '../pipeline/task-figures.ts';
import type { Log } from '../ports/log.ts';
import type { StoredOffset } from '../ports/stores.ts';
import type { TaskSpec } from '../ports/tasks.ts';
import type { OffsetPlace, TaskSettings } from './task-messages.ts';

/** What a task thread offers to the run that it hosts. */
export interface TaskEnvironment {
  readonly spec: TaskSpec;
  readonly settings: TaskSettings;
  readonly log: Log;
  readonly logger: Logger;
  readonly figures: TaskFigures;
  /** Aborted when the task is to stop. */
  readonly signal: AbortSignal;
  /** Exactly-once: nothing may be read before it resolves. */
  producerReady(): Promise<void>;
  /** Source offsets, kept by the main thread. */
  readonly offsets: {
    /** Opens them, and creates their topic where it is missing. */
    place(): Promise<OffsetPlace>;
    /** The bytes of the keys that they stood under when they were last read. */
    keys(partitions: readonly OffsetMap[]): Promise<readonly (Uint8Array | undefined)[]>;
    copy(offsets: readonly StoredOffset[]): Promise<void>;
    read(partitions: readonly OffsetMap[]): Promise<readonly (OffsetMap | undefined)[]>;
    write(offsets: readonly StoredOffset[]): Promise<void>;
  };
  topicUsed(topic: string): void;
  note(text: string | undefined): void;
  report(report: TaskReport | undefined): void;
  fail(error: Error): void;
}

/** The keys under a prefix, with it taken off. */
export function keysUnder(config: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}
