/**
 * What the records of Connect's config topic add up to. Pure but for its warnings: records in, what they change out.
 * Source: org.apache.kafka.connect.storage.KafkaConfigBackingStore.
 */
import { DataError } from '../api/index.ts';
import type { Logger, RawConfig } from '../api/index.ts';
import type { ConnectorEntry, RestartRequest, SessionKey, TargetState } from '../ports/stores.ts';
import { parseConfigRecord } from './config-records.ts';
import type { ConfigRecord } from './config-records.ts';
import { createConfigTaskSets } from './config-task-sets.ts';
import { parseExact } from './exact-json.ts';
import type { JournalRecord } from './journal.ts';

/** What a store's listener is told. */
export type ConfigEvent =
  | { readonly kind: 'connector'; readonly name: string }
  | { readonly kind: 'restart'; readonly request: RestartRequest }
  | { readonly kind: 'logger'; readonly name: string; readonly level: string };

export interface ConfigState {
  /** What the records change, in their order. Of a replay, an incomplete set of task configs is not warned of: a later record may mend it. */
  apply(records: readonly JournalRecord[], replay: boolean): ConfigEvent[];
  names(): string[];
  get(name: string): ConnectorEntry | undefined;
  /** After the last record whose value is JSON, or a tombstone, whatever its key; -1 before the first. */
  offset(): number;
  sessionKey(): SessionKey | undefined;
  /** Levels of loggers, the last of each. */
  loggers(): ReadonlyMap<string, string>;
  fencedTasks(name: string): number | undefined;
  needsFencing(name: string): boolean;
  taskGeneration(name: string): number;
  /** The connector's config when its task configs were committed last. */
  appliedConfig(name: string): RawConfig | undefined;
  /** Connectors that have no tasks since the last set of task configs is not whole. */
  inconsistent(): string[];
}

export function createConfigState(logger?: Logger): ConfigState {
  const connectors = new Map<string, RawConfig>();
  const targets = new Map<string, TargetState>();
  const applied = new Map<string, RawConfig>();
  const taskSets = createConfigTaskSets();
  const loggers = new Map<string, string>();
  // These three outlive the deletion of their connector, as in Connect: tasks of it may still be awake somewhere,
  // and whoever makes the connector anew must fence them.
  const fencedTasks = new Map<string, number>();
  const needFencing = new Set<string>();
  const generations = new Map<string, number>();
  let sessionKey: SessionKey | undefined;
  let offset = -1;

  function commit(name: string, count: number, replay: boolean): ConfigEvent | undefined {
    const properties = connectors.get(name);
    if (properties === undefined) {
      // The connector is deleted, and compaction took its tombstone; or its config was written again later,
      // and then its tasks are made again when it starts.
      taskSets.forget(name);
      return undefined;
    }
    applied.set(name, properties);
    const missing = taskSets.commit(name, count);
    if (missing.length > 0 && !replay) logger?.warn(incompleteText(name, `${count} were to be written, and there is none of ${missing}`));
    generations.set(name, (generations.get(name) ?? 0) + 1);
    needFencing.add(name);
    return { kind: 'connector', name };
  }

  function applyOne(record: ConfigRecord, replay: boolean): ConfigEvent | undefined {
    switch (record.kind) {
      case 'target': {
        const { connector: name, target } = record;
        const before = targets.get(name) ?? 'STARTED';
        if (target === null) targets.delete(name);
        else targets.set(name, target);
        return connectors.has(name) && before !== (target ?? 'STARTED') ? { kind: 'connector', name } : undefined;
      }
      case 'connector': {
        const { connector: name, properties } = record;
        if (properties !== null) connectors.set(name, properties);
        else {
          connectors.delete(name);
          applied.delete(name);
          taskSets.forget(name);
        }
        return { kind: 'connector', name };
      }
      case 'task':
        taskSets.add(record.connector, record.task, record.properties);
        return undefined;
      case 'commit':
        return commit(record.connector, record.tasks, replay);
      case 'fencing':
        fencedTasks.set(record.connector, record.tasks);
        needFencing.delete(record.connector);
        return undefined;
      case 'restart':
        return record;
      case 'logger':
        loggers.set(record.logger, record.level);
        return { kind: 'logger', name: record.logger, level: record.level };
      case 'session-key':
        ({ sessionKey } = record);
        return undefined;
    }
  }

  return {
    apply(records, replay) {
      const events: ConfigEvent[] = [];
      for (const record of records) {
        const text = record.key.toString();
        const value = record.value === null ? null : jsonOf(record.value);
        if (value !== undefined) offset = Number(record.offset) + 1;
        try {
          if (value === undefined) throw new DataError('its value is no JSON');
          const event = applyOne(parseConfigRecord(text, value), replay);
          const last = events.at(-1);
          if (event !== undefined && !(event.kind === 'connector' && last?.kind === 'connector' && last.name === event.name))
            events.push(event);
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          logger?.error(`config topic: the record at offset ${record.offset}, key "${text}", is passed over: ${error.message}.`);
        }
      }
      return events;
    },
    names: () => [...connectors.keys()].sort(),
    get(name) {
      const properties = connectors.get(name);
      if (properties === undefined) return undefined;
      return { name, properties, target: targets.get(name) ?? 'STARTED', tasks: taskSets.get(name) };
    },
    offset: () => offset,
    sessionKey: () => sessionKey,
    loggers: () => loggers,
    fencedTasks: (name) => fencedTasks.get(name),
    needsFencing: (name) => needFencing.has(name),
    taskGeneration: (name) => generations.get(name) ?? 0,
    appliedConfig: (name) => applied.get(name),
    inconsistent: () => [...taskSets.incomplete].filter((name) => connectors.has(name)).sort(),
  };
}

/** Connect says this where a person sees it only while debugging, and waits until somebody asks where the tasks are. */
export function incompleteText(name: string, found = 'some are missing'): string {
  return (
    `connector "${name}": its set of task configs in the config topic is incomplete (${found}), probably since compaction took some, ` +
    'or since a worker ended while it wrote them. It has no tasks until a whole set is written, as when the connector is started again.'
  );
}

/** Undefined for what is no JSON: Connect reads on without taking note of such a record's offset. */
function jsonOf(value: Buffer): unknown {
  try {
    return parseExact(value.toString());
  } catch {
    return undefined;
  }
}
