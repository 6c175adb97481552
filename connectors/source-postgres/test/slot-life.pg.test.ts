import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ConfigError } from '@millrace/runtime/api';
import type { OffsetMap } from '@millrace/runtime/api';

import { createDatabase, startPostgres } from '../../../test/services/postgres.ts';
import type { PostgresAddress, PostgresServer } from '../../../test/services/postgres.ts';
import { startDeafProxy } from './deaf-proxy.ts';
import { field, keyField, rawConfig, runTask, sql, waitFor } from './harness.ts';
import type { RawConfig, Running } from './harness.ts';

let server: PostgresServer;
before(async () => {
  server = await startPostgres({
    // A walsender of which nothing is heard stays.
    flags: ['max_slot_wal_keep_size=4MB', 'max_wal_size=32MB', 'min_wal_size=32MB', 'wal_sender_timeout=0'].flatMap((flag) => ['-c', flag]),
  });
});
after(async () => server?.[Symbol.asyncDispose]());

const quick = { 'status.update.interval.ms': '50', 'table.include.list': 'public.t' };

async function table(name: string): Promise<PostgresAddress & AsyncDisposable> {
  const database = await createDatabase(server, name);
  await sql(database, 'create table t (id int primary key)', 'create table filler (x text)', 'insert into t values (1)');
  return database;
}

const streaming = (running: Running) => running.until(() => running.logs.some((line) => line.includes('streaming from')));
const lastId = ({ records }: Running): unknown => (records.length === 0 ? undefined : keyField(records.at(-1)!, 'id'));
const slotOf = (raw: RawConfig): string => raw['slot.name'] as string;

/** Everything is stored; returns where the task would go on. */
async function stored(running: Running): Promise<OffsetMap> {
  await streaming(running);
  await running.until(() => running.position() !== undefined);
  running.commit();
  return running.position() as OffsetMap;
}

async function dropInUse(database: PostgresAddress, slot: string): Promise<void> {
  await waitFor(async () => {
    await sql(database, `select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = '${slot}' and active`);
    return sql(database, `select pg_drop_replication_slot('${slot}')`).then(
      () => true,
      () => false,
    );
  }, 'the slot to be dropped');
}

/** Writes more than the slot may retain, until it is invalidated. */
async function outgrow(database: PostgresAddress, slot: string): Promise<void> {
  await waitFor(
    async () => {
      await sql(
        database,
        `insert into filler select repeat('x', 1000) from generate_series(1, 20000)`,
        'select pg_switch_wal()',
        'checkpoint',
      );
      const { rows } = await sql(database, `select wal_status from pg_replication_slots where slot_name = '${slot}'`);
      return (rows[0] as { wal_status: string }).wal_status === 'lost';
    },
    'the slot to be lost',
    60_000,
  );
}

const fails = (running: Running, message: RegExp): Promise<void> =>
  assert.rejects(
    running.until(() => false),
    (error: Error) => {
      assert.match(error.message, message);
      assert.ok(error instanceof ConfigError);
      return true;
    },
  );

