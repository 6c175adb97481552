/** A worker that was frozen until its tasks moved wakes up: nothing of it is seen. */
import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { startCluster } from '../services/cluster.ts';
import { createDatabase, startPostgres } from '../services/postgres.ts';
import { useKafka } from '../services/share.ts';
import { checkChanges } from './change-check.ts';
import type { CheckReport } from './change-check.ts';
import { changesOf } from './change.ts';
import { committedReader } from './committed-reader.ts';
import { createTables, readHistory, startLoad, table } from './row-load.ts';
import { isFull, seedNote } from './seed.ts';
import { slotIsActive } from './slot.ts';
import { sourceConfig } from './source-config.ts';
import { until } from './until.ts';

const rounds = isFull ? 5 : 1;

test('a zombie writes nothing that a reader of committed records sees', { timeout: 20 * 60_000 }, async (t) => {
  t.diagnostic(seedNote);
  const id = `zombie_${randomBytes(4).toString('hex')}`;
  const { brokers } = await useKafka();
  // A frozen reader keeps its slot until the server has given it up.
  await using postgres = await startPostgres({ flags: ['-c', 'wal_sender_timeout=4s'] });
  await using database = await createDatabase(postgres, 'zombie');
  await createTables(database.url);
  await using cluster = await startCluster({ brokers, group: id, properties: { 'exactly.once.source.support': 'enabled' } });
  await cluster.put(id, sourceConfig(id, database));
  const owner = async () => (await cluster.status(id)).tasks.find(({ state }) => state === 'RUNNING')?.worker_id;
  await until('the source streams', async () => (await owner()) !== undefined && (await slotIsActive(database.url, id)));
  await using load = startLoad({ url: database.url, pauseMs: 10 });

  for (let round = 0; round < rounds; round++) {
    const before = await owner();
    const zombie = cluster.workers.find(({ url }) => new URL(url).host === before)!;
    notEqual(zombie, undefined);
    await zombie.pause();
    await until('its task runs elsewhere', async () => {
      const others = cluster.workers.filter((worker) => worker !== zombie);
      const { tasks } = (await others[0]!.request('GET', `/connectors/${id}/status`)) as Awaited<ReturnType<typeof cluster.status>>;
      return tasks[0]?.state === 'RUNNING' && tasks[0].worker_id !== before;
    });
    zombie.resume();
    await until('it has let go', async () => (await cluster.runners()).get(`${id}-0`)?.length === 1 && (await owner()) !== undefined);
  }
  await load.stop();

  const history = await readHistory(database.url);
  const reader = committedReader(brokers);
  let report: CheckReport | undefined;
  await until('the topic holds everything', async () => {
    report = checkChanges(changesOf(await reader.read(`${id}.${table}`)), history);
    return report.problems.length === 0;
  }).catch(() => {});
  t.diagnostic(`${rounds} zombies; ${load.transactions} transactions, ${report?.arrived} records`);
  deepEqual(report?.problems, []);
  equal(report?.repeats, 0);
});
