/** From the real Kafka Connect with Debezium to Millrace, on the same topics and slot, and back again, under load. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { checkChanges } from '../chaos/change-check.ts';
import type { CheckReport } from '../chaos/change-check.ts';
import { changesOf } from '../chaos/change.ts';
import { createTables, readHistory, startLoad, table } from '../chaos/row-load.ts';
import { slotIsActive } from '../chaos/slot.ts';
import { sourceConfig } from '../chaos/source-config.ts';
import { kafkaTopicReader } from '../chaos/topic-reader.ts';
import type { TopicRecord } from '../chaos/topic-reader.ts';
import { until } from '../chaos/until.ts';
import type { WorkersStatus } from '../services/cluster.ts';
import { startConnect } from '../services/connect.ts';
import { startMillrace } from '../services/millrace.ts';
import { createDatabase } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';

test('Debezium streams, Millrace takes over, Debezium takes over again', { timeout: 10 * 60_000 }, async (t) => {
  const { brokers } = await useKafka();
  const id = `takeover_${randomBytes(4).toString('hex')}`;
  const topic = `${id}.${table}`;
  await using database = await createDatabase(await usePostgres(), 'takeover');
  await createTables(database.url);
  const reader = kafkaTopicReader(brokers);
  const read = async () => changesOf(await reader.read(topic));

  const properties = { 'offset.flush.interval.ms': '2000', 'plugin.discovery': 'service_load' };
  await using jvm = await startConnect({ brokers, group: id, logLevel: 'WARN', heap: ['-Xms128M', '-Xmx512M'], properties });
  const answer = await fetch(`${jvm.url}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: id, config: sourceConfig(id, database) }),
  });
  equal(answer.status, 201, await answer.text());
  await until('Debezium streams', () => slotIsActive(database.url, id));
  await using load = startLoad({ url: database.url, clients: 2, pauseMs: 100 });
  const flows = async (whose: string, owed = 0): Promise<number> => {
    const before = await reader.count(topic);
    await until(`records flow from ${whose}`, async () => (await reader.count(topic)) > before + owed + 200);
    return repeatsIn(await read());
  };
  // What whoever has just been stopped would send again itself: all behind the last offset that it committed, and its
  // tombstone, if that is a delete's.
  const owes = async (): Promise<number> => {
    const committed = lastLsn(await reader.read(`${id}-offsets`), id);
    return (await read()).filter(({ lsn, operation }) => lsn > committed || (lsn === committed && operation === 'tombstone')).length;
  };
  await flows('Debezium');
  // What Debezium itself repeats when it is restarted, with the same load.
  await jvm.restart();
  const own = await flows('Debezium, restarted');
  await jvm.stop();
  const owedByDebezium = await owes();

  await using millrace = await startMillrace({ brokers, group: id });
  const afterMillrace = await flows('Millrace', owedByDebezium);
  await runs(millrace.url, id);
  await millrace.restart();
  const afterRestart = await flows('Millrace, restarted');
  await millrace.stop();
  const owedByMillrace = await owes();
  await jvm.restart();
  const afterReturn = await flows('Debezium, back again', owedByMillrace);
  await runs(jvm.url, id);
  await load.stop();

  const history = await readHistory(database.url);
  let report: CheckReport | undefined;
  await until('the topic holds everything', async () => {
    report = checkChanges(await read(), history);
    return report.problems.length === 0;
  }).catch(() => {});
  t.diagnostic(
    `${report?.arrived} records; repeats: ${own} by Debezium's own restart, then ${afterMillrace - own} by the take-over ` +
      `(${owedByDebezium} sent and not committed), ${afterRestart - afterMillrace} by Millrace's restart, ` +
      `${afterReturn - afterRestart} by the return (${owedByMillrace} not committed)`,
  );
  deepEqual(report?.problems, []);
  // A stop that takes longer than the worker has leaves the last offsets uncommitted, in either of them.
  ok(afterMillrace - own <= owedByDebezium, 'repeated by the take-over');
  ok(afterReturn - afterRestart <= owedByMillrace, 'repeated by the return');
});

function repeatsIn(changes: Awaited<ReturnType<typeof changesOf>>): number {
  return checkChanges(
    changes,
    Map.groupBy(changes, ({ key }) => key),
  ).repeats;
}

/** Where the connector's source offset stands in the worker's offset topic. */
function lastLsn(records: readonly TopicRecord[], connector: string): number {
  const own = records.filter(({ key, value }) => value !== null && (JSON.parse(key ?? '[]') as unknown[])[0] === connector);
  return (JSON.parse(own.at(-1)?.value ?? '{"lsn":0}') as { lsn: number }).lsn;
}

async function runs(url: string, name: string): Promise<void> {
  const status = (await (await fetch(`${url}/connectors/${name}/status`)).json()) as WorkersStatus;
  for (const { state, trace } of [status.connector, ...status.tasks]) ok(state === 'RUNNING', trace ?? state);
  equal(status.tasks.length, 1);
}
