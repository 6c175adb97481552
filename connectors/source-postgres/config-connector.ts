/** Keys of Debezium's group Connector: the snapshot, the queue, the form of values. */
import { defineConfig } from '@millrace/runtime/api';

import { atLeast, check, oneOf } from './config-rules.ts';

const snapshotMode = check((text) => {
  const modes = ['initial', 'always', 'initial_only', 'no_data', 'when_needed'];
  if (modes.includes(text.toLowerCase())) return undefined;
  if (text === 'never' || text === 'schema_only') return `"${text}" is no longer a mode: write "no_data", which streams without a snapshot`;
  return `"${text}" is not supported; choose one of ${modes.join(', ')}`;
});

export const connectorKeys = defineConfig({
  'publish.via.partition.root': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'Connector',
    doc: 'Whether changes of partitions appear as changes of their root table.',
  },
  'message.prefix.include.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'Regular expressions for the prefixes of logical decoding messages to read.',
  },
  'message.prefix.exclude.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'Regular expressions for the prefixes of logical decoding messages to leave out.',
  },
  'millrace.skip.origins': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'Replication origins whose transactions are left out, by name or as the beginning of names (millrace_*); * is any. For tables that a sink writes to, too: sink-postgres writes under millrace_<connector>_<task>.',
  },
  'extended.headers.enabled': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: 'Connector',
    doc: 'Whether records bear the __debezium.context headers.',
  },
  'decimal.handling.mode': {
    type: 'string',
    default: 'precise',
    rule: oneOf('precise', 'double', 'string'),
    importance: 'medium',
    group: 'Connector',
    doc: 'How numeric and money values appear.',
  },
  'money.fraction.digits': { type: 'short', default: 2, importance: 'low', group: 'Connector', doc: 'Fraction digits of money values.' },
  'time.precision.mode': {
    type: 'string',
    default: 'adaptive',
    rule: oneOf('adaptive', 'adaptive_time_microseconds', 'connect', 'microseconds', 'nanoseconds', 'isostring'),
    importance: 'medium',
    group: 'Connector',
    doc: 'How dates and times appear.',
  },
  'interval.handling.mode': {
    type: 'string',
    default: 'numeric',
    rule: oneOf('numeric', 'string'),
    importance: 'low',
    group: 'Connector',
    doc: 'How intervals appear.',
  },
  'binary.handling.mode': {
    type: 'string',
    default: 'bytes',
    rule: oneOf('bytes', 'base64', 'base64-url-safe', 'hex'),
    importance: 'low',
    group: 'Connector',
    doc: 'How bytea values appear.',
  },
  'hstore.handling.mode': {
    type: 'string',
    default: 'json',
    rule: oneOf('json', 'map'),
    importance: 'low',
    group: 'Connector',
    doc: 'How hstore values appear.',
  },
  'unavailable.value.placeholder': {
    type: 'string',
    default: '__debezium_unavailable_value',
    importance: 'medium',
    group: 'Connector',
    doc: 'Stands for a large value that PostgreSQL did not send, since it did not change.',
  },
  'snapshot.mode': {
    type: 'string',
    default: 'initial',
    rule: snapshotMode,
    importance: 'medium',
    group: 'Connector',
    doc: 'When the tables are read whole before streaming: initial, always, initial_only, no_data, when_needed.',
  },
  'snapshot.fetch.size': {
    type: 'int',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'Accepted; the snapshot is one COPY stream for each table, held back by max.queue.size.',
    noEffect: 'the snapshot is one COPY stream for each table, held back by max.queue.size',
  },
  'snapshot.include.collection.list': {
    type: 'list',
    default: null,
    importance: 'medium',
    group: 'Connector',
    doc: 'Regular expressions for the tables that the snapshot reads; by default all.',
  },
  'snapshot.delay.ms': {
    type: 'long',
    default: 0,
    rule: atLeast(0),
    importance: 'low',
    group: 'Connector',
    doc: 'Wait before the snapshot, in ms.',
  },
  'max.batch.size': {
    type: 'int',
    default: 2048,
    rule: atLeast(1),
    importance: 'medium',
    group: 'Connector',
    doc: 'The most records handed over at once.',
  },
  'max.queue.size': {
    type: 'int',
    default: 8192,
    rule: atLeast(1),
    importance: 'medium',
    group: 'Connector',
    doc: 'Reading from PostgreSQL pauses while so many records wait.',
  },
  'max.queue.size.in.bytes': {
    type: 'long',
    default: 0,
    rule: atLeast(0),
    importance: 'medium',
    group: 'Connector',
    doc: 'Reading from PostgreSQL pauses while records of so many bytes wait; 0 is without limit.',
  },
  'poll.interval.ms': {
    type: 'long',
    default: 500,
    rule: atLeast(1),
    importance: 'medium',
    group: 'Connector',
    doc: 'How long to wait for records before handing over none, in ms. Records never wait for it.',
  },
  'retriable.restart.connector.wait.ms': {
    type: 'long',
    default: 10_000,
    rule: atLeast(1),
    importance: 'low',
    group: 'Connector',
    doc: 'The longest wait between tries to connect again, in ms.',
  },
  'errors.max.retries': {
    type: 'int',
    default: -1,
    rule: atLeast(-1),
    importance: 'low',
    group: 'Connector',
    doc: 'How many failures in a row that may pass are tried again before the task fails; -1 is without limit, 0 is none.',
  },
  'connection.validation.timeout.ms': {
    type: 'long',
    default: 60_000,
    rule: atLeast(1),
    importance: 'low',
    group: 'Connector',
    doc: 'How long a connection may take to be made, and a stream may say nothing before it is made anew, in ms.',
  },
});
