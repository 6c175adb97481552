/** Every key that the peers document is known, with their default, and told in the README. */
import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import type { ConfigDef, ConfigKey } from '@millrace/runtime/api';

import { ignoredParameters, parseAddress } from '../address.ts';
import { confluentConfig } from '../config-confluent.ts';
import { debeziumConfig } from '../config-debezium.ts';
import { readRaw } from '../raw-config.ts';
import { confluentSettings, debeziumSettings, driverParameter, settingsProblems } from '../settings.ts';

/** As https://docs.confluent.io/kafka-connectors/jdbc/current/sink-connector/sink_config_options.html lists them. */
const confluent = {
  'connection.attempts': 3,
  'connection.backoff.ms': 10_000,
  'connection.url': undefined,
  'connection.user': null,
  'connection.password': null,
  'jdbc.credentials.provider.class': 'io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider',
  'dialect.name': '',
  'insert.mode': 'insert',
  'batch.size': 3000,
  'delete.enabled': false,
  'table.types': ['TABLE'],
  'table.name.format': '${topic}',
  'pk.mode': 'none',
  'pk.fields': [],
  'fields.whitelist': [],
  'db.timezone': 'UTC',
  'date.timezone': 'DB_TIMEZONE',
  'date.calendar.system': 'LEGACY',
  'timestamp.precision.mode': 'microseconds',
  'timestamp.fields.list': [],
  'auto.create': false,
  'auto.evolve': false,
  'quote.sql.identifiers': 'ALWAYS',
  'mssql.use.merge.holdlock': true,
  'max.retries': 10,
  'retry.backoff.ms': 3000,
  'replace.null.with.default': true,
  'string.output.value.column.name': 'record_value',
  'trim.sensitive.log': false,
};

/** As https://debezium.io/documentation/reference/stable/connectors/jdbc.html lists them. */
const debezium = {
  'connection.provider': null,
  'connection.url': undefined,
  'connection.username': null,
  'connection.password': null,
  'connection.pool.min_size': 5,
  'connection.pool.max_size': 32,
  'connection.pool.acquire_increment': 32,
  'connection.pool.timeout': 1800,
  'connection.restart.on.errors': false,
  'use.time.zone': 'UTC',
  'delete.enabled': false,
  'truncate.enabled': false,
  'insert.mode': 'insert',
  'primary.key.mode': 'none',
  'primary.key.fields': [],
  'quote.identifiers': false,
  'schema.evolution': 'none',
  'collection.name.format': '${topic}',
  'dialect.postgres.postgis.schema': 'public',
  'dialect.postgres.unnest.insert.enabled': false,
  'dialect.sqlserver.identity.insert': false,
  'batch.size': 500,
  'use.reduction.buffer': false,
  'field.include.list': [],
  'field.exclude.list': [],
  'flush.max.retries': 5,
  'flush.retry.delay.ms': 1000,
  'column.naming.strategy': 'io.debezium.sink.naming.DefaultColumnNamingStrategy',
  'collection.naming.strategy': 'io.debezium.sink.naming.DefaultCollectionNamingStrategy',
};

const defaultOf = (def: ConfigDef, key: string): unknown => {
  ok(key in def, `${key} is not known`);
  return (def[key] as ConfigKey).default;
};

describe('config', () => {
  for (const [peer, documented, def] of [
    ['Confluent', confluent, confluentConfig],
    ['Debezium', debezium, debeziumConfig],
  ] as const) {
    it(`has the keys that ${peer} documents, with their defaults`, () => {
      for (const [key, value] of Object.entries(documented)) deepEqual(defaultOf(def, key), value, key);
    });
    it(`has each key of ${peer}'s connector in the README, and what has no effect there as such`, () => {
      const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
      for (const [key, { noEffect }] of Object.entries<ConfigKey>(def)) {
        const lines = readme.split('\n').filter((line) => line.startsWith(`| \`${key}\` |`));
        ok(
          lines.some((line) => line.endsWith(noEffect === undefined ? ' |' : '| no effect, warned |')),
          key,
        );
      }
    });
  }

  it('takes keys connection.… of no other meaning as parameters of the driver', () => {
    equal(driverParameter('connection.loginTimeout'), 'loginTimeout');
    equal(driverParameter('connection.backoff.ms'), undefined);
    const raw = { 'connection.url': 'jdbc:postgresql://h/d?sslmode=disable', 'connection.sslmode': 'require', 'connection.oracle.x': '1' };
    const { address } = confluentSettings(readRaw(confluentConfig, raw), raw);
    equal(address.parameters['sslmode'], 'require');
    deepEqual(ignoredParameters(address), ['oracle.x']);
  });

  it('names what does not go together by the names of the peer', () => {
    const problemsOf = (more: Readonly<Record<string, string>>) => {
      const raw = { 'connection.url': 'jdbc:postgresql://h/d', ...more };
      return [
        settingsProblems(confluentSettings(readRaw(confluentConfig, raw), raw), raw),
        settingsProblems(debeziumSettings(readRaw(debeziumConfig, raw), raw), raw),
      ].map((problems) => problems.map(({ message }) => message).join(' '));
    };
    const [ours, theirs] = problemsOf({ 'insert.mode': 'upsert' });
    match(ours ?? '', /Set pk\.mode/);
    match(theirs ?? '', /Set primary\.key\.mode/);
    deepEqual(problemsOf({ 'insert.mode': 'upsert', 'pk.mode': 'kafka', 'primary.key.mode': 'record_header' }), ['', '']);
    match(problemsOf({ 'pk.mode': 'kafka', 'pk.fields': 'a,b' })[0] ?? '', /three columns/);
    match(problemsOf({ 'delete.enabled': 'true', 'pk.mode': 'record_value' })[0] ?? '', /set pk\.mode=record_key/);
  });
});

describe('connection.url', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['jdbc:postgresql://localhost/db', { hosts: [{ host: 'localhost', port: 5432 }], database: 'db', parameters: {} }],
    ['jdbc:postgresql:db', { hosts: [{ host: 'localhost', port: 5432 }], database: 'db', parameters: {} }],
    ['jdbc:postgresql://h:1/', { hosts: [{ host: 'h', port: 1 }], database: null, parameters: {} }],
    [
      'jdbc:postgresql://a:1,[::1]:2/my%20db?user=u&password=p%26q&ssl',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
        ],
        database: 'my db',
        parameters: { user: 'u', password: 'p&q', ssl: '' },
      },
    ],
    ['postgres://u:p@h/d', { hosts: [{ host: 'h', port: 5432 }], database: 'd', parameters: { user: 'u', password: 'p' } }],
  ];
  for (const [url, expected] of cases) it(url, () => deepEqual(parseAddress(url), expected));

  it('never shows itself in an error', () => {
    for (const url of ['jdbc:mysql://h/d?password=hush', 'jdbc:postgresql://u:hush@h/d', 'hush', 'jdbc:oracle:thin:@hush'])
      throws(
        () => parseAddress(url),
        (error: Error) => !error.message.includes('hush'),
      );
  });
});
