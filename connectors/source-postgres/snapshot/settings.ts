/** What the keys `snapshot.*` ask for. */
import { ConfigError } from '@millrace/runtime/api';

import type { Config } from '../config/config.ts';
import { patterns } from '../config/filters.ts';
import type { NameFilter } from '../config/filters.ts';

export type SnapshotMode = 'initial' | 'always' | 'initial_only' | 'no_data' | 'when_needed' | 'configuration_based';

export interface SnapshotRules {
  /** Whether the tables are read at every start, until they were read whole once, or never. */
  readonly data: 'always' | 'once' | 'never';
  readonly stream: boolean;
  /** When changes that are needed are gone. */
  readonly whenGone: 'fail' | 'snapshot';
}

export interface SnapshotSettings {
  readonly snapshotMode: SnapshotMode;
  readonly snapshotRules: SnapshotRules;
  /** Which tables it reads. */
  readonly inSnapshot: NameFilter;
  readonly snapshotThreads: number;
  readonly snapshotIsolation: 'serializable' | 'repeatable_read' | 'read_committed' | 'read_uncommitted';
  readonly snapshotLocking: 'none' | 'shared';
  readonly snapshotLockTimeoutMs: number;
  readonly snapshotOrder: 'disabled' | 'ascending' | 'descending';
  readonly snapshotDelayMs: number;
  readonly streamingDelayMs: number;
}

const rules: Readonly<Record<Exclude<SnapshotMode, 'configuration_based'>, SnapshotRules>> = {
  initial: { data: 'once', stream: true, whenGone: 'fail' },
  always: { data: 'always', stream: true, whenGone: 'snapshot' },
  initial_only: { data: 'once', stream: false, whenGone: 'fail' },
  no_data: { data: 'never', stream: true, whenGone: 'fail' },
  when_needed: { data: 'once', stream: true, whenGone: 'snapshot' },
};

/** Throws a ConfigError for what does not go together. */
export function snapshotSettings(config: Config): SnapshotSettings {
  const lower = <T extends string>(
    key: 'snapshot.mode' | 'snapshot.isolation.mode' | 'snapshot.locking.mode' | 'snapshot.tables.order.by.row.count',
  ) => config[key].toLowerCase() as T;
  const mode = lower<SnapshotMode>('snapshot.mode');
  return {
    snapshotMode: mode,
    snapshotRules: mode === 'configuration_based' ? configuredRules(config) : rules[mode],
    inSnapshot: tableFilter(config['snapshot.include.collection.list']),
    snapshotThreads: config['snapshot.max.threads'],
    snapshotIsolation: lower('snapshot.isolation.mode'),
    snapshotLocking: lower('snapshot.locking.mode'),
    snapshotLockTimeoutMs: config['snapshot.lock.timeout.ms'],
    snapshotOrder: lower('snapshot.tables.order.by.row.count'),
    snapshotDelayMs: config['snapshot.delay.ms'],
    streamingDelayMs: config['streaming.delay.ms'],
  };
}

/** Each key by itself, as in io.debezium.snapshot.mode.ConfigurationBasedSnapshotter: the data at every start, or never. */
function configuredRules(config: Config): SnapshotRules {
  const prefix = 'snapshot.mode.configuration.based';
  const [data, stream] = [config[`${prefix}.snapshot.data`], config[`${prefix}.start.stream`]];
  if (!data && !stream) {
    throw new ConfigError(
      `snapshot.mode=configuration_based with neither ${prefix}.snapshot.data nor ${prefix}.start.stream does nothing.`,
      {
        hint: 'Set one of them to true.',
      },
    );
  }
  return { data: data ? 'always' : 'never', stream, whenGone: config[`${prefix}.snapshot.on.data.error`] ? 'snapshot' : 'fail' };
}

function tableFilter(list: readonly string[] | null): NameFilter {
  const include = patterns('snapshot.include.collection.list', list);
  return (name) => include.length === 0 || include.some((regex) => regex.test(name));
}
