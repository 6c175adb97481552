/** The keys that the connector acts on: Debezium's names, groups and defaults. */
import { defineConfig } from '@millrace/runtime/api';
import type { ConfigRule, ConfigValues } from '@millrace/runtime/api';

const oneOf = (...values: string[]): ConfigRule => ({ kind: 'one-of', values, ignoreCase: true });
const atLeast = (min: number): ConfigRule => ({ kind: 'range', min });
const check = (test: (text: string) => string | undefined): ConfigRule => ({
  kind: 'custom',
  check: (value) => (value === null || value === undefined ? undefined : test(String(value))),
});

const slotName = check((text) =>
  /^[a-z0-9_]{1,63}$/.test(text)
    ? undefined
    : 'Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63',
);
const topicPrefix = check((text) =>
  /^[A-Za-z0-9._-]+$/.test(text) ? undefined : 'only letters, digits, dots, underscores and hyphens may be in a topic name',
);
const snapshotMode = check((text) => {
  const modes = ['initial', 'always', 'initial_only', 'no_data', 'when_needed'];
  if (modes.includes(text.toLowerCase())) return undefined;
  if (text === 'never' || text === 'schema_only') return `"${text}" is no longer a mode: write "no_data", which streams without a snapshot`;
  return `"${text}" is not supported; choose one of ${modes.join(', ')}`;
});

