/**
 * Makes what runs here equal to what is wanted. One pass for one connector at a time, so a connector that is
 * slow to stop or start holds up nobody else; every pass reads the stores anew, so passes may be repeated,
 * dropped where one is queued already, or come late. Source: org.apache.kafka.connect.runtime.distributed.DistributedHerder.
 */
import type { Assignment } from '../ports/membership.ts';
import type { ConnectorEntry } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import { kindOf } from './connector-states.ts';
import type { ConnectorRuns } from './connector-runs.ts';
import type { ExactlyOnceStarts } from './exactly-once-starts.ts';
import { messageOf, taskName } from './herder-context.ts';
import type { HerderOptions } from './herder-context.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { requirePlugin } from './missing-plugin.ts';
import type { Leadership } from './leadership.ts';
import type { StatusPublisher } from './status-publisher.ts';
import type { TaskPlan } from './task-plan.ts';
import type { TaskRuns } from './task-runs.ts';

export interface Reconciler {
  /** The store says that something of this connector changed. */
  changed(name: string): Promise<void>;
  /** Resolves once nothing runs here that this assignment took away; what it gave is started behind. */
  assigned(before: Assignment, now: Assignment): Promise<void>;
  /** Resolves when what was asked for until now is done. */
  settled(name: string): Promise<void>;
  /** Resolves with the error where the task could not be started. */
  restartTask(id: TaskId): Promise<Error | undefined>;
  /** A failed task's time to be started again has come; nothing happens where it is not to run any more. Never rejects. */
  restartFailed(id: TaskId): Promise<void>;
  /** As above, of a connector that could not make its task configs. */
  restartFailedConnector(name: string): Promise<void>;
  /** Of what is chosen when its turn comes, this worker's share. Resolves with the trace where the connector could not be started. */
  restart(name: string, choose: () => Restarted | undefined): Promise<string | undefined>;
  /** Stops everything; no pass runs afterwards. */
  stop(): Promise<void>;
}

export interface Restarted {
  readonly connector: boolean;
  readonly tasks: readonly number[];
}

export interface Parts {
  readonly connectorRuns: ConnectorRuns;
  readonly taskRuns: TaskRuns;
  readonly statuses: StatusPublisher;
  readonly leadership: Pick<Leadership, 'assignment' | 'runsHere'>;
  /** Undefined where source tasks write without transactions. */
  readonly exactlyOnce: ExactlyOnceStarts | undefined;
}

const retryMs = 1_000;

