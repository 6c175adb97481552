import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';

import pg from 'pg';

import { createDatabase, startPostgres } from './postgres.ts';
import type { PostgresAddress } from './postgres.ts';
import { usePostgres } from './share.ts';

async function query<Row extends pg.QueryResultRow>(server: PostgresAddress, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('PostgreSQL', () => {
  for (const version of ['18', '15'] as const) {
    test(`${version}: a kill -9 and a restart keep the data, the port and the slots`, async () => {
      await using server = await startPostgres({ version, private: true });
      const [setting] = await query<{ version: string }>(server, `select current_setting('server_version') as version`);
      assert.ok(setting?.version.startsWith(version), setting?.version);
      await query(server, 'create table kept (id int primary key)');
      await query(server, 'insert into kept select generate_series(1, 1000)');
      await query(server, `select pg_create_logical_replication_slot('kept', 'pgoutput')`);
      const before = server.pid;

      await server.kill('SIGKILL');
      await assert.rejects(query(server, 'select 1'), { code: 'ECONNREFUSED' });
      await server.restart();

      assert.notEqual(server.pid, before);
      assert.deepEqual(await query(server, 'select count(*)::int from kept'), [{ count: 1000 }]);
      assert.deepEqual(await query(server, 'select slot_name from pg_replication_slots'), [{ slot_name: 'kept' }]);
    });
  }

  test('takes flags, checks passwords when asked to, and stops politely', async () => {
    await using server = await startPostgres({ flags: ['-c', 'max_replication_slots=3'], auth: 'scram-sha-256' });
    assert.deepEqual(await query(server, 'show max_replication_slots'), [{ max_replication_slots: '3' }]);
    await assert.rejects(query({ ...server, url: server.url.replace(':postgres@', ':wrong@') }, 'select 1'), {
      code: '28P01',
    });
    await server.stop();
    await server.restart();
    await query(server, 'select 1');
  });

  test('leaves nothing behind', async () => {
    const server = await startPostgres({ private: true });
    const { pid } = server;
    const [row] = await query<{ folder: string }>(server, `select current_setting('data_directory') as folder`);
    await server[Symbol.asyncDispose]();
    assert.equal(existsSync(row!.folder), false);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  test('a start that fails tells the last words of the server', async () => {
    await assert.rejects(startPostgres({ flags: ['-c', 'no_such_setting=1'] }), /ended early.*no_such_setting/s);
  });

  test('a disposable database goes, with its slots, while others read from them', async () => {
    const server = await usePostgres();
    const database = await createDatabase(server, 'gone');
    await query(database, `select pg_create_logical_replication_slot('busy_slot', 'pgoutput')`);
    await query(database, 'create publication p for all tables');
    const reader = new pg.Client({ connectionString: `${database.url}?replication=database` });
    reader.on('error', () => {});
    await reader.connect();
    const reading = reader.query(`start_replication slot busy_slot logical 0/0 (proto_version '1', publication_names 'p')`);
    reading.catch(() => {});

    await database[Symbol.asyncDispose]();

    const left = await query(server, `select slot_name from pg_replication_slots where slot_name = 'busy_slot'`);
    assert.deepEqual(left, []);
    await assert.rejects(query(database, 'select 1'), { code: '3D000' });
    await reader.end().catch(() => {});
  });
});
