/** The keys of Debezium's JdbcSinkConnector: its names and defaults. Source: io.debezium.connector.jdbc.JdbcSinkConnectorConfig. */
import { defineConfig } from '@millrace/runtime/api';
import type { ConfigKey, ConfigValues } from '@millrace/runtime/api';

import { atLeast, check, onlyDefault, oneOf, timeZone } from './config-rules.ts';
import { sharedKeys } from './config-shared.ts';

const forOthers = (type: 'string' | 'boolean', fallback: string | boolean | null, system: string) =>
  ({
    type,
    default: fallback,
    importance: 'low',
    group: 'Connector Advanced',
    doc: `For ${system}.`,
    noEffect: `it is for ${system}`,
  }) satisfies ConfigKey;

const pool = (fallback: number) =>
  ({
    type: 'int',
    default: fallback,
    importance: 'low',
    group: 'Connection',
    doc: 'Accepted; a task has one connection.',
    noEffect: 'a task has one connection',
  }) satisfies ConfigKey;

const namingClass = 'Use table.name.format or a transform.';

export const debeziumConfig = defineConfig({
  ...sharedKeys,
  'connection.username': { type: 'string', default: null, importance: 'high', group: 'Connection', doc: 'Name of the database user.' },
  'connection.provider': { ...forOthers('string', null, 'the JVM'), noEffect: 'a task has one connection of its own' },
  'connection.pool.min_size': pool(5),
  'connection.pool.max_size': pool(32),
  'connection.pool.acquire_increment': pool(32),
  'connection.pool.timeout': pool(1800),
  'connection.restart.on.errors': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Connector Advanced',
    doc: 'Accepted; a lost connection is always made again, and what was not written is written then.',
    noEffect: 'a lost connection is always made again',
  },
  'insert.mode': {
    type: 'string',
    default: 'insert',
    rule: oneOf('insert', 'upsert', 'update'),
    importance: 'low',
    group: 'Connector',
    doc: 'insert: rows are added (COPY), and changed by key where an event says so. upsert: added, or replaced by key. update: changed by key.',
  },
  'delete.enabled': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Connector',
    doc: 'Whether delete events and tombstones delete rows. Needs primary.key.mode.',
  },
  'truncate.enabled': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Connector',
    doc: 'Whether truncate events empty the table.',
  },
  'collection.name.format': {
    type: 'string',
    default: '${topic}',
    importance: 'medium',
    group: 'Connector',
    doc: 'Name of the table; may hold ${topic} (its dots become underscores) and ${source.FIELD}, such as ${source.table}.',
  },
  'table.name.format': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Connector',
    doc: 'The older name of collection.name.format.',
  },
  'collection.table.format': {
    type: 'string',
    default: '${table}',
    importance: 'low',
    group: 'Connector',
    doc: 'For collection.naming.strategy classes of the JVM.',
    noEffect: 'Debezium itself does not read it; use collection.name.format',
  },
  'collection.naming.strategy': {
    type: 'string',
    default: 'io.debezium.sink.naming.DefaultCollectionNamingStrategy',
    rule: oneOf(
      'io.debezium.sink.naming.DefaultCollectionNamingStrategy',
      'io.debezium.connector.jdbc.naming.DefaultCollectionNamingStrategy',
      'io.debezium.connector.jdbc.naming.DefaultTableNamingStrategy',
      'io.debezium.sink.naming.PassthroughCollectionNamingStrategy',
    ),
    importance: 'low',
    group: 'Connector Advanced',
    doc: "Debezium's default (dots become underscores) or its Passthrough strategy (names as they are).",
  },
  'table.naming.strategy': {
    type: 'string',
    default: null,
    rule: check((text) =>
      /\.Default(Table|Collection)NamingStrategy$/.test(text) ? undefined : `"${text}" cannot run here. ${namingClass}`,
    ),
    importance: 'low',
    group: 'Connector Advanced',
    doc: 'The older name of collection.naming.strategy.',
  },
  'column.naming.strategy': {
    type: 'string',
    default: 'io.debezium.sink.naming.DefaultColumnNamingStrategy',
    rule: check((text) =>
      text.endsWith('.DefaultColumnNamingStrategy') ? undefined : `"${text}" cannot run here. Use the transform ReplaceField.`,
    ),
    importance: 'low',
    group: 'Connector Advanced',
    doc: 'Only the default: a column is called as its field.',
  },
  'primary.key.mode': {
    type: 'string',
    default: 'none',
    rule: oneOf('none', 'kafka', 'record_key', 'record_value', 'record_header'),
    importance: 'high',
    group: 'Connector',
    doc: "Where the primary key comes from: nowhere, topic, partition and offset, the record's key, its value, or its headers.",
  },
  'primary.key.fields': {
    type: 'list',
    default: [],
    importance: 'low',
    group: 'Connector',
    doc: 'Names of the fields of the primary key; by default all. For a primitive key, the name of its column.',
  },
  'schema.evolution': {
    type: 'string',
    default: 'none',
    rule: oneOf('none', 'basic', 'validate-only'),
    importance: 'low',
    group: 'Connector',
    doc: 'basic: missing tables are created and missing columns added. none, validate-only: they are not.',
  },
  'quote.identifiers': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Connector',
    doc: 'Whether names are taken as they are; otherwise in lower case, as PostgreSQL reads names without quotes.',
  },
  'use.time.zone': {
    type: 'string',
    default: 'UTC',
    rule: timeZone,
    importance: 'medium',
    group: 'Connector',
    doc: 'Time zone in which moments are written into columns without one.',
  },
  'database.time_zone': {
    type: 'string',
    default: null,
    rule: timeZone,
    importance: 'low',
    group: 'Connector',
    doc: 'The older name of use.time.zone.',
  },
  'batch.size': {
    type: 'int',
    default: 500,
    rule: atLeast(1),
    importance: 'medium',
    group: 'Connector Advanced',
    doc: 'The most rows in one statement (COPY takes any number). A transaction takes what came while the one before was on its way, up to 10,000, or that if it is more.',
  },
  'use.reduction.buffer': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'Accepted; records of one key are always brought together within a transaction.',
    noEffect: 'records of one key are always brought together within a transaction',
  },
  'keyed.message.batch.mode': {
    type: 'string',
    default: 'deduplication',
    rule: oneOf('deduplication', 'passthrough'),
    importance: 'medium',
    group: 'Connector Advanced',
    doc: 'Accepted; records of one key are always brought together within a transaction.',
    noEffect: 'records of one key are always brought together within a transaction',
  },
  'field.include.list': {
    type: 'list',
    default: [],
    importance: 'medium',
    group: 'Filters',
    doc: 'Fields to write, as FIELD or TOPIC:FIELD; by default all.',
  },
  'field.exclude.list': {
    type: 'list',
    default: [],
    importance: 'medium',
    group: 'Filters',
    doc: 'Fields to leave out, as FIELD or TOPIC:FIELD.',
  },
  'flush.max.retries': {
    type: 'int',
    default: 5,
    rule: atLeast(0),
    importance: 'low',
    group: 'Connector Advanced',
    doc: 'How often a transaction is tried again after an error that may pass. A target that cannot be reached counts only where this is set.',
  },
  'flush.retry.delay.ms': {
    type: 'long',
    default: 1000,
    rule: atLeast(0),
    importance: 'low',
    group: 'Connector Advanced',
    doc: 'Wait before such a try, in ms.',
  },
  'dialect.postgres.postgis.schema': {
    type: 'string',
    default: 'public',
    importance: 'low',
    group: 'Connector Advanced',
    doc: 'Schema of the PostGIS extension, for geometry columns that are created.',
  },
  'dialect.postgres.unnest.insert.enabled': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector Advanced',
    doc: 'Accepted; rows are always written many at a time.',
    noEffect: 'rows are always written many at a time',
  },
  'dialect.sqlserver.identity.insert': forOthers('boolean', false, 'SQL Server'),
  'dialect.starrocks.catalog.name': forOthers('string', null, 'StarRocks'),
  'cloud.events.schema.name.pattern': {
    type: 'string',
    default: '.*CloudEvents\\.Envelope$',
    rule: onlyDefault('.*CloudEvents\\.Envelope$', 'CloudEvents are not taken apart; use a transform.'),
    importance: 'low',
    group: 'Connector Advanced',
    doc: 'CloudEvents are not taken apart.',
  },
  'enable.sces': { ...forOthers('boolean', false, 'the JVM'), noEffect: 'bad records always go to the error path', internal: true },
  'internal.enable.sces': {
    ...forOthers('boolean', false, 'the JVM'),
    noEffect: 'bad records always go to the error path',
    internal: true,
  },
});

export type DebeziumConfig = ConfigValues<typeof debeziumConfig>;
