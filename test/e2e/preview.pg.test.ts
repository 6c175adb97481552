/** A preview leaves no trace: not in the database, not in the worker. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import pg from 'pg';

import { runCommand } from '../../runtime/cli/test/run-command.ts';
import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { startPostgres } from '../services/postgres.ts';
import type { PostgresServer } from '../services/postgres.ts';
import { readEmbedded } from './topic-records.ts';
import { eventually, isRunning, taskStatus } from './worker-states.ts';

interface Answer {
  readonly records: readonly { topic: string; key: { json: unknown }; value: { json: { op: string; after: unknown } } }[];
  readonly notes: readonly string[];
}

let postgres: PostgresServer;
let worker: MillraceServer;
let client: pg.Client;

before(async () => {
  // Of its own, so that nobody else writes; with checksums, so that a hint bit that is set would be seen in the WAL.
  postgres = await startPostgres({ flags: ['-c', 'autovacuum=off', '-c', 'wal_log_hints=on'] });
  client = new pg.Client({ connectionString: postgres.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(`
    create extension pg_walinspect;
    create table customers (id int primary key, name text, email text);
    insert into customers select i, 'name ' || i, 'c' || i || '@example.com' from generate_series(1, 5000) i;
    update customers set name = 'newer' where id % 3 = 0;
    create table outbox (id uuid primary key default gen_random_uuid(), aggregatetype text, aggregateid text, type text, payload text);
    insert into outbox (aggregatetype, aggregateid, type, payload) values ('order', '17', 'placed', '{"total": 9007199254740993}');
    create table captured (id int primary key);
    insert into captured values (1);
    create publication theirs for table customers;`);
  await client.query(`select pg_create_logical_replication_slot('theirs', 'pgoutput')`);
  worker = await startMillrace({
    properties: { 'key.converter.schemas.enable': 'false', 'value.converter.schemas.enable': 'false', 'offset.flush.interval.ms': '200' },
  });
});
after(async () => {
  await worker?.[Symbol.asyncDispose]();
  await client?.end();
  await postgres?.[Symbol.asyncDispose]();
});

const connector = (more: Record<string, string> = {}): Record<string, string> => ({
  'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
  'database.hostname': postgres.host,
  'database.port': String(postgres.port),
  'database.user': postgres.user,
  'database.password': postgres.password,
  'database.dbname': postgres.database,
  'topic.prefix': 'shop',
  'plugin.name': 'pgoutput',
  'table.include.list': 'public.customers,public.outbox',
  'slot.name': 'ours',
  'publication.name': 'ours',
  'publication.autocreate.mode': 'filtered',
  'snapshot.mode': 'no_data',
  ...more,
});

const path = '/connector-plugins/PostgresConnector/preview?timeoutMs=60000';
const preview = (config: Record<string, string>): Promise<Answer> => worker.request('POST', path, config) as Promise<Answer>;

/** Everything of the database that somebody may have changed, save where the WAL is. */
async function traces(): Promise<unknown> {
  const { rows } = await client.query(`
    select
      (select json_agg(to_jsonb(s) order by slot_name) from pg_replication_slots s) as slots,
      (select json_agg(to_jsonb(p) order by pubname) from pg_publication p) as publications,
      (select json_agg(to_jsonb(t) order by 1) from (select pubname, schemaname, tablename from pg_publication_tables order by 1, 2, 3) t) as published,
      (select json_agg(to_jsonb(c) order by oid) from (select oid, relname, relfilenode, relreplident, reltuples from pg_class) c) as relations,
      (select temp_files from pg_stat_database where datname = current_database()) as temporary,
      (select count(*) from pg_locks where pid <> pg_backend_pid() and locktype = 'relation') as locks,
      txid_snapshot_xmax(txid_current_snapshot()) as next_transaction`);
  return rows[0];
}

const sessions = async (): Promise<string[]> => {
  const { rows } = await client.query<{ name: string }>(
    `select application_name as name from pg_stat_activity where backend_type in ('client backend', 'walsender') and pid <> pg_backend_pid()`,
  );
  return rows.map(({ name }) => name);
};

const walEnd = async (): Promise<string> => {
  const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
  return rows[0]?.lsn ?? '';
};