export const config = defineConfig({
  'topic.prefix': { type: 'string', rule: topicPrefix, importance: 'high', group: 'Postgres', doc: 'Names this source: the first part of all its topics, and its key in the offsets. Never change it while offsets are to be kept.' },
  'database.hostname': { type: 'string', rule: { kind: 'not-empty' }, importance: 'high', group: 'Postgres', doc: 'Host name or address of the PostgreSQL server.' },
  'database.port': { type: 'int', default: 5432, rule: { kind: 'range', min: 1, max: 65_535 }, importance: 'high', group: 'Postgres', doc: 'Port of the PostgreSQL server.' },
  'database.user': { type: 'string', rule: { kind: 'not-empty' }, importance: 'high', group: 'Postgres', doc: 'User with LOGIN and REPLICATION, and SELECT on the tables.' },
  'database.password': { type: 'password', default: null, importance: 'high', group: 'Postgres', doc: 'Password of the user.' },
  'database.dbname': { type: 'string', rule: { kind: 'not-empty' }, importance: 'high', group: 'Postgres', doc: 'The database whose changes are read.' },
  'database.sslmode': { type: 'string', default: 'prefer', rule: oneOf('disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'), importance: 'medium', group: 'Postgres', doc: 'Whether the connection is encrypted, and what is checked; as libpq.' },
  'database.sslrootcert': { type: 'string', default: null, importance: 'medium', group: 'Postgres', doc: 'File with the authorities to trust (PEM).' },
  'database.sslcert': { type: 'string', default: null, importance: 'medium', group: 'Postgres', doc: 'File with the client certificate (PEM).' },
  'database.sslkey': { type: 'string', default: null, importance: 'medium', group: 'Postgres', doc: 'File with the key of the client certificate (PEM).' },
  'database.sslpassword': { type: 'password', default: null, importance: 'medium', group: 'Postgres', doc: 'Password of that key.' },
  'database.tcpKeepAlive': { type: 'boolean', default: true, importance: 'medium', group: 'Postgres', doc: 'Whether the connection sends TCP keep-alive probes.' },
  'database.initial.statements': { type: 'string', default: null, importance: 'low', group: 'Postgres', doc: 'SQL to run on each connection that is not for replication; statements are separated by semicolons.' },
  'database.query.timeout.ms': { type: 'int', default: 600_000, rule: atLeast(0), importance: 'low', group: 'Postgres', doc: 'How long a query of the catalog may take, in ms; 0 is without limit.' },
  'plugin.name': { type: 'string', default: 'decoderbufs', rule: oneOf('pgoutput', 'decoderbufs'), importance: 'medium', group: 'Postgres', doc: 'The output plugin. Only pgoutput, which PostgreSQL brings, is used; anything else is warned about.' },
  'slot.name': { type: 'string', default: 'debezium', rule: slotName, importance: 'medium', group: 'Postgres', doc: 'The replication slot; created when it does not exist.' },
  'slot.drop.on.stop': { type: 'boolean', default: false, importance: 'medium', group: 'Postgres', doc: 'Whether the slot is dropped when the connector stops. For tests: changes made meanwhile are lost.' },
  'slot.failover': { type: 'boolean', default: false, importance: 'medium', group: 'Postgres', doc: 'Whether a slot that is created is synchronised to standbys (PostgreSQL 17 and later).' },
  'slot.max.retries': { type: 'int', default: 6, rule: atLeast(0), importance: 'low', group: 'Postgres', doc: 'How often to try again while somebody else reads from the slot.' },
  'slot.retry.delay.ms': { type: 'long', default: 10_000, rule: atLeast(0), importance: 'low', group: 'Postgres', doc: 'Wait between those tries, in ms.' },
  'publication.name': { type: 'string', default: 'dbz_publication', rule: { kind: 'not-empty' }, importance: 'medium', group: 'Postgres', doc: 'The publication that says which tables are streamed.' },
  'publication.autocreate.mode': { type: 'string', default: 'all_tables', rule: oneOf('all_tables', 'filtered', 'disabled', 'no_tables'), importance: 'medium', group: 'Postgres', doc: 'What publication to make: of all tables (needs a superuser), of the tables that the filters choose, of none, or not to make one.' },
  'publish.via.partition.root': { type: 'boolean', default: false, importance: 'medium', group: 'Connector', doc: 'Whether changes of partitions appear as changes of their root table.' },
  'status.update.interval.ms': { type: 'int', default: 10_000, rule: atLeast(1), importance: 'medium', group: 'Postgres', doc: 'How often the position is reported to the server, in ms.' },
  'flush.lsn.source': { type: 'boolean', default: true, importance: 'low', group: 'Postgres', doc: 'Whether positions that are safely in the log are confirmed, so that PostgreSQL may recycle its WAL.' },
  'skipped.operations': { type: 'list', default: ['t'], importance: 'low', group: 'Postgres', doc: 'Operations to leave out: c, u, d, t, or none.' },
  'schema.include.list': { type: 'list', default: null, importance: 'high', group: 'Events', doc: 'Regular expressions for the schemas to read.' },
  'schema.exclude.list': { type: 'list', default: null, importance: 'medium', group: 'Events', doc: 'Regular expressions for the schemas to leave out.' },
  'table.include.list': { type: 'list', default: null, importance: 'high', group: 'Events', doc: 'Regular expressions for the tables (schema.table) to read.' },
  'table.exclude.list': { type: 'list', default: null, importance: 'medium', group: 'Events', doc: 'Regular expressions for the tables (schema.table) to leave out.' },
  'column.include.list': { type: 'list', default: null, importance: 'medium', group: 'Events', doc: 'Regular expressions for the columns (schema.table.column) to read.' },
  'column.exclude.list': { type: 'list', default: null, importance: 'medium', group: 'Events', doc: 'Regular expressions for the columns (schema.table.column) to leave out.' },
  'message.key.columns': { type: 'string', default: null, importance: 'medium', group: 'Events', doc: 'Keys of other columns than the primary key: schema.table:column,column;…' },
  'message.prefix.include.list': { type: 'list', default: null, importance: 'medium', group: 'Connector', doc: 'Regular expressions for the prefixes of logical decoding messages to read.' },
  'message.prefix.exclude.list': { type: 'list', default: null, importance: 'medium', group: 'Connector', doc: 'Regular expressions for the prefixes of logical decoding messages to leave out.' },
  'topic.delimiter': { type: 'string', default: '.', importance: 'medium', group: 'Events', doc: 'What stands between the parts of a topic name.' },
  'tombstones.on.delete': { type: 'boolean', default: true, importance: 'medium', group: 'Events', doc: 'Whether a delete is followed by a record without a value, for compaction.' },
  'extended.headers.enabled': { type: 'boolean', default: true, importance: 'low', group: 'Connector', doc: 'Whether records bear the __debezium.context headers.' },
  'decimal.handling.mode': { type: 'string', default: 'precise', rule: oneOf('precise', 'double', 'string'), importance: 'medium', group: 'Connector', doc: 'How numeric and money values appear.' },
  'money.fraction.digits': { type: 'short', default: 2, importance: 'low', group: 'Connector', doc: 'Fraction digits of money values.' },
  'time.precision.mode': { type: 'string', default: 'adaptive', rule: oneOf('adaptive', 'adaptive_time_microseconds', 'connect', 'microseconds', 'nanoseconds', 'isostring'), importance: 'medium', group: 'Connector', doc: 'How dates and times appear.' },
  'interval.handling.mode': { type: 'string', default: 'numeric', rule: oneOf('numeric', 'string'), importance: 'low', group: 'Connector', doc: 'How intervals appear.' },
  'binary.handling.mode': { type: 'string', default: 'bytes', rule: oneOf('bytes', 'base64', 'base64-url-safe', 'hex'), importance: 'low', group: 'Connector', doc: 'How bytea values appear.' },
  'hstore.handling.mode': { type: 'string', default: 'json', rule: oneOf('json', 'map'), importance: 'low', group: 'Connector', doc: 'How hstore values appear.' },
  'include.unknown.datatypes': { type: 'boolean', default: false, importance: 'medium', group: 'Events', doc: 'Whether columns of types without a form of their own appear as bytes, rather than not at all.' },
  'unavailable.value.placeholder': { type: 'string', default: '__debezium_unavailable_value', importance: 'medium', group: 'Connector', doc: 'Stands for a large value that PostgreSQL did not send, since it did not change.' },
  'snapshot.mode': { type: 'string', default: 'initial', rule: snapshotMode, importance: 'medium', group: 'Connector', doc: 'When the tables are read whole before streaming: initial, always, initial_only, no_data, when_needed.' },
  'snapshot.fetch.size': { type: 'int', default: null, importance: 'medium', group: 'Connector', doc: 'Accepted; the snapshot is one COPY stream for each table, held back by max.queue.size.' },
  'snapshot.include.collection.list': { type: 'list', default: null, importance: 'medium', group: 'Connector', doc: 'Regular expressions for the tables that the snapshot reads; by default all.' },
  'snapshot.delay.ms': { type: 'long', default: 0, rule: atLeast(0), importance: 'low', group: 'Connector', doc: 'Wait before the snapshot, in ms.' },
  'max.batch.size': { type: 'int', default: 2048, rule: atLeast(1), importance: 'medium', group: 'Connector', doc: 'The most records handed over at once.' },
  'max.queue.size': { type: 'int', default: 8192, rule: atLeast(1), importance: 'medium', group: 'Connector', doc: 'Reading from PostgreSQL pauses while so many records wait.' },
  'max.queue.size.in.bytes': { type: 'long', default: 0, rule: atLeast(0), importance: 'medium', group: 'Connector', doc: 'Reading from PostgreSQL pauses while records of so many bytes wait; 0 is without limit.' },
  'poll.interval.ms': { type: 'long', default: 500, rule: atLeast(1), importance: 'medium', group: 'Connector', doc: 'How long to wait for records before handing over none, in ms. Records never wait for it.' },
  'heartbeat.interval.ms': { type: 'int', default: 0, rule: atLeast(0), importance: 'medium', group: 'Events', doc: 'How often to send a heartbeat record, in ms; 0 is never.' },
  'topic.heartbeat.prefix': { type: 'string', default: null, importance: 'low', group: 'Events', doc: 'First part of the heartbeat topic; the newer name of heartbeat.topics.prefix.' },
  'heartbeat.topics.prefix': { type: 'string', default: '__debezium-heartbeat', importance: 'low', group: 'Events', doc: 'First part of the heartbeat topic.' },
  'heartbeat.action.query': { type: 'string', default: null, importance: 'low', group: 'Events', doc: 'SQL to run with each heartbeat.' },
  'retriable.restart.connector.wait.ms': { type: 'long', default: 10_000, rule: atLeast(1), importance: 'low', group: 'Connector', doc: 'The longest wait between tries to connect again, in ms.' },
  'connection.validation.timeout.ms': { type: 'long', default: 60_000, rule: atLeast(1), importance: 'low', group: 'Connector', doc: 'How long a connection may take to be made, in ms.' },
});

export type Config = ConfigValues<typeof config>;
