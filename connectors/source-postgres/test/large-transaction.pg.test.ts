/** A transaction that is larger than what may wait in memory stays with the server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDatabase } from '../../../test/services/postgres.ts';
import type { PostgresAddress } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { field, rawConfig, runTask, sql, waitFor } from './harness.ts';
import { operation } from './snapshot-tables.ts';

const rows = 40_000;
/** Of each row, about. */
const rowBytes = 600;
/** The queue, and what was on its way when it was full. */
const mayWaitBytes = 1_500_000;

test('of one large transaction no more is held than the queue takes, and all of it comes, in order, marked as one', async () => {
  await using database = await createDatabase(await usePostgres(), 'large');
  await sql(database, 'create table items (id int primary key, filler text)');
  let most = 0;
  let waiting = 0;
  const raw = rawConfig(database, {
    'snapshot.mode': 'no_data',
    'provide.transaction.metadata': 'true',
    'max.batch.size': '100',
    'max.queue.size': '1000',
  });
  await using running = await runTask(raw, {
    context: {
      setFigure(name, value) {
        if (name !== 'debezium_metrics_CurrentQueueSizeInBytes') return;
        waiting = value;
        most = Math.max(most, value);
      },
    },
  });
  await waitFor(() => running.logs.some((line) => line.includes('streaming from replication slot')), 'the stream');
  await sql(database, `insert into items select i, repeat('x', ${rowBytes}) from generate_series(1, ${rows}) i`);
  // Nobody polls: the server is made to wait, with nearly all of the transaction still to be sent.
  await waitFor(async () => waiting > 0 && (await isHeldBack(database)), 'the server to wait for the connector');

  const records = await running.count(rows + 2);
  assert.ok(most < mayWaitBytes, `${most} bytes waited at once, of ${rows * rowBytes}`);
  const [begin, ...changes] = records;
  const end = changes.pop();
  assert.deepEqual(
    [begin, end].map((record) => record?.topic),
    ['shop.transaction', 'shop.transaction'],
  );
  assert.ok(changes.every((record) => operation(record) === 'c'));
  const ids = changes.map((record) => field(record, 'after', 'id'));
  assert.ok(ids.every((id, i) => id === i + 1));
});

/** The WAL sender waits until its connection takes more. */
async function isHeldBack(database: PostgresAddress): Promise<boolean> {
  const { rows: found } = await sql(
    database,
    `select wait_event from pg_stat_activity where datname = '${database.database}' and backend_type = 'walsender'`,
  );
  return (found as { wait_event: string | null }[]).some(({ wait_event: waits }) => waits === 'WalSenderWriteData');
}
