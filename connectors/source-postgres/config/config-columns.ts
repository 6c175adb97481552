/** Keys of Debezium that say how columns, schemas and topics are named, and what of a column is told. */
import { defineConfig } from '@millrace/runtime/api';

import { atLeast, check, oneOf } from './config-rules.ts';

/** Debezium's own strategies; others are Java classes that somebody wrote. */
export const topicNamingClasses: readonly string[] = [
  'Schema',
  'Default',
  'SchemaUnicode',
  'DefaultUnicode',
  'SchemaRegex',
  'DefaultRegex',
].map((name) => `io.debezium.schema.${name}TopicNamingStrategy`);

const adjustment = oneOf('none', 'avro', 'avro_unicode');
const knownStrategy = check((name) =>
  topicNamingClasses.includes(name)
    ? undefined
    : `is a Java class, which cannot be run here; choose one of ${topicNamingClasses.join(', ')}`,
);

export const columnKeys = defineConfig({
  'column.propagate.source.type': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Regular expressions for the columns (schema.table.column) whose type in the database stands in their schema.',
  },
  'datatype.propagate.source.type': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Regular expressions for the types (schema.table.type) whose columns tell their type in their schema.',
  },
  'include.schema.comments': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Events',
    doc: 'Accepted; as in Debezium, comments of PostgreSQL reach no schema.',
    noEffect: 'as in Debezium, comments of PostgreSQL reach no schema',
  },
  'schema.name.adjustment.mode': {
    type: 'string',
    default: 'none',
    rule: adjustment,
    importance: 'low',
    group: 'Connector',
    doc: 'How names of schemas are made fit for Avro: none, avro, avro_unicode.',
  },
  'field.name.adjustment.mode': {
    type: 'string',
    default: 'none',
    rule: adjustment,
    importance: 'low',
    group: 'Connector',
    doc: 'How names of fields are made fit for Avro: none, avro, avro_unicode.',
  },
  'topic.naming.strategy': {
    type: 'class',
    default: 'io.debezium.schema.SchemaTopicNamingStrategy',
    rule: knownStrategy,
    importance: 'medium',
    group: 'Events',
    doc: 'How topics are named: one of Debezium’s own strategies.',
  },
  'topic.cache.size': {
    type: 'int',
    default: 10_000,
    rule: atLeast(1),
    importance: 'low',
    group: 'Events',
    doc: 'Accepted; each table’s topic is kept.',
    noEffect: 'the name of each table’s topic is kept anyway',
  },
  'topic.regex': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'For the Regex strategies: matched against the topic that a table would have.',
  },
  'topic.replacement': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'For the Regex strategies: the topic instead, with $1 or ${name} for groups.',
  },
  'topic.key.enforce.uniqueness': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: 'Events',
    doc: 'For the Regex strategies: whether keys get a field that tells tables apart.',
  },
  'topic.key.field.name': {
    type: 'string',
    default: '__dbz__physicalTableIdentifier',
    importance: 'low',
    group: 'Events',
    doc: 'For the Regex strategies: the name of that field.',
  },
  'topic.key.field.regex': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'For the Regex strategies: matched against the topic that a table would have, for that field’s value.',
  },
  'topic.key.field.replacement': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Events',
    doc: 'For the Regex strategies: that value, with $1 or ${name} for groups.',
  },
  'snapshot.select.statement.overrides': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Events',
    doc: 'Tables (schema.table) of which a snapshot reads what the key snapshot.select.statement.overrides.<table> selects.',
  },
  'skip.messages.without.change': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'Whether updates that change none of the columns that are read are left out; tables need REPLICA IDENTITY FULL.',
  },
  'replica.identity.autoset.values': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'Postgres',
    doc: 'Replica identities to set: schema.table:FULL, DEFAULT, NOTHING or INDEX name; separated by commas.',
  },
  'table.ignore.builtin': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: 'Events',
    doc: 'Accepted; tables of PostgreSQL itself are never read.',
    noEffect: 'PostgreSQL publishes no changes of its own tables, which are never read',
  },
});
