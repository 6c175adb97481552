/** The tasks that run on this worker, and what they say of themselves, as statuses. */
import type { Logger } from '../api/index.ts';
import type { RunState, RunStatus } from '../ports/stores.ts';
import type { TaskHost, TaskId } from '../ports/tasks.ts';
import type { ConfigProviders } from '../ports/config-providers.ts';
import { messageOf, taskName } from './herder-context.ts';
import { traceOf } from './secrets.ts';
import { createStartupCounts } from './startup-counts.ts';
import type { StartupCounts } from './startup-counts.ts';
import type { StatusPublisher } from './status-publisher.ts';
import type { TaskPlan } from './task-plan.ts';
import { taskEvents } from './task-events.ts';
import type { Run } from './task-events.ts';

export interface TaskRuns {
  /** Numbers of this connector's tasks that were started and not stopped; failed ones are among them. */
  of(connector: string): number[];
  all(): TaskId[];
  /** Makes it run as planned: starts, restarts with another config, pauses, resumes. A failed one is left alone. */
  bring(plan: TaskPlan): Promise<void>;
  /** Starts what does not run. Resolves with the error where it could not be started; its status says so too. */
  start(plan: TaskPlan): Promise<Error | undefined>;
  /** Resolves when nothing of the task runs; its status is UNASSIGNED then. */
  stop(id: TaskId): Promise<void>;
  /** Says again how each task is where its status says otherwise: the group may have thought this worker gone. */
  confirm(statusOf: (id: TaskId) => RunStatus | undefined): void;
  /** Stops all; nothing starts any more. */
  close(): Promise<void>;
}

export interface TaskRunsOptions {
  readonly taskHost: TaskHost;
  readonly providers: ConfigProviders;
  readonly statuses: StatusPublisher;
  readonly logger: Logger;
  /** Whether this worker is still to run it. */
  readonly mayRun: (id: TaskId) => boolean;
  readonly startups?: StartupCounts | undefined;
}

const unconfirmed: readonly RunState[] = ['RUNNING', 'PAUSED', 'FAILED'];

export function createTaskRuns(options: TaskRunsOptions): TaskRuns {
  const { taskHost, providers, statuses, logger, mayRun, startups = createStartupCounts() } = options;
  const connectors = new Map<string, Map<number, Run>>();
  let closed = false;
  const runOf = (id: TaskId): Run | undefined => connectors.get(id.connector)?.get(id.task);
  const all = (): TaskId[] => [...connectors].flatMap(([connector, tasks]) => [...tasks.keys()].map((task) => ({ connector, task })));

  async function launch(plan: TaskPlan, run: Run): Promise<Error | undefined> {
    const { id, exactlyOnce } = plan;
    const startup = startups.begin('task');
    let secrets: readonly string[] = [];
    const events = () => taskEvents({ plan, run, secrets, startup, statuses, logger, isCurrent: () => runOf(id) === run });
    try {
      const connector = await providers.resolve(plan.connectorConfig);
      const task = await providers.resolve(plan.taskConfig);
      secrets = [...connector.secrets, ...task.secrets];
      const kind = plan.kindOf(connector.config);
      await exactlyOnce?.fence(run.stopping.signal);
      if (run.stopping.signal.aborted) return undefined;
      const spec = { id, kind, connectorConfig: connector.config, taskConfig: task.config, paused: plan.paused, secrets };
      const transactional = exactlyOnce && { exactlyOnce: { transactionalId: exactlyOnce.transactionalId } };
      await taskHost.start({ ...spec, ...transactional }, events());
      return undefined;
    } catch (error) {
      if (run.stopping.signal.aborted) return undefined;
      events().failed(id, traceOf(error, secrets));
      return error as Error;
    }
  }

  function start(plan: TaskPlan): Promise<Error | undefined> {
    if (closed || !mayRun(plan.id)) return Promise.resolve(undefined);
    const { connector, task } = plan.id;
    const { promise: started, resolve } = Promise.withResolvers<Error | undefined>();
    const stopping = new AbortController();
    const run: Run = { made: madeOf(plan), started, stopping, stopped: undefined, paused: plan.paused, state: 'UNASSIGNED', over: false };
    const tasks = connectors.get(connector) ?? new Map<number, Run>();
    connectors.set(connector, tasks.set(task, run));
    void launch(plan, run).then(resolve);
    return started;
  }

  async function halt(id: TaskId, run: Run): Promise<void> {
    run.stopping.abort();
    await run.started;
    try {
      const { graceful } = await taskHost.stop(id);
      if (!graceful) logger.warn(`task ${taskName(id)} did not stop in time: its thread was ended`);
    } catch (error) {
      logger.error(`task ${taskName(id)} could not be stopped: ${messageOf(error)}`);
    }
    run.over = true;
    const tasks = connectors.get(id.connector);
    tasks?.delete(id.task);
    if (tasks?.size === 0) connectors.delete(id.connector);
    statuses.task(id, 'UNASSIGNED');
  }

  async function stop(id: TaskId): Promise<void> {
    const run = runOf(id);
    if (run !== undefined) await (run.stopped ??= halt(id, run));
  }

  return {
    of: (connector) => [...(connectors.get(connector)?.keys() ?? [])],
    all,
    start,
    stop,
    confirm(statusOf) {
      for (const id of all()) {
        const run = runOf(id) as Run;
        if (statusOf(id)?.state !== run.state && run.stopped === undefined && unconfirmed.includes(run.state))
          statuses.task(id, run.state, run.trace);
      }
    },
    async close() {
      closed = true;
      await Promise.all(all().map(stop));
    },
    async bring(plan) {
      const run = runOf(plan.id);
      if (run?.made === madeOf(plan) && run.stopped === undefined) {
        if (run.paused === plan.paused || run.over) return;
        run.paused = plan.paused;
        await run.started;
        if (!run.over && run.stopped === undefined) taskHost.setPaused(plan.id, plan.paused);
        return;
      }
      await stop(plan.id);
      await start(plan);
    },
  };
}

/** Equal for plans that need no restart. */
function madeOf({ connectorConfig, taskConfig, exactlyOnce }: TaskPlan): string {
  // With transactions each new set of task configs fences the tasks of the last one, changed or not.
  return JSON.stringify([connectorConfig, taskConfig, exactlyOnce?.generation]);
}
