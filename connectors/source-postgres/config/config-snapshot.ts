/** Debezium's keys of the initial snapshot, in its groups Connector and Events. */
import { defineConfig } from '@millrace/runtime/api';

import { atLeast, check, oneOf } from './config-rules.ts';

const snapshotMode = check((text) => {
  const modes = ['initial', 'always', 'initial_only', 'no_data', 'when_needed', 'configuration_based'];
  if (modes.includes(text.toLowerCase())) return undefined;
  if (text === 'never' || text === 'schema_only') return `"${text}" is no longer a mode: write "no_data", which streams without a snapshot`;
  if (text === 'custom') return '"custom" names a Java class, which is not supported; configuration_based chooses its steps one by one';
  return `"${text}" is not supported; choose one of ${modes.join(', ')}`;
});

export const snapshotKeys = defineConfig({
  'snapshot.mode': {
    type: 'string',
    default: 'initial',
    rule: snapshotMode,
    importance: 'medium',
    group: 'Connector',
    doc: 'When the tables are read whole before streaming: initial, always, initial_only, no_data, when_needed, configuration_based.',
  },
  'snapshot.mode.configuration.based.snapshot.data': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'With snapshot.mode=configuration_based: whether each start reads the tables whole.',
  },
  'snapshot.mode.configuration.based.snapshot.schema': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'Accepted; PostgreSQL tells what tables look like whenever it is asked.',
    noEffect: 'PostgreSQL tells what tables look like whenever it is asked',
  },
  'snapshot.mode.configuration.based.start.stream': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'With snapshot.mode=configuration_based: whether changes are streamed.',
  },
  'snapshot.mode.configuration.based.snapshot.on.schema.error': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'Accepted; there is no history of schemas that could be missing.',
    noEffect: 'there is no history of schemas that could be missing',
  },
  'snapshot.mode.configuration.based.snapshot.on.data.error': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'With snapshot.mode=configuration_based: whether the tables are read whole when changes are gone that were not read.',
  },
  'snapshot.max.threads': {
    type: 'int',
    default: 1,
    rule: atLeast(1),
    importance: 'medium',
    group: 'Connector',
    doc: 'How many connections read at once, all on one snapshot; large tables are split between them (PostgreSQL 14 and later).',
  },
  'snapshot.isolation.mode': {
    type: 'string',
    default: 'serializable',
    rule: oneOf('serializable', 'repeatable_read', 'read_committed', 'read_uncommitted'),
    importance: 'low',
    group: 'Connector',
    doc: 'Never less than repeatable_read, by which readers share one snapshot; serializable waits for a safe moment where no slot gives one (initial_only).',
  },
  'snapshot.locking.mode': {
    type: 'string',
    default: 'none',
    rule: oneOf('none', 'shared'),
    importance: 'low',
    group: 'Connector',
    doc: 'shared: no table can be dropped, altered or rewritten from the beginning of the snapshot to its end.',
  },
  'snapshot.lock.timeout.ms': {
    type: 'long',
    default: 10_000,
    rule: atLeast(0),
    importance: 'medium',
    group: 'Connector',
    doc: 'How long to wait for those locks, in ms.',
  },
  'snapshot.tables.order.by.row.count': {
    type: 'string',
    default: 'disabled',
    rule: oneOf('disabled', 'ascending', 'descending'),
    importance: 'medium',
    group: 'Events',
    doc: 'Whether tables are read in the order of their (estimated) rows, rather than of table.include.list.',
  },
  'snapshot.include.collection.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'Regular expressions for the tables that the snapshot reads; by default all.',
  },
  'snapshot.fetch.size': {
    type: 'int',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'Accepted; the snapshot is read by COPY, held back by max.queue.size.',
    noEffect: 'the snapshot is read by COPY, held back by max.queue.size',
  },
  'query.fetch.size': {
    type: 'int',
    default: 0,
    importance: 'medium',
    group: 'Connector',
    doc: 'Accepted; rows are read by COPY, held back by max.queue.size.',
    noEffect: 'rows are read by COPY, held back by max.queue.size',
  },
  'snapshot.delay.ms': {
    type: 'long',
    default: 0,
    rule: atLeast(0),
    importance: 'low',
    group: 'Connector',
    doc: 'Wait before the snapshot, in ms.',
  },
  'streaming.delay.ms': {
    type: 'long',
    default: 0,
    rule: atLeast(0),
    importance: 'low',
    group: 'Connector',
    doc: 'Wait between the snapshot and the stream, in ms.',
  },
});
