/**
 * Makes what runs here equal to what is wanted. One pass for one connector at a time, so a connector that is
 * slow to stop or start holds up nobody else; every pass reads the stores anew, so passes may be repeated,
 * dropped where one is queued already, or come late. Source: org.apache.kafka.connect.runtime.distributed.DistributedHerder.
 */
import type { RawConfig } from '../api/index.ts';
import type { Assignment } from '../ports/membership.ts';
import type { ConnectorEntry, RunState } from '../ports/stores.ts';
import type { TaskId } from '../ports/tasks.ts';
import { overrideWarnings } from './client-overrides.ts';
import { taskName } from './herder-context.ts';
import type { HerderOptions, StatusPublisher } from './herder-context.ts';
import { createKeyedQueue } from './keyed-queue.ts';
import { createStartupCounts } from './startup-counts.ts';
import { makeTaskConfigs } from './task-configs.ts';
import type { TaskPlan, TaskRuns } from './task-runs.ts';

interface ConnectorRun {
  state: RunState;
  /** The config that the task configs were last made from; undefined asks for making them anew. */
  made: string | undefined;
  /** Why that failed. */
  trace: string | undefined;
}

export interface Reconciler {
  /** The store says that something of this connector changed. */
  changed(name: string): Promise<void>;
  /** Resolves once nothing runs here that this assignment took away. */
  assigned(before: Assignment, now: Assignment): Promise<void>;
  /** Resolves when what was asked for until now is done. */
  settled(name: string): Promise<void>;
  /** Resolves with the error where the task could not be started. */
  restartTask(id: TaskId): Promise<Error | undefined>;
  /** Resolves with the trace where the connector could not be started. */
  restart(name: string, what: { readonly connector: boolean; readonly tasks: readonly number[] }): Promise<string | undefined>;
  /** Stops everything; no pass runs afterwards. */
  stop(): Promise<void>;
}

const retryMs = 1_000;