const losses: readonly [name: string, lose: (database: PostgresAddress, slot: string) => Promise<void>, message: RegExp][] = [
  ['dropped', dropInUse, /slot "[^"]+" does not exist.*changes that were not read yet are gone.*when_needed/s],
  ['invalidated', outgrow, /slot "[^"]+" lost WAL that it still needed.*when_needed.*max_slot_wal_keep_size/s],
  [
    'dropped and made anew',
    async (database, slot) => {
      await dropInUse(database, slot);
      await sql(database, 'insert into t values (2)', `select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
    },
    /slot "[^"]+" (is confirmed up to .* beyond the stored offset|does not exist).*when_needed/s,
  ],
];

for (const [how, lose, message] of losses) {
  describe(`a slot that is ${how}`, () => {
    test('fails the task that reads it, and its next start; when_needed reads the tables anew', async () => {
      await using database = await table('lost');
      const raw = rawConfig(database, { ...quick, 'retriable.restart.connector.wait.ms': '100' });
      let offset;
      {
        await using running = await runTask(raw);
        await running.count(1);
        offset = await stored(running);
        await lose(database, slotOf(raw));
        await fails(running, message);
      }
      await assert.rejects(runTask(raw, { offset }), message);
      await using anew = await runTask({ ...raw, 'snapshot.mode': 'when_needed' }, { offset });
      await anew.until(() => lastId(anew) === (how === 'dropped and made anew' ? 2 : 1));
      await sql(database, 'insert into t values (3)');
      await anew.until(() => lastId(anew) === 3);
      assert.deepEqual(new Set(anew.records.map((record) => field(record, 'op'))), new Set(['r', 'c']));
    });

    test('with when_needed the running task reads the tables anew by itself', async () => {
      await using database = await table('needed');
      const raw = rawConfig(database, { ...quick, 'snapshot.mode': 'when_needed', 'retriable.restart.connector.wait.ms': '100' });
      await using running = await runTask(raw);
      await running.count(1);
      await stored(running);
      await lose(database, slotOf(raw));
      const again = () => running.records.filter((record) => keyField(record, 'id') === 1 && field(record, 'op') === 'r').length === 2;
      await running.until(again);
      await sql(database, 'insert into t values (3)');
      await running.until(() => lastId(running) === 3);
    });
  });
}

test('an offset beyond the end of the WAL is of another server', async () => {
  await using database = await table('other');
  const raw = rawConfig(database, quick);
  let offset;
  {
    await using running = await runTask(raw);
    await running.count(1);
    offset = await stored(running);
  }
  const later = Number(offset['lsn']) + 2 ** 32;
  await assert.rejects(
    runTask(raw, { offset: { ...offset, lsn: later, lsn_proc: later, lsn_commit: later } }),
    /on a server whose WAL ends at .*before the stored offset.*docs\/failover.md/s,
  );
});

test('slot.drop.on.stop: the next start says where the slot went', async () => {
  await using database = await table('gone');
  const raw = rawConfig(database, { ...quick, 'slot.drop.on.stop': 'true' });
  let offset;
  {
    await using running = await runTask(raw);
    await running.count(1);
    offset = await stored(running);
  }
  await assert.rejects(runTask(raw, { offset }), /does not exist.*slot.drop.on.stop=true drops it at every stop/s);
});

test('a publication that is dropped is missed though nothing is written', async () => {
  await using database = await table('pub');
  await using running = await runTask(rawConfig(database, quick));
  await streaming(running);
  await sql(database, 'drop publication pub');
  await fails(running, /publication "pub" was dropped.*Create the publication/s);
});

test('WAL that is retained beyond the threshold stands in status, log and metrics, until it is confirmed', async () => {
  await using database = await table('retained');
  await using running = await runTask(rawConfig(database, { ...quick, 'millrace.slot.retained.warn.bytes': '1000000' }));
  await running.count(1);
  await streaming(running);
  await sql(database, `insert into filler select repeat('x', 1000) from generate_series(1, 2000)`);
  await running.until(() => /retains \d.* MB of WAL, above millrace.slot.retained.warn.bytes/.test(running.notes.at(-1) ?? ''));
  assert.ok(running.logs.some((line) => line.startsWith('warn: ') && line.includes('retained.warn.bytes')));
  assert.ok((running.figures.get('millrace_postgres_slot_retained_bytes') ?? 0) > 1_000_000);
  assert.equal(running.figures.get('millrace_postgres_slot_wal_status{lost}'), 0);
  await waitFor(async () => {
    running.commit();
    // Only a running-transactions record moves the slot's restart_lsn.
    await sql(database, 'checkpoint');
    let polls = 0;
    await running.until(() => polls++ > 0);
    return running.notes.at(-1) === undefined;
  }, 'the note to be taken back');
  await running.until(() => running.figures.get('debezium_metrics_Connected') === 1);
  assert.equal(running.figures.get('debezium_metrics_QueueTotalCapacity'), 8192);
});

for (const action of ['fail', 'warn', 'ignore'] as const) {
  test(`a confirmation that does not reach the slot: lsn.flush.timeout.action=${action}`, async () => {
    await using database = await table('flush');
    let looks = 0;
    const setFigure = (name: string): void => void (looks += Number(name === 'millrace_postgres_slot_retained_bytes'));
    await using proxy = await startDeafProxy(database);
    const raw = rawConfig(database, {
      ...quick,
      'database.sslmode': 'disable',
      'database.port': String(proxy.port),
      'lsn.flush.timeout.ms': '100',
      'lsn.flush.timeout.action': action,
      'retriable.restart.connector.wait.ms': '100',
    });
    await using running = await runTask(raw, { context: { setFigure } });
    await running.count(1);
    await streaming(running);
    await sql(database, 'insert into t values (2)');
    await running.count(2);
    const said = (): boolean => running.logs.some((line) => /warn: .*was told that .* is safe.*lsn\.flush\.timeout\.ms/.test(line));
    const streams = (): number => running.logs.filter((line) => line.includes('streaming from')).length;
    await running.until(() => running.position() !== undefined);
    proxy.swallow();
    running.commit();
    const before = looks;
    // They are 200 ms apart.
    await running.until(() => looks >= before + 5 && (action === 'ignore' || said()));
    assert.equal(said(), action !== 'ignore');
    await sql(database, 'insert into t values (3)');
    await running.count(3);
    assert.deepEqual(
      running.records.map((record) => keyField(record, 'id')),
      [1, 2, 3],
    );
    assert.equal(streams() > 1, action === 'fail');
  });
}
