import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startTcpFaultProxy } from '../../../test/chaos/tcp-fault-proxy.ts';
import { keyField, rawConfig, runTask, sql, waitFor } from './harness.ts';
import { startPair } from './standby.ts';

test('the primary dies, the standby is promoted: the connector goes on against it, with nothing lost or repeated', async () => {
  await using pair = await startPair();
  const { primary, standby } = pair;
  // As a name that follows the primary.
  const target = { host: primary.host, port: primary.port };
  await using proxy = await startTcpFaultProxy(target);
  await sql(primary, 'create table t (id int primary key, filler text)', 'insert into t values (1)');
  const raw = rawConfig(primary, {
    'database.port': String(proxy.port),
    'slot.failover': 'true',
    'table.include.list': 'public.t',
    'status.update.interval.ms': '100',
    'retriable.restart.connector.wait.ms': '200',
  });
  const slot = raw['slot.name'] as string;
  await using running = await runTask(raw);
  let last = 1;
  async function write(rows: number): Promise<void> {
    await sql(primary, `insert into t select i, repeat('x', 200) from generate_series(${last + 1}, ${last + rows}) i`);
    last += rows;
  }
  // The standby takes the slot over once both have what it needs, which takes some traffic.
  await waitFor(
    async () => {
      await write(10);
      await running.count(last);
      running.commit();
      await sql(primary, 'select pg_log_standby_snapshot()');
      const { rows } = await sql(standby, `select synced and not temporary as ready from pg_replication_slots where slot_name = '${slot}'`);
      return (rows[0] as { ready: boolean } | undefined)?.ready === true;
    },
    'the slot on the standby',
    120_000,
  );

  await write(3000);
  await running.count(last - 1500);
  running.commit();
  // What was committed, and reached the standby.
  await running.count(last);
  await primary.kill();
  target.port = standby.port;
  await running.until(() => running.logs.some((line) => /This replication slot is being synchron/.test(line)), 60_000);
  assert.match(running.notes.at(-1) ?? '', /standby: its slot can be read when it was promoted/);
  await sql(standby, 'select pg_promote()');
  await sql(standby, `insert into t select generate_series(${last + 1}, ${last + 100})`);
  last += 100;
  await running.count(last, 60_000);
  await running.until(() => running.notes.at(-1) === undefined);
  const { rows } = await sql(standby, 'select id from t order by id');
  assert.deepEqual(
    running.records.map((record) => keyField(record, 'id')),
    rows.map((row) => (row as { id: number }).id),
  );
});