export function createReconciler(
  options: HerderOptions,
  taskRuns: TaskRuns,
  statuses: StatusPublisher,
  assignment: () => Assignment,
): Reconciler {
  const { configStore, statusStore, pluginHost, logger, settings, startups = createStartupCounts() } = options;
  const queue = createKeyedQueue();
  const queued = new Map<string, Promise<void>>();
  const runs = new Map<string, ConnectorRun>();
  const deleted = new Set<string>();
  const retries = new Set<NodeJS.Timeout>();
  let stopping = false;

  function publish(name: string, run: ConnectorRun, state: RunState, trace?: string): void {
    if (run.state === state && run.trace === trace) return;
    run.state = state;
    run.trace = trace;
    statuses.connector(name, state, trace);
  }

  function pass(name: string): Promise<void> {
    const waiting = queued.get(name);
    if (waiting !== undefined) return waiting;
    const done = queue.run(name, async () => {
      queued.delete(name);
      if (stopping) return;
      try {
        await reconcile(name);
      } catch (error) {
        logger.error(`connector ${name}: could not be brought to its wanted state, will try again: ${(error as Error).message}`);
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
    if (assignment().connectors.includes(name)) await runConnector(entry);
    else if (runs.delete(name)) statuses.connector(name, 'UNASSIGNED');
    await runTasks(name);
  }

  async function forget(name: string): Promise<void> {
    await stopTasks(name, taskRuns.of(name));
    const known = runs.delete(name);
    if (known) statuses.connector(name, 'UNASSIGNED');
    if ((known || assignment().leader) && statusStore.connectors().includes(name)) statuses.remove(name);
  }

  async function runConnector(entry: ConnectorEntry): Promise<void> {
    const { name, target, properties } = entry;
    const run = runs.get(name) ?? { state: 'UNASSIGNED', made: undefined, trace: undefined };
    runs.set(name, run);
    if (target === 'STOPPED') {
      run.made = undefined;
      publish(name, run, 'STOPPED');
      if (entry.tasks.length > 0) await configStore.putTaskConfigs(name, []);
    } else if (target === 'PAUSED') {
      if (run.state !== 'FAILED') publish(name, run, 'PAUSED');
    } else if (run.made === JSON.stringify(properties)) {
      if (run.state !== 'FAILED') publish(name, run, 'RUNNING');
    } else await makeTasks(entry, run);
  }

  async function makeTasks({ name, properties }: ConnectorEntry, run: ConnectorRun): Promise<void> {
    const config = JSON.stringify(properties);
    const startup = startups.begin('connector');
    const made = await makeTaskConfigs(name, properties, options);
    if ('trace' in made) startup.failed();
    else startup.succeeded();
    const now = configStore.get(name);
    // Meanwhile changed, stopped or deleted: the pass that follows deals with it.
    if (stopping || now?.target !== 'STARTED' || JSON.stringify(now.properties) !== config) return void pass(name);
    if ('trace' in made) {
      run.made = config;
      logger.error(`connector ${name} failed: ${made.trace.split('\n', 1)[0]}`);
      return publish(name, run, 'FAILED', made.trace);
    }
    // After a change of the connector's config the task configs are written though they be equal: compaction
    // could otherwise leave them before the connector's record, where readers pass them over.
    const changed = run.made !== undefined || !sameConfigs(now.tasks, made.configs);
    if (changed) await configStore.putTaskConfigs(name, made.configs);
    run.made = config;
    for (const warning of overrideWarnings(properties, pluginHost.kindOf(properties['connector.class'] ?? ''), settings)) {
      logger.warn(`connector ${name}: ${warning}`);
    }
    publish(name, run, 'RUNNING');
  }

  function plansOf(entry: ConnectorEntry): TaskPlan[] {
    if (entry.target === 'STOPPED') return [];
    const mine = assignment().tasks.filter((id) => id.connector === entry.name);
    return mine.flatMap((id): TaskPlan[] => {
      const taskConfig = entry.tasks[id.task];
      if (taskConfig === undefined) return [];
      const { properties } = entry;
      const kindOf = (config: RawConfig) => pluginHost.kindOf(config['connector.class'] ?? '');
      return [{ id, kindOf, connectorConfig: properties, taskConfig, paused: entry.target === 'PAUSED' }];
    });
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
    if (assignment().leader) {
      const gone = statusStore.tasks(name).filter((task) => task >= entry.tasks.length);
      for (const task of gone) statuses.removeTask({ connector: name, task });
    }
    if (stopping) return;
    // Task configs made from an older connector config go with that one: what runs is left as it is.
    const keep = runs.get(name)?.state === 'FAILED' ? new Set(taskRuns.of(name)) : new Set<number>();
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
      for (const [item, name] of has) if (!had.has(item)) void pass(name);
      const takenFrom = [...had].filter(([item]) => !has.has(item)).map(([, name]) => name);
      // A connector that was deleted as its worker died left its statuses behind.
      const orphans = now.leader && !before.leader ? statusStore.connectors() : [];
      for (const name of orphans) if (configStore.get(name) === undefined) statuses.remove(name);
      await Promise.all([...new Set(takenFrom)].map(pass));
    },
    settled: (name) => queue.idle(name),
    restartTask: (id) =>
      queue.run(id.connector, async () => {
        const entry = configStore.get(id.connector);
        const plan = entry && plansOf(entry).find((other) => other.id.task === id.task);
        await taskRuns.stop(id);
        if (plan === undefined || stopping) return undefined;
        statuses.task(id, 'RESTARTING');
        return taskRuns.start(plan);
      }),
    restart: (name, what) =>
      queue.run(name, async () => {
        if (configStore.get(name) === undefined || stopping) return undefined;
        const run = runs.get(name);
        if (what.connector && run !== undefined) publish(name, run, 'UNASSIGNED');
        const mine = what.tasks.filter((task) => assignment().tasks.some((id) => id.connector === name && id.task === task));
        await stopTasks(name, mine);
        if (what.connector && run !== undefined) {
          publish(name, run, 'RESTARTING');
          run.made = undefined;
        }
        for (const task of mine) statuses.task({ connector: name, task }, 'RESTARTING');
        try {
          await reconcile(name);
        } catch (error) {
          void pass(name);
          throw error;
        }
        return runs.get(name)?.trace;
      }),
    async stop() {
      stopping = true;
      for (const timer of retries) clearTimeout(timer);
      await taskRuns.close();
      for (const name of runs.keys()) statuses.connector(name, 'UNASSIGNED');
      runs.clear();
    },
  };
}

/** Connectors and tasks of an assignment, with the connector that each belongs to. */
function itemsOf({ connectors, tasks }: Assignment): Map<string, string> {
  const items = new Map(connectors.map((name) => [`connector ${name}`, name]));
  for (const id of tasks) items.set(`task ${taskName(id)}`, id.connector);
  return items;
}

function sameConfigs(a: readonly RawConfig[], b: readonly RawConfig[]): boolean {
  return a.length === b.length && a.every((config, index) => sameConfig(config, b[index] as RawConfig));
}

/** Order does not count: Connect writes keys as its hash maps give them. */
function sameConfig(a: RawConfig, b: RawConfig): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
