/**
 * Task configs count in whole sets: records wait for a commit that names how many there are.
 * Source: org.apache.kafka.connect.storage.KafkaConfigBackingStore#processTasksCommitRecord.
 */
import type { RawConfig } from '../api/index.ts';

interface TaskSet {
  /** Written, and not committed yet. */
  waiting: Map<number, RawConfig>;
  /** The last set; empty where the last commit named tasks that were not written before it. */
  whole: readonly RawConfig[];
}

export interface ConfigTaskSets {
  add(connector: string, task: number, properties: RawConfig): void;
  /** Returns the tasks that are missing, of the `count` that were to be written since the commit before. */
  commit(connector: string, count: number): number[];
  get(connector: string): readonly RawConfig[];
  forget(connector: string): void;
  /** Connectors whose last commit was incomplete; deleting the connector does not change that. */
  readonly incomplete: ReadonlySet<string>;
}

export function createConfigTaskSets(): ConfigTaskSets {
  const sets = new Map<string, TaskSet>();
  const incomplete = new Set<string>();

  const setOf = (connector: string): TaskSet => {
    let found = sets.get(connector);
    if (found === undefined) sets.set(connector, (found = { waiting: new Map(), whole: [] }));
    return found;
  };

  return {
    add(connector, task, properties) {
      setOf(connector).waiting.set(task, properties);
    },
    commit(connector, count) {
      const set = setOf(connector);
      const { waiting } = set;
      // More may wait: compaction leaves the last record of a task that later sets no longer have.
      const missing = missingOf(waiting, count);
      set.whole = missing.length > 0 ? [] : Array.from({ length: count }, (_, task) => waiting.get(task) as RawConfig);
      set.waiting = new Map();
      if (missing.length > 0) incomplete.add(connector);
      else incomplete.delete(connector);
      return missing;
    },
    get: (connector) => sets.get(connector)?.whole ?? [],
    forget(connector) {
      sets.delete(connector);
    },
    incomplete,
  };
}

/** At most a few, for a count that is a typing error must not fill memory. */
function missingOf(waiting: ReadonlyMap<number, RawConfig>, count: number): number[] {
  const missing: number[] = [];
  for (let task = 0; task < count && missing.length < 20; task++) if (!waiting.has(task)) missing.push(task);
  return missing;
}
