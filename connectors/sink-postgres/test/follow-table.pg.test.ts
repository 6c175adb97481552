/** PostgreSQL → log → PostgreSQL, by a worker that is killed: the tables are equal at the end, and no row came twice. */
import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createTables, insertKeys, startLoad } from '../../../test/chaos/row-load.ts';
import { createRandom, isFull, seedNote } from '../../../test/chaos/seed.ts';
import { eventually } from '../../../test/e2e/worker-states.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { createDatabase } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { sql } from './harness.ts';
import { sinkConfig, sourceConfig, untilEqual } from './pipeline.ts';

const kills = isFull ? 30 : 3;

test('follows tables through kill -9 of the worker, plain inserts too', { timeout: 15 * 60_000 }, async (t) => {
  t.diagnostic(seedNote);
  const random = createRandom('sink-postgres');
  const server = await usePostgres();
  await using from = await createDatabase(server, 'monolith');
  await using to = await createDatabase(server, 'service');
  await createTables(from.url);
  await insertKeys(from.url, 0, 199);
  await sql(to, 'create table ledger (seq bigint, id int, version int, op text)');
  await using worker = await startMillrace();

  const id = from.database;
  await worker.put('source', sourceConfig(id, from, { 'table.include.list': 'public.items,public.ledger' }));
  await worker.put('items', sinkConfig(to, { topics: `${id}.public.items`, 'collection.name.format': 'items' }));
  // No key, and nothing in the table that would refuse a second row.
  const plain = { 'insert.mode': 'insert', 'primary.key.mode': 'none', 'delete.enabled': 'false', 'schema.evolution': 'none' };
  await worker.put('ledger', sinkConfig(to, { topics: `${id}.public.ledger`, 'collection.name.format': 'ledger', ...plain }));

  const count = async (): Promise<number> => Number((await sql(to, 'select count(*) from ledger'))[0]?.['count']);
  await using load = startLoad({ url: from.url, pauseMs: 80 });
  let [seen, afterProgress] = [0, 0];
  for (let kill = 0; kill < kills; kill++) {
    if (kill === 0 || random.next() < 0.7) await eventually('more rows in the target', async () => (await count()) > seen);
    await sleep(random.between(0, 1_000));
    await worker.kill('SIGKILL');
    const now = await count();
    if (now > seen) afterProgress++;
    seen = now;
    await worker.restart();
  }
  await load.stop();
  ok(afterProgress >= kills / 2, `${afterProgress} of ${kills} kills after progress`);

  const items = "select count(*), md5(string_agg(row(id, version, note)::text, e'\\n' order by id)) as rows from items";
  const ledger = `select count(*), count(distinct seq), md5(string_agg(row(seq, id, version, op)::text, e'\\n' order by seq)) as rows from ledger`;
  const read = (which: 'source' | 'target') => Promise.all([items, ledger].map((query) => sql(which === 'source' ? from : to, query)));
  const [, [written] = []] = await untilEqual(worker, ['source', 'items', 'ledger'], read);
  t.diagnostic(
    `${load.transactions} transactions, ${String(written?.['count'])} plain inserts, ${afterProgress} of ${kills} kills after progress`,
  );
  equal((await sql(from, 'select op from ledger group by op')).length, 3);
});