export function createReconciler(options: HerderOptions, parts: Parts): Reconciler {
  const { configStore, statusStore, pluginHost, logger, peers } = options;
  const { connectorRuns, taskRuns, statuses, exactlyOnce } = parts;
  const { assignment, runsHere } = parts.leadership;
  const alone = peers === undefined;
  const queue = createKeyedQueue();
  const queued = new Map<string, Promise<void>>();
  const deleted = new Set<string>();
  const retries = new Set<NodeJS.Timeout>();
  let stopping = false;

  function pass(name: string): Promise<void> {
    const waiting = queued.get(name);
    if (waiting !== undefined) return waiting;
    const done = queue.run(name, async () => {
      queued.delete(name);
      if (stopping) return;
      try {
        await reconcile(name);
      } catch (error) {
        logger.error(`connector ${name}: could not be brought to its wanted state, will try again: ${messageOf(error)}`);
        const timer = setTimeout(() => {
          retries.delete(timer);
          void pass(name);
        }, retryMs);
        retries.add(timer);
      }
    });
    queued.set(name, done);
    return done;
  }

  async function reconcile(name: string): Promise<void> {
    if (deleted.delete(name)) await forget(name);
    const entry = configStore.get(name);
    if (entry === undefined) return forget(name);
    if (!assignment().connectors.includes(name)) connectorRuns.drop(name);
    else if (!(await connectorRuns.bring(entry))) void pass(name);
    await runTasks(name);
  }

  async function forget(name: string): Promise<void> {
    const tasks = taskRuns.of(name);
    await stopTasks(name, tasks);
    const known = connectorRuns.drop(name) || tasks.length > 0;
    if (!known || stopping) return;
    // Of a cluster the leader forgets, after the rebalance: others may still say that they stopped.
    if (!alone) statuses.resetTopics(name);
    else if (statusStore.connectors().includes(name)) statuses.remove(name);
  }

  function planOf(entry: ConnectorEntry, id: TaskId): TaskPlan | undefined {
    const taskConfig = entry.tasks[id.task];
    if (taskConfig === undefined || entry.target === 'STOPPED') return undefined;
    const connectorConfig = configStore.appliedConfig?.(entry.name) ?? entry.properties;
    const transactional = exactlyOnce !== undefined && kindOf(entry, pluginHost) === 'source';
    return {
      id,
      kindOf: (config) => requirePlugin(pluginHost, `task ${taskName(id)}`, config),
      connectorConfig,
      taskConfig,
      paused: entry.target === 'PAUSED',
      ...(transactional && { exactlyOnce: exactlyOnce(id) }),
    };
  }

  function plansOf(entry: ConnectorEntry): TaskPlan[] {
    const mine = entry.tasks.map((_, task) => ({ connector: entry.name, task })).filter(runsHere);
    return mine.flatMap((id) => planOf(entry, id) ?? []);
  }

  /** Undefined where the task is not to run here. */
  function planNow(id: TaskId): TaskPlan | undefined {
    const entry = configStore.get(id.connector);
    return entry && plansOf(entry).find((plan) => plan.id.task === id.task);
  }

  async function runTasks(name: string): Promise<void> {
    const entry = configStore.get(name);
    if (entry === undefined || deleted.has(name)) return;
    const plans = plansOf(entry);
    const wanted = new Set(plans.map(({ id }) => id.task));
    await stopTasks(
      name,
      taskRuns.of(name).filter((task) => !wanted.has(task)),
    );
    if (alone) {
      const gone = statusStore.tasks(name).filter((task) => task >= entry.tasks.length);
      for (const task of gone) statuses.removeTask({ connector: name, task });
    }
    if (stopping) return;
    // Task configs made from an older connector config go with that one: what runs is left as it is.
    const outdated = configStore.appliedConfig?.(name) === undefined && connectorRuns.failed(name);
    const keep = outdated ? new Set(taskRuns.of(name)) : new Set<number>();
    await Promise.all(plans.filter(({ id }) => !keep.has(id.task)).map((plan) => taskRuns.bring(plan)));
  }

  async function stopTasks(connector: string, tasks: readonly number[]): Promise<void> {
    await Promise.all(tasks.map((task) => taskRuns.stop({ connector, task })));
  }

  return {
    async changed(name) {
      if (configStore.get(name) === undefined) deleted.add(name);
      await pass(name);
    },
    async assigned(before, now) {
      const had = itemsOf(before);
      const has = itemsOf(now);
      for (const name of before.connectors) if (!now.connectors.includes(name)) connectorRuns.drop(name);
      // Not behind the passes, since one of them may wait for something slow.
      const taken = taskRuns.all().filter((id) => !has.has(taskKey(id)));
      const stopped = Promise.all(taken.map((id) => taskRuns.stop(id)));
      const given = new Set([...has].filter(([item]) => !had.has(item)).map(([, name]) => name));
      for (const name of given) void pass(name);
      await stopped;
    },
    settled: (name) => queue.idle(name),
    async restartFailed(id) {
      try {
        await queue.run(id.connector, async () => {
          const plan = planNow(id);
          if (plan !== undefined && !stopping) await taskRuns.startAgain(plan);
        });
      } catch (error) {
        logger.error(`task ${taskName(id)}: it could not be started again: ${messageOf(error)}`);
      }
    },
    async restartFailedConnector(name) {
      try {
        await queue.run(name, async () => {
          if (!stopping && connectorRuns.again(name)) await reconcile(name);
        });
      } catch (error) {
        logger.error(`connector ${name}: it could not be started again: ${messageOf(error)}`);
        void pass(name);
      }
    },
    restartTask: (id) =>
      queue.run(id.connector, async () => {
        const plan = planNow(id);
        await taskRuns.stop(id);
        if (plan === undefined || stopping) return undefined;
        statuses.task(id, 'RESTARTING');
        return taskRuns.start(plan);
      }),
    restart: (name, choose) =>
      queue.run(name, async () => {
        const what = configStore.get(name) === undefined || stopping ? undefined : choose();
        if (what === undefined) return undefined;
        const mine = what.tasks.filter((task) => runsHere({ connector: name, task }));
        if (what.connector && assignment().connectors.includes(name)) await connectorRuns.restart(name, () => stopTasks(name, mine));
        else await stopTasks(name, mine);
        for (const task of mine) statuses.task({ connector: name, task }, 'RESTARTING');
        try {
          await reconcile(name);
        } catch (error) {
          void pass(name);
          throw error;
        }
        return connectorRuns.trace(name);
      }),
    async stop() {
      stopping = true;
      for (const timer of retries) clearTimeout(timer);
      await taskRuns.close();
      connectorRuns.close();
    },
  };
}

function taskKey(id: TaskId): string {
  return `task ${taskName(id)}`;
}

/** Connectors and tasks of an assignment, with the connector that each belongs to. */
function itemsOf({ connectors, tasks }: Assignment): Map<string, string> {
  const items = new Map(connectors.map((name) => [`connector ${name}`, name]));
  for (const id of tasks) items.set(taskKey(id), id.connector);
  return items;
}
