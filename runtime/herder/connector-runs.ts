/** The connectors that this worker runs: each makes the configs of its tasks, and has a state. */
import type { RawConfig } from '../api/index.ts';
import type { ConnectorEntry, RunState } from '../ports/stores.ts';
import { overrideWarnings } from './client-overrides.ts';
import type { HerderOptions } from './herder-context.ts';
import { restartTimers } from './restart-timers.ts';
import type { Failure } from './restart-timers.ts';
import { createStartupCounts } from './startup-counts.ts';
import type { StatusPublisher } from './status-publisher.ts';
import type { TaskConfigPublisher } from './task-config-publisher.ts';
import { makeTaskConfigs, sameConfig, sameConfigs } from './task-configs.ts';

interface ConnectorRun {
  state: RunState;
  /** The config that the task configs were last made from; undefined asks for making them anew. */
  made: string | undefined;
  /** Why that failed. */
  trace: string | undefined;
  /** As it told, without what is said of restarts. */
  failure?: Failure | undefined;
  /** By `performance.now()`: when its task configs were last made; undefined while that fails. */
  runningSinceMs?: number | undefined;
  paused: boolean;
  /** Its task configs are made anew by the restart policy. */
  again: boolean;
  /** The task configs that are being taken away, since it is stopped. */
  clearing?: readonly RawConfig[];
}

export interface ConnectorRuns {
  /** Brings it to its target. Resolves false where its config changed meanwhile: it is to be brought again. */
  bring(entry: ConnectorEntry): Promise<boolean>;
  /** It is not this worker's any more, or was deleted. False where it did not run here. */
  drop(name: string): boolean;
  /** For a restart: UNASSIGNED, then RESTARTING once `between` is over; the next `bring` makes its task configs anew. */
  restart(name: string, between: () => Promise<void>): Promise<void>;
  /** The time of a failed one has come: the next `bring` makes its task configs anew. False where it is not to be restarted any more. */
  again(name: string): boolean;
  trace(name: string): string | undefined;
  failed(name: string): boolean;
  /** Says again how each is, where its status says otherwise. */
  confirm(): void;
  close(): void;
}

/** `restartDue`: the time has come to start a failed connector again. */
export function createConnectorRuns(
  options: HerderOptions,
  statuses: StatusPublisher,
  publisher: TaskConfigPublisher,
  restartDue: (name: string) => void,
): ConnectorRuns {
  const { configStore, statusStore, pluginHost, logger, settings, startups = createStartupCounts() } = options;
  const runs = new Map<string, ConnectorRun>();
  const restarts = restartTimers<string>({
    due: restartDue,
    logger,
    nameOf: (name) => `connector ${name}`,
    pathOf: (name) => `/connectors/${encodeURIComponent(name)}/restart`,
  });

  function publish(name: string, run: ConnectorRun, state: RunState, trace?: string): void {
    if (runs.get(name) !== run || (run.state === state && run.trace === trace)) return;
    run.state = state;
    run.trace = trace;
    statuses.connector(name, state, trace);
  }

  async function makeTasks({ name, properties }: ConnectorEntry, run: ConnectorRun): Promise<boolean> {
    const config = JSON.stringify(properties);
    const startup = startups.begin('connector');
    const made = await makeTaskConfigs(name, properties, options);
    if ('trace' in made) startup.failed();
    else startup.succeeded();
    if (runs.get(name) !== run) return true;
    const now = configStore.get(name);
    if (now?.target !== 'STARTED' || JSON.stringify(now.properties) !== config) return false;
    if ('trace' in made) {
      run.made = config;
      logger.error(`connector ${name} failed: ${made.trace.split('\n', 1)[0]}`);
      const { runningSinceMs } = run;
      run.failure = { ...made, ranMs: runningSinceMs === undefined ? 0 : performance.now() - runningSinceMs };
      run.runningSinceMs = undefined;
      publish(name, run, 'FAILED', restarts.failed(name, run.failure));
      return true;
    }
    // After a change of the connector's config the task configs are written though they be equal: compaction
    // could otherwise leave them before the connector's record, where readers pass them over.
    const applied = configStore.appliedConfig?.(name);
    const outdated = applied === undefined ? run.made !== undefined : !sameConfig(applied, properties);
    if (outdated || !sameConfigs(now.tasks, made.configs)) publisher.publish(name, made.configs);
    else publisher.cancel(name);
    run.made = config;
    run.failure = undefined;
    run.runningSinceMs = performance.now();
    for (const warning of overrideWarnings(properties, pluginHost.kindOf(properties['connector.class'] ?? ''), settings)) {
      logger.warn(`connector ${name}: ${warning}`);
    }
    publish(name, run, 'RUNNING');
    return true;
  }

  function stop({ name, tasks }: ConnectorEntry, run: ConnectorRun): void {
    run.made = undefined;
    run.failure = undefined;
    restarts.cancel(name);
    publish(name, run, 'STOPPED');
    if (tasks.length === 0) publisher.cancel(name);
    else if (run.clearing !== tasks) {
      run.clearing = tasks;
      publisher.publish(name, []);
    }
  }

  /** A failed one, paused or resumed: it stays FAILED, as in Connect, but only what is not paused is started again. */
  function turn(name: string, run: ConnectorRun, paused: boolean): void {
    if (run.paused === paused) return;
    run.paused = paused;
    if (run.failure === undefined) return;
    restarts.cancel(name);
    publish(name, run, 'FAILED', paused ? run.failure.trace : restarts.failed(name, run.failure));
  }

  return {
    async bring(entry) {
      const { name, target, properties } = entry;
      const run = runs.get(name) ?? { state: 'UNASSIGNED', made: undefined, trace: undefined, paused: false, again: false };
      runs.set(name, run);
      if (target === 'STOPPED') stop(entry, run);
      else if (target === 'PAUSED') {
        turn(name, run, true);
        if (run.state !== 'FAILED') publish(name, run, 'PAUSED');
      } else if (run.made === JSON.stringify(properties)) {
        turn(name, run, false);
        if (run.state !== 'FAILED') publish(name, run, 'RUNNING');
      } else {
        // Another config, or a person's restart: what was tried before does not count.
        if (!run.again) restarts.cancel(name);
        run.again = false;
        run.paused = false;
        return makeTasks(entry, run);
      }
      return true;
    },
    drop(name) {
      publisher.cancel(name);
      restarts.cancel(name);
      if (!runs.delete(name)) return false;
      statuses.connector(name, 'UNASSIGNED');
      return true;
    },
    async restart(name, between) {
      const run = runs.get(name);
      if (run !== undefined) publish(name, run, 'UNASSIGNED');
      await between();
      if (run === undefined) return;
      publish(name, run, 'RESTARTING');
      run.made = undefined;
    },
    again(name) {
      const run = runs.get(name);
      if (run?.failure === undefined || run.paused) return false;
      publish(name, run, 'RESTARTING');
      run.made = undefined;
      run.again = true;
      return true;
    },
    trace: (name) => runs.get(name)?.trace,
    failed: (name) => runs.get(name)?.state === 'FAILED',
    confirm() {
      for (const [name, { state, trace }] of runs) {
        const denied = state !== 'UNASSIGNED' && statusStore.connector(name)?.state !== state;
        if (denied) statuses.connector(name, state, trace);
      }
    },
    close() {
      for (const name of runs.keys()) {
        restarts.cancel(name);
        statuses.connector(name, 'UNASSIGNED');
      }
      runs.clear();
    },
  };
}
