/** The tasks that run on this worker, and what they say of themselves, as statuses. */
import type { Logger } from '../api/index.ts';
import type { RunState, RunStatus } from '../ports/stores.ts';
import { mayPass } from '../ports/passing-errors.ts';
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
import { createTaskRestarts } from './task-restarts.ts';

export interface TaskRuns {
  /** Numbers of this connector's tasks that were started and not stopped; failed ones are among them. */
  of(connector: string): number[];
  all(): TaskId[];
  /** Makes it run as planned: starts, restarts with another config, pauses, resumes. A failed one is left alone. */
  bring(plan: TaskPlan): Promise<void>;
  /** Starts what does not run. Resolves with the error where it could not be started; its status says so too. */
  start(plan: TaskPlan): Promise<Error | undefined>;
  /** After a failure, unless it is paused, stopped or started meanwhile: stops what is left of it, and starts it. */
  startAgain(plan: TaskPlan): Promise<void>;
  /** Resolves when nothing of the task runs; its status is UNASSIGNED then. No restart of it comes by itself. */
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
  /** The time has come to start a failed task again. */
  readonly restartDue: (id: TaskId) => void;
}

const unconfirmed: readonly RunState[] = ['RUNNING', 'PAUSED', 'FAILED'];

export function createTaskRuns(options: TaskRunsOptions): TaskRuns {
  const { taskHost, providers, statuses, logger, mayRun, startups = createStartupCounts() } = options;
  const restarts = createTaskRestarts(options.restartDue, logger);
  const connectors = new Map<string, Map<number, Run>>();
  let closed = false;
  const runOf = (id: TaskId): Run | undefined => connectors.get(id.connector)?.get(id.task);
  const all = (): TaskId[] => [...connectors].flatMap(([connector, tasks]) => [...tasks.keys()].map((task) => ({ connector, task })));

  async function launch(plan: TaskPlan, run: Run): Promise<Error | undefined> {
    const { id, exactlyOnce } = plan;
    const startup = startups.begin('task');
    let secrets: readonly string[] = [];
    let config = plan.connectorConfig;
    const isCurrent = (): boolean => runOf(id) === run;
    const events = () => taskEvents({ plan, run, config, secrets, startup, statuses, restarts, logger, isCurrent });
    try {
      const connector = await providers.resolve(plan.connectorConfig);
      const task = await providers.resolve(plan.taskConfig);
      secrets = [...connector.secrets, ...task.secrets];
      config = connector.config;
      const kind = plan.kindOf(connector.config);
      await exactlyOnce?.fence(run.stopping.signal);
      if (run.stopping.signal.aborted) return undefined;
      const spec = { id, kind, connectorConfig: connector.config, taskConfig: task.config, paused: plan.paused, secrets };
      const transactional = exactlyOnce && { exactlyOnce: { transactionalId: exactlyOnce.transactionalId } };
      await taskHost.start({ ...spec, ...transactional }, events());
      return undefined;
    } catch (error) {
      if (run.stopping.signal.aborted) return undefined;
      events().failed(id, traceOf(error, secrets), mayPass(error));
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
    if (run === undefined) return;
    await (run.stopped ??= halt(id, run));
    restarts.cancel(id);
  }

  /** A failed one, paused or resumed: it stays FAILED, as in Connect, but only what is not paused is started again. */
  function turn(id: TaskId, run: Run, paused: boolean): void {
    run.paused = paused;
    if (run.failure === undefined) return;
    restarts.cancel(id);
    const trace = paused ? run.failure.trace : restarts.failed(id, run.failure);
    if (trace === run.trace) return;
    run.trace = trace;
    statuses.task(id, run.state, trace);
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
    async startAgain(plan) {
      const run = runOf(plan.id);
      if (run?.failure === undefined || run.paused || run.stopped !== undefined) return;
      await (run.stopped = halt(plan.id, run));
      if (closed || !mayRun(plan.id)) return restarts.cancel(plan.id);
      startups.restarted(plan.id);
      statuses.task(plan.id, 'RESTARTING');
      await start(plan);
    },
    async close() {
      closed = true;
      await Promise.all(all().map(stop));
    },
    async bring(plan) {
      const run = runOf(plan.id);
      if (run?.made === madeOf(plan) && run.stopped === undefined) {
        if (run.paused === plan.paused) return;
        if (run.over) return turn(plan.id, run, plan.paused);
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
