/** What PostgreSQL lacks is said when the connector is created, or in its task's status: what was found, and what to do. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import pg from 'pg';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { createDatabase, startPostgres } from '../services/postgres.ts';
import type { Database, PostgresAddress, PostgresServer } from '../services/postgres.ts';
import { eventually, isRunning, taskStatus } from './worker-states.ts';

type Config = Readonly<Record<string, string>>;

describe('a PostgreSQL that cannot be captured', () => {
  let worker: MillraceServer;
  let server: PostgresServer;
  let database: Database;

  before(async () => {
    server = await startPostgres({ auth: 'scram-sha-256' });
    database = await createDatabase(server, 'errors');
    worker = await startMillrace({ properties: { 'offset.flush.interval.ms': '200' } });
    await sql(
      database,
      'create table public.orders (id int primary key)',
      'insert into public.orders values (1)',
      `create role plain login password 'plain'`,
    );
  });
  after(async () => {
    await worker[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  async function sql(address: PostgresAddress, ...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: address.url });
    await client.connect();
    try {
      let rows: readonly Record<string, unknown>[] = [];
      for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
      return rows;
    } finally {
      await client.end();
    }
  }

  const config = (name: string, address: PostgresAddress = database): Config => ({
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'plugin.name': 'pgoutput',
    'topic.prefix': name,
    'database.hostname': address.host,
    'database.port': String(address.port),
    'database.user': address.user,
    'database.password': address.password,
    'database.dbname': address.database,
    'slot.name': `${name}_slot`,
    'publication.name': `${name}_publication`,
    'publication.autocreate.mode': 'filtered',
    'table.include.list': 'public.orders',
  });

  const slotsAndPublications = 'select slot_name as name from pg_replication_slots union all select pubname from pg_publication';

  async function create(name: string, more: Config): Promise<{ status: number; message: string }> {
    const answer = await fetch(`${worker.url}/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, config: more }),
    });
    const { message = '' } = (await answer.json()) as { message?: string };
    return { status: answer.status, message };
  }

  /** Refused when it is created; the worker and the server are as before. */
  async function isRefused(more: Config, messages: readonly RegExp[], address: PostgresAddress = database): Promise<void> {
    const before = [await sql(address, slotsAndPublications), await worker.request('GET', '/connectors')];
    const { status, message } = await create('refused', { ...config('refused', address), ...more });
    assert.equal(status, 400, message);
    for (const expected of messages) assert.match(message, expected);
    assert.doesNotMatch(message, /wrong-password/);
    assert.deepEqual([await sql(address, slotsAndPublications), await worker.request('GET', '/connectors')], before);
  }

  async function traceOf(name: string): Promise<string> {
    return (await taskStatus(worker, name, ({ state }) => state === 'FAILED')).trace ?? '';
  }

  async function untilStreaming(name: string): Promise<void> {
    await taskStatus(worker, name, isRunning);
    await eventually(`${name} to stream`, async () => {
      const rows = await sql(database, `select 1 from pg_replication_slots where slot_name = '${name}_slot' and active and not temporary`);
      const { offsets } = (await worker.request('GET', `/connectors/${name}/offsets`)) as { offsets: readonly unknown[] };
      return rows.length === 1 && offsets.length === 1;
    });
  }

  it('for the wrong wal_level', async () => {
    await using replica = await startPostgres({ flags: ['-c', 'wal_level=replica'] });
    const todo = /Set wal_level = logical in postgresql\.conf and restart PostgreSQL/;
    await isRefused({}, [/wal_level property must be 'logical' but is: 'replica'/, todo], replica);
  });

  const refused: readonly (readonly [what: string, config: Config, ...messages: readonly RegExp[]])[] = [
    [
      'a missing table',
      { 'table.include.list': 'public.missing' },
      /No table filters found for filtered publication refused_publication: no table of database "errors_\w+" matches/,
    ],
    [
      'a bad password',
      { 'database.password': 'wrong-password' },
      /password authentication failed for user "postgres"/,
      /Check database\.user and database\.password/,
    ],
    ['an unknown database', { 'database.dbname': 'nowhere' }, /database "nowhere" does not exist/, /Check database\.dbname/],
    ['nobody who listens', { 'database.port': '1' }, /ECONNREFUSED/, /Check that PostgreSQL runs, database\.hostname and database\.port/],
    [
      'no right to replicate',
      { 'database.user': 'plain', 'database.password': 'plain' },
      /user "plain" may not replicate/,
      /ALTER ROLE "?plain"? REPLICATION/,
    ],
    ['a pattern that is none', { 'table.include.list': 'public.(' }, /table\.include\.list: "public\.\(" is not a regular expression/],
    [
      'a key that would be passed over',
      { 'column.mask.with.five.chars': 'public.orders.id' },
      /values would be published whole/,
      /column\.mask\.with\.N\.chars/,
    ],
  ];
  for (const [what, more, ...messages] of refused) it(`for ${what}`, () => isRefused(more, messages));

  it('for want of a publication', async () => {
    await worker.put('unpublished', { ...config('unpublished'), 'publication.autocreate.mode': 'disabled' });
    const trace = await traceOf('unpublished');
    assert.match(trace, /publication "unpublished_publication" does not exist, and publication\.autocreate\.mode is disabled/);
    assert.match(trace, /Create it \(CREATE PUBLICATION "?unpublished_publication"? FOR TABLE …\) and restart the connector/);
    assert.deepEqual(await sql(database, `select 1 from pg_replication_slots where slot_name like 'unpublished%'`), []);
    // And that is all it takes.
    await sql(database, 'create publication unpublished_publication for table public.orders');
    await worker.request('POST', '/connectors/unpublished/restart?includeTasks=true&onlyFailed=true');
    await untilStreaming('unpublished');
    await worker.request('DELETE', '/connectors/unpublished');
  });

  it('for a slot that somebody else reads', async () => {
    await worker.put('first', config('first'));
    await untilStreaming('first');
    const busy = { 'slot.name': 'first_slot', 'snapshot.mode': 'no_data', 'slot.max.retries': '2', 'slot.retry.delay.ms': '100' };
    await worker.put('second', { ...config('second'), ...busy });
    // It waits, as Debezium does; but it says so, and for whom.
    const waits = (trace = ''): boolean => /replication slot "first_slot" is active for PID \d+.*try \d+ comes at/.test(trace);
    const { trace = '' } = await taskStatus(worker, 'second', (task) => task.state === 'RUNNING' && waits(task.trace));
    assert.match(trace, /Stop who else reads from the slot, or choose another slot\.name/);
    await taskStatus(worker, 'first', isRunning);
    const metrics = async (): Promise<string> => (await fetch(`${worker.url}/metrics`)).text();
    await eventually('the figures of both', async () => {
      const text = await metrics();
      const connected = (name: string, value: number): boolean =>
        text.includes(
          `debezium_metrics_Connected{plugin="postgres",name="${name}",context="streaming",connector="${name}",task="0"} ${value}\n`,
        );
      return connected('first', 1) && connected('second', 0) && text.includes('millrace_postgres_slot_retained_bytes{slot="first_slot"');
    });
    await worker.request('DELETE', '/connectors/first');
    await taskStatus(worker, 'second', isRunning);
    await worker.request('DELETE', '/connectors/second');
  });

  it('for a slot that is gone, with changes that were not read', async () => {
    await worker.put('lost', config('lost'));
    await untilStreaming('lost');
    await worker.request('PUT', '/connectors/lost/stop');
    await eventually('the slot to be free', async () => {
      await sql(database, `select pg_drop_replication_slot('lost_slot')`);
      return true;
    });
    const offsets = await worker.request('GET', '/connectors/lost/offsets');
    await worker.request('PUT', '/connectors/lost/resume');
    const trace = await traceOf('lost');
    assert.match(trace, /replication slot "lost_slot" does not exist/);
    assert.match(trace, /snapshot\.mode=when_needed/);
    // Nothing was made in its place, and nothing forgotten: the person decides.
    assert.deepEqual(await sql(database, `select 1 from pg_replication_slots where slot_name = 'lost_slot'`), []);
    assert.deepEqual(await worker.request('GET', '/connectors/lost/offsets'), offsets);
    await worker.put('lost', { ...config('lost'), 'snapshot.mode': 'when_needed' });
    await untilStreaming('lost');
  });
});
