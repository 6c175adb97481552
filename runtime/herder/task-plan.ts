import type { RawConfig } from '../api/index.ts';
import type { ConnectorKind, ExactlyOnce, TaskId } from '../ports/tasks.ts';

/** A task as the stores have it: placeholders unresolved. */
export interface TaskPlan {
  readonly id: TaskId;
  readonly kindOf: (config: RawConfig) => ConnectorKind;
  readonly connectorConfig: RawConfig;
  readonly taskConfig: RawConfig;
  readonly paused: boolean;
  /** Left out where the task may write without transactions. */
  readonly exactlyOnce?: ExactlyOncePlan;
}

/** See exactly-once-starts. */
export interface ExactlyOncePlan extends ExactlyOnce {
  /** A task of an older set of task configs must not run. */
  readonly generation: number;
  fence(signal: AbortSignal): Promise<void>;
  /** Rejects where this task must not run any more. */
  verify(): Promise<void>;
  /** This task was to end anyway: others fenced it, or it is no longer this worker's. */
  superseded(): Promise<boolean>;
}
