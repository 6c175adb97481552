/** What one run of a task tells, as statuses and log lines. */
import type { Logger, RawConfig, TaskReport } from '../api/index.ts';
import type { RunState } from '../ports/stores.ts';
import type { TaskEvents, TaskId } from '../ports/tasks.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import { taskName } from './herder-context.ts';
import type { Startup } from './startup-counts.ts';
import type { StatusPublisher } from './status-publisher.ts';
import type { TaskPlan } from './task-plan.ts';
import type { TaskFailure, TaskRestarts } from './task-restarts.ts';

export interface Run {
  /** Equal for plans that need no restart. */
  readonly made: string;
  readonly started: Promise<Error | undefined>;
  /** Aborted when it is to stop. */
  readonly stopping: AbortController;
  stopped: Promise<void> | undefined;
  paused: boolean;
  /** What the task says of its state while it runs. */
  note?: string | undefined;
  /** How far its work is, as it said last. */
  report?: TaskReport | undefined;
  state: RunState;
  trace?: string | undefined;
  over: boolean;
  /** By `performance.now()`; undefined while its code is not ready. */
  runningSinceMs?: number;
  /** As it told, without what is said of restarts. */
  failure?: TaskFailure;
}

export interface RunContext {
  readonly plan: TaskPlan;
  readonly run: Run;
  /** The connector's, placeholders resolved where they could be. */
  readonly config: RawConfig;
  readonly secrets: readonly string[];
  readonly startup: Startup;
  readonly statuses: StatusPublisher;
  readonly restarts: TaskRestarts;
  readonly logger: Logger;
  /** False for what a later run of the same task has replaced. */
  readonly isCurrent: () => boolean;
}

export function taskEvents({ plan, run, config, secrets, startup, statuses, restarts, logger, isCurrent }: RunContext): TaskEvents {
  const { exactlyOnce } = plan;

  function publish(id: TaskId, state: RunState, trace?: string): void {
    if (run.over || !isCurrent()) return;
    run.state = state;
    run.trace = trace;
    statuses.task(id, state, trace, state === 'RUNNING' || state === 'PAUSED' ? run.report : undefined);
  }

  function fail(id: TaskId, trace: string, passes: boolean): void {
    logger.error(`task ${taskName(id)} failed: ${firstLine(trace)}`);
    if (run.over || !isCurrent()) return;
    const { runningSinceMs } = run;
    run.failure = { trace, passes, config, ranMs: runningSinceMs === undefined ? 0 : performance.now() - runningSinceMs };
    publish(id, 'FAILED', run.paused || run.stopping.signal.aborted ? trace : restarts.failed(id, run.failure));
    run.over = true;
  }

  /** Fencing ends tasks of earlier task configs from afar: that they ended so is no failure. */
  async function failUnlessSuperseded(id: TaskId, trace: string, passes: boolean): Promise<void> {
    if (run.stopping.signal.aborted || (await exactlyOnce?.superseded())) {
      logger.info(`task ${taskName(id)} ended, since it is no longer to run so: ${firstLine(trace)}`);
    } else fail(id, trace, passes);
  }

  return {
    running(id) {
      startup.succeeded();
      run.runningSinceMs = performance.now();
      publish(id, run.paused ? 'PAUSED' : 'RUNNING', run.note);
    },
    paused: (id) => publish(id, 'PAUSED', run.note),
    resumed: (id) => publish(id, 'RUNNING', run.note),
    noted(id, text) {
      run.note = text === undefined ? undefined : withoutSecrets(text, secrets);
      // While it is being started it is told with the state that follows.
      if (run.runningSinceMs !== undefined) publish(id, run.state, run.note);
    },
    reported(id, report) {
      run.report = report;
      if (run.runningSinceMs !== undefined) publish(id, run.state, run.trace);
    },
    failed(id, trace, passes = false) {
      startup.failed();
      const shown = withoutSecrets(trace, secrets);
      if (exactlyOnce === undefined) fail(id, shown, passes);
      else void failUnlessSuperseded(id, shown, passes);
    },
    responsive(id, answering, forMs) {
      // Clients know Connect's states only, so the state stays, and the trace says what is wrong.
      publish(id, run.state, answering ? run.note : silence(id, forMs));
      if (!answering) logger.warn(silence(id, forMs));
    },
    topicUsed: (id, topic) => statuses.topicUsed(id, topic),
    ...(exactlyOnce !== undefined && { producerReady: () => exactlyOnce.verify() }),
  };
}

function silence(id: TaskId, forMs: number): string {
  const { connector, task } = id;
  return (
    `task ${taskName(id)} has not answered for ${Math.round(forMs / 1000)} s: its thread is spinning or blocked. ` +
    `POST /connectors/${encodeURIComponent(connector)}/tasks/${task}/restart ends the thread and starts the task anew.`
  );
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
