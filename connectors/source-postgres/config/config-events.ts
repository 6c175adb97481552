/** Keys of Debezium's group Events: which rows become which records. */
import { defineConfig } from '@millrace/runtime/api';

import { atLeast, check } from './config-rules.ts';

export const eventKeys = defineConfig({
  'schema.include.list': {
    type: 'list',
    default: null,
    importance: 'high',
    group: 'Events',
    doc: 'Regular expressions for the schemas to read.',
  },
  'schema.exclude.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Regular expressions for the schemas to leave out.',
  },
  'table.include.list': {
    type: 'list',
    default: null,
    importance: 'high',
    group: 'Events',
    doc: 'Regular expressions for the tables (schema.table) to read.',
  },
  'table.exclude.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Regular expressions for the tables (schema.table) to leave out.',
  },
  'column.include.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Regular expressions for the columns (schema.table.column) to read.',
  },
  'column.exclude.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Regular expressions for the columns (schema.table.column) to leave out.',
  },
  'message.key.columns': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Keys of other columns than the primary key: schema.table:column,column;…',
  },
  'topic.delimiter': {
    type: 'string',
    default: '.',
    rule: check((text) =>
      /^[A-Za-z0-9._-]*$/.test(text) ? undefined : 'only letters, digits, dots, underscores and hyphens may be in a topic name',
    ),
    importance: 'medium',
    group: 'Events',
    doc: 'What stands between the parts of a topic name.',
  },
  'tombstones.on.delete': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    group: 'Events',
    doc: 'Whether a delete is followed by a record without a value, for compaction.',
  },
  'include.unknown.datatypes': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Events',
    doc: 'Whether columns of types without a form of their own appear as bytes, rather than not at all.',
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 0,
    rule: atLeast(0),
    importance: 'medium',
    group: 'Events',
    doc: 'How often to send a heartbeat record, in ms; 0 is never.',
  },
  'topic.heartbeat.prefix': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'First part of the heartbeat topic; the newer name of heartbeat.topics.prefix.',
  },
  'heartbeat.topics.prefix': {
    type: 'string',
    default: '__debezium-heartbeat',
    importance: 'low',
    group: 'Events',
    doc: 'First part of the heartbeat topic.',
  },
  'topic.transaction': {
    type: 'string',
    default: 'transaction',
    importance: 'low',
    group: 'Events',
    doc: 'Last part of the name of the topic of transactions.',
  },
  'post.processors': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'Names of post-processors, of which io.debezium.processors.reselect.ReselectColumnsPostProcessor is known: NAME.type, NAME.reselect.…',
  },
  'heartbeat.action.query': { type: 'string', default: null, importance: 'low', group: 'Events', doc: 'SQL to run with each heartbeat.' },
});
