import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ConfigError, RetriableError } from '@millrace/runtime/api';

import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { Database, PostgresServer } from '../../../test/services/postgres.ts';
import { configValues, rawConfig, runTask, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';
import source from '../index.ts';

let server: PostgresServer;
let database: Database;
before(async () => {
  server = await startPostgres({ auth: 'scram-sha-256' });
  database = await createDatabase(server, 'errors');
  await sql(
    database,
    'create table t (id int primary key)',
    'insert into t values (1)',
    `create role plain login password 'plain'`,
    `create role replicator login replication password 'replicator'`,
    'create publication given for table t',
  );
});
after(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** Starts a task and polls until it fails. */
async function failure(more: RawConfig, offset?: Record<string, number | string>): Promise<Error> {
  const raw = rawConfig(database, more);
  let running;
  try {
    running = await runTask(raw, { offset });
    await running.until(() => false, 15_000);
  } catch (error) {
    return error as Error;
  } finally {
    await running?.[Symbol.asyncDispose]();
    await sql(
      database,
      `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${raw['slot.name']}' and not active`,
    );
  }
  throw new Error('it did not fail');
}

const streamed = { lsn: 100, lsn_proc: 100, lsn_commit: 100, messageType: 'INSERT', txId: 1, ts_usec: 1 };

const table: readonly {
  name: string;
  config: RawConfig;
  offset?: Record<string, number | string>;
  kind: typeof ConfigError;
  message: RegExp;
}[] = [
  {
    name: 'a wrong password',
    config: { 'database.password': 'wrong' },
    kind: ConfigError,
    message: /password authentication failed.*Check database.user and database.password/,
  },
  {
    name: 'an unknown database',
    config: { 'database.dbname': 'nowhere' },
    kind: ConfigError,
    message: /"nowhere" does not exist.*Check database.dbname/,
  },
  { name: 'nobody there', config: { 'database.port': '1' }, kind: RetriableError, message: /ECONNREFUSED.*Check that PostgreSQL runs/ },
  {
    name: 'an unknown host',
    config: { 'database.hostname': 'nowhere.invalid' },
    kind: ConfigError,
    message: /nowhere.invalid.*Check database.hostname|EAI_AGAIN/,
  },
  {
    name: 'no right to replicate',
    config: { 'database.user': 'plain', 'database.password': 'plain' },
    kind: ConfigError,
    message: /user "plain" may not replicate.*ALTER ROLE/,
  },
  {
    name: 'no right to publish all tables',
    config: { 'database.user': 'replicator', 'database.password': 'replicator', 'publication.autocreate.mode': 'all_tables' },
    kind: ConfigError,
    message: /publication "pub" for all tables.*filtered/,
  },
  {
    name: 'no right to read',
    config: {
      'database.user': 'replicator',
      'database.password': 'replicator',
      'publication.name': 'given',
      'publication.autocreate.mode': 'disabled',
    },
    kind: ConfigError,
    message: /read table public.t for the snapshot: permission denied.*Grant/,
  },
  {
    name: 'no publication',
    config: { 'publication.autocreate.mode': 'disabled' },
    kind: ConfigError,
    message: /publication "pub" does not exist.*CREATE PUBLICATION/,
  },
  {
    name: 'no table',
    config: { 'table.include.list': 'public.missing' },
    kind: ConfigError,
    message: /No table filters found for filtered publication pub.*table.include.list/,
  },
  { name: 'a slot that is gone', config: {}, offset: streamed, kind: ConfigError, message: /slot "[^"]+" does not exist.*when_needed/ },
  {
    name: 'a mask that is none',
    config: { 'column.mask.with.five.chars': 'public.t.id' },
    kind: ConfigError,
    message: /column.mask.with….*values would be published whole.*column.mask.with.N.chars/,
  },
  {
    name: 'two lists',
    config: { 'table.include.list': 'a.b', 'table.exclude.list': 'c.d' },
    kind: ConfigError,
    message: /table.include.list and table.exclude.list are both set/,
  },
  {
    name: 'no pattern',
    config: { 'table.include.list': 'public.(t' },
    kind: ConfigError,
    message: /table.include.list: "public.\(t" is not a regular expression/,
  },
];

describe('what is wrong is said, and what to do', () => {
  for (const { name, config, offset, kind, message } of table) {
    test(name, async () => {
      const error = await failure(config, offset);
      assert.match(error.message, message);
      assert.ok(error instanceof kind, `${error.name}: ${error.message}`);
    });
  }

  test('a slot of another plugin, of a physical kind', async () => {
    const raw = rawConfig(database);
    await sql(database, `select pg_create_logical_replication_slot('${raw['slot.name']}', 'test_decoding')`);
    assert.match((await failure({})).message, /uses plugin "test_decoding".*Choose another slot.name/);
    await sql(database, `select pg_create_physical_replication_slot('${raw['slot.name']}')`);
    assert.match((await failure({})).message, /is a physical one/);
  });

  test('a slot that somebody else reads', async () => {
    await using first = await runTask(rawConfig(database));
    await first.until(() => first.logs.some((line) => line.includes('streaming from')));
    const busy = { 'snapshot.mode': 'no_data', 'slot.max.retries': '2', 'slot.retry.delay.ms': '50' };
    const error = await failure({ ...busy, 'errors.max.retries': '0' });
    assert.match(error.message, /is active for PID \d+.*Stop who else reads from the slot.*errors.max.retries/);
    // By default it waits for ever, says so, and goes on when the other is gone.
    await using second = await runTask(rawConfig(database, { ...busy, 'retriable.restart.connector.wait.ms': '100' }));
    await second.until(() => second.logs.filter((line) => line.includes('Trying again')).length > 4);
    assert.match(second.notes.at(-1) ?? '', /is active for PID \d+.*It fails since .*; try \d+ comes at \d{4}-/);
    await first[Symbol.asyncDispose]();
    await second.until(() => second.notes.at(-1) === undefined);
  });

  test('a publication that is dropped while streaming', async () => {
    const raw = rawConfig(database, { 'publication.name': 'dropped' });
    await using running = await runTask(raw);
    await running.until(() => running.logs.some((line) => line.includes('streaming from')));
    await sql(database, 'drop publication dropped', 'insert into t values (77)');
    await assert.rejects(
      running.until(() => false, 15_000),
      /publication.*dropped.*Create the publication/s,
    );
  });

  test('wal_level', async () => {
    await using plain = await startPostgres({ flags: ['-c', 'wal_level=replica'] });
    await assert.rejects(runTask(rawConfig(plain)), /wal_level property must be 'logical' but is: 'replica'.*restart PostgreSQL/);
    const problems = await source.validate?.(configValues(rawConfig(plain)), rawConfig(plain));
    assert.match(problems?.[0]?.message ?? '', /wal_level/);
  });

  test('no slot left', async () => {
    await using plain = await startPostgres({ flags: ['-c', 'max_replication_slots=1'] });
    await sql(plain, 'create table t (id int primary key)', `select pg_create_physical_replication_slot('taken')`);
    await using running = await runTask(rawConfig(plain));
    await assert.rejects(
      running.until(() => false, 15_000),
      /max_replication_slots/,
    );
  });

  test('a slot that lost its WAL, and when_needed', async () => {
    await using small = await startPostgres({
      flags: ['-c', 'max_slot_wal_keep_size=1MB', '-c', 'max_wal_size=32MB', '-c', 'min_wal_size=32MB'],
    });
    await sql(small, 'create table t (id int primary key)', 'insert into t values (1)', 'create table filler (x text)');
    const raw = rawConfig(small, { 'table.include.list': 'public.t' });
    let offset;
    {
      await using running = await runTask(raw);
      await running.count(1);
      await running.until(() => running.logs.some((line) => line.includes('streaming from')));
      offset = running.records[0]?.sourceOffset;
    }
    for (let i = 0; i < 4; i++)
      await sql(
        small,
        `insert into filler select repeat('x', 1000) from generate_series(1, 20000)`,
        'select pg_switch_wal()',
        'checkpoint',
      );
    await assert.rejects(runTask(raw, { offset }), /lost WAL that it still needed.*when_needed/);
    await using anew = await runTask({ ...raw, 'snapshot.mode': 'when_needed' }, { offset });
    await anew.count(1);
    await sql(small, 'insert into t values (2)');
    await anew.count(2);
  });
});

describe('validation', () => {
  const cases: readonly [key: string, config: RawConfig, message: RegExp][] = [
    ['database.user', { 'database.password': 'wrong' }, /Error while validating connector config: .*password authentication failed/],
    ['database.dbname', { 'database.dbname': 'nowhere' }, /does not exist/],
    ['database.hostname', { 'database.port': '1' }, /ECONNREFUSED/],
    ['database.user', { 'database.user': 'plain', 'database.password': 'plain' }, /may not replicate/],
    ['table.include.list', { 'table.include.list': 'public.missing' }, /No table filters found/],
    ['column.mask.hash.v2.ROT13.with.salt.x', { 'column.mask.hash.v2.ROT13.with.salt.x': 'a.b.c' }, /no hash of that name/],
    ['column.mask.with.five.chars', { 'column.mask.with.five.chars': 'a.b.c' }, /no mask/],
    ['converters', { converters: 'mine' }, /names Java classes, which cannot be run here/],
    ['message.key.columns', { 'message.key.columns': 'nonsense' }, /not of the form/],
  ];
  for (const [key, config, message] of cases) {
    test(`${key}: ${String(message)}`, async () => {
      const raw = rawConfig(database, config);
      const problems = await source.validate?.(configValues(raw), raw);
      assert.equal(problems?.[0]?.key, key);
      assert.match(problems?.[0]?.message ?? '', message);
    });
  }
  test('nothing to say', async () => {
    const raw = rawConfig(database);
    assert.deepEqual(await source.validate?.(configValues(raw), raw), []);
  });
});
