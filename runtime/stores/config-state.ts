/**
 * What the records of Connect's config topic add up to. Pure: records in, names of changed connectors out.
 * Source: org.apache.kafka.connect.storage.KafkaConfigBackingStore.
 */
import type { RawConfig } from '../api/index.ts';
import type { ConnectorEntry, TargetState } from '../ports/stores.ts';
import { parseExact, stringifyExact } from './exact-json.ts';
import type { JournalRecord, NewRecord } from './journal.ts';

const prefixes = { target: 'target-state-', connector: 'connector-', task: 'task-', commit: 'commit-' } as const;

interface TaskSet {
  /** Written, and not committed yet. */
  pending: Map<number, RawConfig>;
  committed: Map<number, RawConfig>;
  count: number;
  /** A commit named tasks that were not written before it: no set is whole. */
  broken: boolean;
}

export interface ConfigState {
  /** Returns the connectors whose entry may have changed. Records of other kinds (session keys, restarts, loggers, fencing) are passed over. */
  apply(records: readonly JournalRecord[]): Set<string>;
  names(): string[];
  get(name: string): ConnectorEntry | undefined;
}

export function createConfigState(): ConfigState {
  const connectors = new Map<string, RawConfig>();
  const targets = new Map<string, TargetState>();
  const taskSets = new Map<string, TaskSet>();

  const taskSet = (name: string): TaskSet => {
    let found = taskSets.get(name);
    if (found === undefined) taskSets.set(name, (found = { pending: new Map(), committed: new Map(), count: 0, broken: false }));
    return found;
  };

  /** Returns the connector that the record changed, if any. */
  function applyOne(key: string, value: unknown): string | undefined {
    if (key.startsWith(prefixes.target)) {
      const name = key.slice(prefixes.target.length);
      const target = value === null ? undefined : targetOf(value);
      if (target !== undefined) targets.set(name, target);
      else if (value === null) targets.delete(name);
      return connectors.has(name) ? name : undefined;
    }
    if (key.startsWith(prefixes.connector)) {
      const name = key.slice(prefixes.connector.length);
      const properties = value === null ? undefined : propertiesOf(value);
      if (properties !== undefined) connectors.set(name, properties);
      else if (value === null) {
        connectors.delete(name);
        taskSets.delete(name);
      }
      return name;
    }
    if (key.startsWith(prefixes.commit)) {
      const name = key.slice(prefixes.commit.length);
      const count = value === null ? Number.NaN : Number(fieldOf(value, 'tasks'));
      if (!Number.isInteger(count) || count < 0) return undefined;
      if (!connectors.has(name)) {
        // The connector is deleted, and compaction took its tombstone; or its config was written again later,
        // and then its tasks are made again when it starts.
        taskSets.delete(name);
        return undefined;
      }
      commit(taskSet(name), count);
      return name;
    }
    if (key.startsWith(prefixes.task)) {
      const id = /^(.+)-(\d+)$/.exec(key.slice(prefixes.task.length));
      const properties = value === null ? undefined : propertiesOf(value);
      if (id !== null && properties !== undefined) taskSet(id[1] as string).pending.set(Number(id[2]), properties);
    }
    return undefined;
  }

  return {
    apply(records) {
      const changed = new Set<string>();
      for (const { key, value } of records) {
        const text = key.toString();
        if (!Object.values(prefixes).some((prefix) => text.startsWith(prefix))) continue;
        const parsed = value === null ? null : parsedOrUndefined(value.toString());
        if (parsed === undefined) continue;
        const name = applyOne(text, parsed);
        if (name !== undefined) changed.add(name);
      }
      return changed;
    },
    names: () => [...connectors.keys()].sort(),
    get(name) {
      const properties = connectors.get(name);
      if (properties === undefined) return undefined;
      const tasks = taskSets.get(name);
      return { name, properties, target: targets.get(name) ?? 'STARTED', tasks: tasks === undefined ? [] : wholeSet(tasks) };
    },
  };
}

/** A commit takes effect only when every task that it counts was written since the last one. */
function commit(tasks: TaskSet, count: number): void {
  const ids = Array.from({ length: count }, (_, id) => id);
  tasks.broken = !ids.every((id) => tasks.pending.has(id));
  if (!tasks.broken) tasks.committed = tasks.pending;
  tasks.pending = new Map();
  tasks.count = count;
}

function wholeSet({ broken, committed, count }: TaskSet): RawConfig[] {
  if (broken) return [];
  return Array.from({ length: count }, (_, id) => committed.get(id) as RawConfig);
}

function parsedOrUndefined(text: string): unknown {
  try {
    return parseExact(text);
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function targetOf(value: unknown): TargetState | undefined {
  const state = fieldOf(value, 'state.v2') ?? fieldOf(value, 'state');
  return state === 'STARTED' || state === 'PAUSED' || state === 'STOPPED' ? state : undefined;
}

/** Connect can hold null values; a key without value is one that is not set. */
function propertiesOf(value: unknown): RawConfig | undefined {
  const properties = fieldOf(value, 'properties');
  if (typeof properties !== 'object' || properties === null) return undefined;
  const entries = Object.entries(properties).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, typeof item === 'string' ? item : stringifyExact(item)]));
}

/** Records as Connect writes them. */
export const configRecords = {
  connector: (name: string, properties: RawConfig): NewRecord => ({
    key: prefixes.connector + name,
    value: stringifyExact({ properties }),
  }),
  /** Workers before KIP-875 know no STOPPED: they read `state`, and pause. */
  target: (name: string, target: TargetState): NewRecord => ({
    key: prefixes.target + name,
    value: stringifyExact({ state: target === 'STOPPED' ? 'PAUSED' : target, 'state.v2': target }),
  }),
  tasks: (name: string, configs: readonly RawConfig[]): NewRecord[] => [
    ...configs.map((properties, id) => ({ key: `${prefixes.task}${name}-${id}`, value: stringifyExact({ properties }) })),
    { key: prefixes.commit + name, value: stringifyExact({ tasks: configs.length }) },
  ],
  /** Connect leaves the task and commit records where they are. */
  removal: (name: string): NewRecord[] => [
    { key: prefixes.connector + name, value: null },
    { key: prefixes.target + name, value: null },
  ],
};
