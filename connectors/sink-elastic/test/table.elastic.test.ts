/**
 * A table of PostgreSQL under load, through the embedded log, into two indices, by a way that goes wrong and with the
 * worker killed: in the end each index is the table.
 */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

import { until } from '../../../test/chaos/until.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { useElasticsearch, usePostgres } from '../../../test/services/share.ts';
import { ask, documentsOf, freshName } from './elastic-index.ts';
import { everySecond, seededRandom, startFaultProxy } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { whileRunning } from './worker-sink.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const rounds = 24;
const kills = 2;
/** They are committed every second, and wait two for what is under way. */
const longerThanCommit = 4_000;

const source = (database: Database, prefix: string): Record<string, string> => ({
  'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
  'database.hostname': database.host,
  'database.port': String(database.port),
  'database.user': database.user,
  'database.password': database.password,
  'database.dbname': database.database,
  'topic.prefix': prefix,
  'plugin.name': 'pgoutput',
  'publication.name': 'elastic',
  'publication.autocreate.mode': 'filtered',
  'slot.name': 'elastic',
  'table.include.list': 'public.customers',
});

/** As Debezium's example of the ExtractNewRecordState transform has it, and what a bad connection asks for. */
const sink = (topic: string, url: string): Record<string, string> => ({
  'connector.class': 'io.confluent.connect.elasticsearch.ElasticsearchSinkConnector',
  'tasks.max': '1',
  topics: topic,
  'connection.url': url,
  transforms: 'unwrap,key',
  'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
  'transforms.unwrap.drop.tombstones': 'false',
  'transforms.key.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
  'transforms.key.field': 'id',
  'key.ignore': 'false',
  'type.name': 'customer',
  'behavior.on.null.values': 'delete',
  'batch.size': '100',
  'max.retries': '60',
  'retry.backoff.ms': '5',
  'read.timeout.ms': '120000',
});

it(`two indices are the table, after inserts, updates and deletes (SEED=${seed})`, async () => {
  const random = seededRandom(seed);
  const { url } = await useElasticsearch();
  await using database = await createDatabase(await usePostgres(), 'elastic_table');
  const sql = new pg.Client(database.url);
  await sql.connect();
  // Before the database goes, whatever happens.
  await using closing = new AsyncDisposableStack();
  closing.defer(() => sql.end());
  await sql.query(
    `create table customers (id int primary key, name text not null, price numeric(10,2), seen timestamp(3), vip boolean default false)`,
  );
  await sql.query(
    `insert into customers select i, 'first ' || i, i * 1.25, timestamp '2026-01-01' + i * interval '1 second' from generate_series(1, 300) i`,
  );
  const wrong = everySecond(random, 0);
  let away = false;
  let refused = 0;
  const refuse = (): Fault => {
    refused++;
    return 503;
  };
  await using proxy = await startFaultProxy(url, { fault: () => (away ? refuse() : wrong()), random });
  const prefix = freshName();
  const topic = `${prefix}.public.customers`;
  const upserted = `${prefix}-upserted`;
  await using worker = await startMillrace();
  await worker.put('customers', source(database, prefix));
  await worker.put('replace', sink(topic, proxy.url));
  await worker.put('upsert', {
    ...sink(topic, proxy.url),
    'write.method': 'UPSERT',
    transforms: 'unwrap,key,route',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': '.*',
    'transforms.route.replacement': upserted,
  });
  const names = ['customers', 'replace', 'upsert'];
  const count = async (index: string): Promise<number> => Number((await ask(url, 'POST', `/${index}/_count`))['count']);
  await whileRunning(worker, names, 'first rows', async () => (await count(topic)) > 0);
  let next = 301;
  for (let round = 0; round < rounds; round++) {
    const isKill = round % (rounds / kills) === 6;
    // What was taken is not written by then, although offsets were committed meanwhile: those of what was written before.
    away = isKill;
    await sql.query(`insert into customers select i, 'new ' || i, i from generate_series($1::int, $2::int) i`, [next, next + 19]);
    next += 20;
    await sql.query(`update customers set name = name || '.', price = price + 0.01, vip = not vip where id % 7 = $1`, [round % 7]);
    await sql.query('delete from customers where id % 11 = $1 and id % 3 = $2', [round % 11, round % 3]);
    // An id that comes again is a new row.
    await sql.query(`insert into customers select i, 'again' from generate_series(1, 60, 11) i on conflict do nothing`);
    if (!isKill) continue;
    // By both sinks, each of which tries again and again.
    const before = refused;
    await until('something waits to be written', () => refused > before + 8);
    await sleep(longerThanCommit + random() * 300);
    await worker.kill();
    away = false;
    await worker.restart();
  }
  await sql.query(`insert into customers values (0, 'last', null, null)`);
  const has = async (index: string): Promise<boolean> => (await fetch(`${url}/${index}/_doc/0`)).ok;
  await whileRunning(worker, names, 'the last row', async () => (await has(topic)) && (await has(upserted)));

  const { rows } = await sql.query<{ id: number }>(
    `select id, name, price::float8, (extract(epoch from seen) * 1000)::float8 as seen, vip from customers`,
  );
  const table = new Map(rows.map((row) => [String(row.id), row]));
  for (const index of [topic, upserted]) {
    await until(`${index} is the table`, async () => (await documentsOf(url, index)).size === table.size);
    const found = new Map([...(await documentsOf(url, index))].map(([id, { _source }]) => [id, _source]));
    for (const [id, row] of table) deepEqual(found.get(id), row, `document ${id} of ${index}`);
    equal(found.size, table.size);
  }
  ok([...proxy.happened].filter(([fault]) => fault !== 'pass').length >= 5, [...proxy.happened.keys()].join());
  await worker.request('DELETE', '/connectors/customers');
  await until('the slot is free', async () => (await sql.query(`select pg_drop_replication_slot('elastic')`)).rowCount === 1);
});