/** The WAL that was written between, but for what the server notes by itself from time to time. */
async function writtenBetween(from: string, to: string): Promise<readonly unknown[]> {
  if (from === to) return [];
  const { rows } = await client.query(
    `select resource_manager, record_type, description from pg_get_wal_records_info($1, $2)
     where not (resource_manager = 'Standby' or (resource_manager = 'XLOG' and record_type ~ '^(CHECKPOINT|SWITCH|PARAMETER)'))`,
    [from, to],
  );
  return rows;
}

describe('a preview', () => {
  it('leaves no trace in the database', async () => {
    // As it would be in a database that is in use: what reading sets on fresh rows is set, and written.
    await client.query('vacuum freeze');
    await client.query('checkpoint');
    const config = connector();
    // The first connections of a server fill its own caches.
    await preview(config);
    await eventually('its sessions to end', async () => (await sessions()).length === 0);
    const [before, from] = [await traces(), await walEnd()];

    const { records, notes } = await preview(config);
    assert.deepEqual(records.map(({ topic }) => topic).toSorted(), [
      ...new Array<string>(9).fill('shop.public.customers'),
      'shop.public.outbox',
    ]);
    const customer = records.find(({ topic }) => topic.endsWith('customers'));
    assert.deepEqual([customer?.value.json.op, Object.keys(customer?.value.json.after ?? {})], ['r', ['id', 'name', 'email']]);
    assert.match(notes.join('\n'), /2 tables match: public\.customers, public\.outbox\.\n.*snapshot\.mode=no_data reads no rows/);

    await eventually('its sessions to end', async () => (await sessions()).length === 0);
    assert.deepEqual(await writtenBetween(from, await walEnd()), []);
    assert.deepEqual(await traces(), before);
  });

  it('leaves none in the worker, whose connectors go on', async () => {
    await worker.put(
      'running',
      connector({
        'topic.prefix': 'live',
        'slot.name': 'live',
        'publication.name': 'live',
        'table.include.list': 'public.captured',
        'snapshot.mode': 'initial',
      }),
    );
    await taskStatus(worker, 'running', isRunning);
    const topics = () => worker.request('GET', '/connectors/running/topics');
    await eventually('its topic', async () => JSON.stringify(await topics()).includes('live.public.captured'));
    const captured = async () => (await readEmbedded(join(worker.folder, 'log'), ['live.public.captured']))['live.public.captured']?.length;
    await eventually('its record', async () => (await captured()) === 1);
    const state = async (): Promise<unknown> => ({
      connectors: await worker.request('GET', '/connectors'),
      topics: await topics(),
      records: await readEmbedded(join(worker.folder, 'log'), ['live.public.captured', 'shop.public.customers', 'connect-configs']),
    });
    const before = await state();
    // The same that runs: its slot is in use, and stays so.
    const { records } = await preview(
      connector({ name: 'running', 'topic.prefix': 'live', 'slot.name': 'live', 'publication.name': 'live' }),
    );
    assert.equal(records.length, 10);
    assert.deepEqual(await state(), before);
    assert.deepEqual(
      (await worker.status('running')).tasks.map((task) => task.state),
      ['RUNNING'],
    );
    await client.query('insert into captured values (2)');
    await eventually('the next change', async () => (await captured()) === 2);
    await worker.request('DELETE', '/connectors/running');
  });

  it('shows outbox events as they are routed, on the command line too', async () => {
    const file = join(worker.folder, 'outbox.json');
    const outbox = connector({
      name: 'outbox',
      'table.include.list': 'public.outbox',
      'tombstones.on.delete': 'false',
      transforms: 'outbox',
      'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
      'transforms.outbox.table.expand.json.payload': 'true',
    });
    writeFileSync(file, JSON.stringify(outbox));
    const workerFile = join(worker.folder, 'worker.json');
    for (const where of [
      ['--worker', workerFile],
      ['--url', worker.url],
    ]) {
      const { code, stdout, stderr } = await runCommand(['preview', file, '--timeout', '60s', ...where]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /^outbox\.event\.order \(at .*Z\)\n {2}key {5}"17"\n {2}value {3}\{"total":9007199254740993\}\n/);
      assert.match(stdout, /\n1 record\. Nothing was written\.\n/);
    }
    writeFileSync(file, JSON.stringify({ ...outbox, 'database.dbname': 'none' }));
    const { code, stderr } = await runCommand(['preview', file, '--worker', workerFile]);
    assert.equal(code, 2);
    assert.match(stderr, /database "none" does not exist/);
  });
});
