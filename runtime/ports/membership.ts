/** Which connectors and tasks this worker runs: all of them when alone, a share of them in a group. */
import type { TaskId } from './tasks.ts';

export interface Assignment {
  /** Rises with each assignment; written into statuses. */
  readonly generation: number;
  readonly leader: boolean;
  readonly connectors: readonly string[];
  readonly tasks: readonly TaskId[];
}

export interface Membership extends AsyncDisposable {
  /** As statuses name this worker: host:port. */
  readonly workerId: string;
  /** `onAssigned` is called with everything this worker is to run, each time that changes. */
  start(onAssigned: (assignment: Assignment) => Promise<void>): Promise<void>;
  /** The set of connectors or task configs changed: share out again. */
  configChanged(connectors: readonly string[], tasks: readonly TaskId[]): void;
}
