/** The tasks that run on this worker, and what they say of themselves, as statuses. */
import type { Logger, RawConfig } from '../api/index.ts';
import type { RunState } from '../ports/stores.ts';
import type { ConnectorKind, TaskEvents, TaskHost, TaskId } from '../ports/tasks.ts';
import { withoutSecrets } from '../ports/config-providers.ts';
import type { ConfigProviders } from '../ports/config-providers.ts';
import { taskName } from './herder-context.ts';
import type { StatusPublisher } from './herder-context.ts';
import { traceOf } from './secrets.ts';
import { createStartupCounts } from './startup-counts.ts';
import type { Startup } from './startup-counts.ts';

/** A task as the stores have it: placeholders unresolved. */
export interface TaskPlan {
  readonly id: TaskId;
  readonly kindOf: (config: RawConfig) => ConnectorKind;
  readonly connectorConfig: RawConfig;
  readonly taskConfig: RawConfig;
  readonly paused: boolean;
}

interface Run {
  /** Equal for plans that need no restart. */
  readonly made: string;
  readonly started: Promise<Error | undefined>;
  paused: boolean;
  state: RunState;
  over: boolean;
}

export interface TaskRuns {
  /** Numbers of this connector's tasks that were started and not stopped; failed ones are among them. */
  of(connector: string): number[];
  /** Makes it run as planned: starts, restarts with another config, pauses, resumes. A failed one is left alone. */
  bring(plan: TaskPlan): Promise<void>;
  /** Starts what does not run. Resolves with the error where it could not be started; its status says so too. */
  start(plan: TaskPlan): Promise<Error | undefined>;
  /** Resolves when nothing of the task runs; its status is UNASSIGNED then. */
  stop(id: TaskId): Promise<void>;
  /** Stops all; nothing starts any more. */
  close(): Promise<void>;
}

export function createTaskRuns(
  taskHost: TaskHost,
  providers: ConfigProviders,
  statuses: StatusPublisher,
  logger: Logger,
  startups = createStartupCounts(),
): TaskRuns {
  const connectors = new Map<string, Map<number, Run>>();
  let closed = false;
  const runOf = (id: TaskId): Run | undefined => connectors.get(id.connector)?.get(id.task);
  const madeOf = (plan: TaskPlan): string => JSON.stringify([plan.connectorConfig, plan.taskConfig]);

  function eventsOf(id: TaskId, run: Run, secrets: readonly string[], startup: Startup): TaskEvents {
    const publish = (state: RunState, trace?: string): void => {
      if (run.over || runOf(id) !== run) return;
      run.state = state;
      statuses.task(id, state, trace);
    };
    return {
      running: () => {
        startup.succeeded();
        publish(run.paused ? 'PAUSED' : 'RUNNING');
      },
      paused: () => publish('PAUSED'),
      resumed: () => publish('RUNNING'),
      failed: (_id, trace) => {
        startup.failed();
        publish('FAILED', withoutSecrets(trace, secrets));
        run.over = true;
        logger.error(`task ${taskName(id)} failed: ${firstLine(withoutSecrets(trace, secrets))}`);
      },
      responsive: (_id, answering, forMs) => {
        // Clients know Connect's states only, so the state stays, and the trace says what is wrong.
        publish(run.state, answering ? undefined : silence(id, forMs));
        if (!answering) logger.warn(silence(id, forMs));
      },
      topicUsed: (_id, topic) => statuses.topicUsed(id, topic),
    };
  }

  async function launch(plan: TaskPlan, run: () => Run): Promise<Error | undefined> {
    const { id } = plan;
    const startup = startups.begin('task');
    let secrets: readonly string[] = [];
    try {
      const connector = await providers.resolve(plan.connectorConfig);
      const task = await providers.resolve(plan.taskConfig);
      secrets = [...connector.secrets, ...task.secrets];
      await taskHost.start(
        {
          id,
          kind: plan.kindOf(connector.config),
          connectorConfig: connector.config,
          taskConfig: task.config,
          paused: plan.paused,
          secrets,
        },
        eventsOf(id, run(), secrets, startup),
      );
      return undefined;
    } catch (error) {
      eventsOf(id, run(), secrets, startup).failed(id, traceOf(error, secrets));
      return error as Error;
    }
  }

  function start(plan: TaskPlan): Promise<Error | undefined> {
    if (closed) return Promise.resolve(undefined);
    const { connector, task } = plan.id;
    const { promise: started, resolve } = Promise.withResolvers<Error | undefined>();
    const run: Run = { made: madeOf(plan), started, paused: plan.paused, state: 'UNASSIGNED', over: false };
    const tasks = connectors.get(connector) ?? new Map<number, Run>();
    connectors.set(connector, tasks.set(task, run));
    void launch(plan, () => run).then(resolve);
    return started;
  }

  async function stop(id: TaskId): Promise<void> {
    const run = runOf(id);
    if (run === undefined) return;
    await run.started;
    const { graceful } = await taskHost.stop(id);
    run.over = true;
    const tasks = connectors.get(id.connector);
    tasks?.delete(id.task);
    if (tasks?.size === 0) connectors.delete(id.connector);
    if (!graceful) logger.warn(`task ${taskName(id)} did not stop in time: its thread was ended`);
    statuses.task(id, 'UNASSIGNED');
  }

  return {
    of: (connector) => [...(connectors.get(connector)?.keys() ?? [])],
    start,
    stop,
    async close() {
      closed = true;
      const all = [...connectors].flatMap(([connector, tasks]) => [...tasks.keys()].map((task) => ({ connector, task })));
      await Promise.all(all.map(stop));
    },
    async bring(plan) {
      const run = runOf(plan.id);
      if (run?.made === madeOf(plan)) {
        if (run.paused === plan.paused || run.over) return;
        run.paused = plan.paused;
        await run.started;
        if (!run.over) taskHost.setPaused(plan.id, plan.paused);
        return;
      }
      await stop(plan.id);
      await start(plan);
    },
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
