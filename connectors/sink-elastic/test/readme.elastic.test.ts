/** The connectors of the README's first example, as they stand there; only where the servers are is put in. */
import { deepEqual, equal } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import pg from 'pg';

import { until } from '../../../test/chaos/until.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { createDatabase } from '../../../test/services/postgres.ts';
import { useElasticsearch, usePostgres } from '../../../test/services/share.ts';
import { documentsOf, freshName } from './elastic-index.ts';
import { whileRunning } from './worker-sink.ts';

interface Example {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

/** What is indented and begins with a brace. */
const examples = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  .split(/\n(?=\S)|\n\n(?! {4})/)
  .flatMap((part) => /^ {4}\{\n[^]*\n {4}\}$/m.exec(part)?.[0] ?? [])
  .map((text) => JSON.parse(text) as Example);

function example(name: string): Example['config'] {
  const found = examples.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the README has no connector "${name}"`);
  return found.config;
}

it('the README’s index stays equal to the table', async () => {
  const { url } = await useElasticsearch();
  await using database = await createDatabase(await usePostgres(), 'readme_search');
  const sql = new pg.Client(database.url);
  await sql.connect();
  // Before the database goes, whatever happens.
  await using closing = new AsyncDisposableStack();
  closing.defer(() => sql.end());
  await sql.query('create table orders (id int primary key, item text not null, price numeric(10,2), paid boolean default false)');
  await sql.query(`insert into orders select i, 'item ' || i, i * 1.25 from generate_series(1, 20) i`);
  await using worker = await startMillrace();
  const slot = 'readme_search';
  // Tests share both servers: names of their own keep them apart.
  const prefix = freshName();
  await worker.put('orders', {
    ...example('orders'),
    'database.hostname': database.host,
    'database.port': String(database.port),
    'database.user': database.user,
    'database.password': database.password,
    'database.dbname': database.database,
    'topic.prefix': prefix,
    'slot.name': slot,
  });
  const index = example('search')['topics']?.replace(/^shop\./, `${prefix}.`) ?? '';
  await worker.put('search', { ...example('search'), 'connection.url': url, topics: index });
  const names = ['orders', 'search'];
  await whileRunning(worker, names, 'the first rows', async () => (await fetch(`${url}/${index}/_doc/20`)).ok);
  await sql.query(`update orders set paid = true, item = item || '!' where id % 3 = 0`);
  await sql.query('delete from orders where id % 5 = 0');
  await sql.query(`insert into orders values (0, 'last', null, true)`);
  await whileRunning(worker, names, 'the last row', async () => (await fetch(`${url}/${index}/_doc/0`)).ok);
  const { rows } = await sql.query<{ id: number }>('select id, item, price::float8, paid from orders');
  await until('what was deleted is gone', async () => (await documentsOf(url, index)).size === rows.length);
  const found = await documentsOf(url, index);
  for (const row of rows) deepEqual(found.get(String(row.id))?._source, row);
  equal(found.size, rows.length);
  await worker.request('DELETE', '/connectors/orders');
  await until('the slot is free', async () => (await sql.query('select pg_drop_replication_slot($1)', [slot])).rowCount === 1);
});
