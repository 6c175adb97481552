/** A table of PostgreSQL under load, through the embedded log, into objects: replayed, they are the table. */
import { deepEqual, ok } from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { until } from '../../../test/chaos/until.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import type { S3Server } from '../../../test/services/s3.ts';
import { usePostgres, useS3 } from '../../../test/services/share.ts';
import { textsIn } from './harness.ts';
import { namesIn, reach, whileRunning } from './worker-sink.ts';

interface Row {
  readonly id: number;
  readonly text: string;
}

interface Change {
  readonly op: 'c' | 'r' | 'u' | 'd';
  readonly before: Row | null;
  readonly after: Row | null;
}

const rounds = 30;
const rowsInRound = 40;
const json = { 'value.converter': 'org.apache.kafka.connect.json.JsonConverter', 'value.converter.schemas.enable': 'false' };

let server: S3Server;
let client: S3Client;
let database: Database;
before(async () => {
  server = await useS3();
  client = await server.client();
  database = await createDatabase(await usePostgres(), 's3_table');
});
after(async () => {
  client.destroy();
  await database[Symbol.asyncDispose]();
});

it('objects replayed are the table, after inserts, updates and deletes', async (t) => {
  const sql = new pg.Client(database.url);
  await sql.connect();
  t.after(async () => {
    await until('the slot is dropped', async () => (await sql.query(`select pg_drop_replication_slot('s3table')`)).rowCount === 1);
    await sql.end();
  });
  await sql.query('create table rows (id int primary key, text text not null); alter table rows replica identity full');
  await sql.query(`insert into rows select i, 'first ' || i from generate_series(1, 100) i`);
  const bucket = await server.createBucket();
  await using worker = await startMillrace();
  await worker.put('table', {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'database.hostname': database.host,
    'database.port': String(database.port),
    'database.user': database.user,
    'database.password': database.password,
    'database.dbname': database.database,
    'topic.prefix': 's3table',
    'plugin.name': 'pgoutput',
    'publication.name': 's3table',
    'publication.autocreate.mode': 'filtered',
    'slot.name': 's3table',
    'table.include.list': 'public.rows',
    ...json,
  });
  await worker.put('objects', {
    'connector.class': 'io.confluent.connect.s3.S3SinkConnector',
    topics: 's3table.public.rows',
    ...reach(server.endpoint, bucket),
    'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
    'flush.size': '500',
    'rotate.wall.clock.interval.ms': '1000',
    'behavior.on.null.values': 'ignore',
    transforms: 'hourly',
    'transforms.hourly.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
    'transforms.hourly.offset.field': 'offset',
    ...json,
  });
  // The load is to be streamed, not read from the table.
  await whileRunning(worker, 'objects', 'the first rows', async () => (await namesIn(client, bucket)).length > 0);
  let next = 101;
  for (let round = 0; round < rounds; round++) {
    await sql.query(`insert into rows select i, 'new ' || i from generate_series($1::int, $2::int) i`, [next, next + rowsInRound - 1]);
    next += rowsInRound;
    await sql.query(`update rows set text = text || '.' where id % 7 = $1`, [round % 7]);
    await sql.query('delete from rows where id % 11 = $1 and id % 3 = $2', [round % 11, round % 3]);
  }
  const { rows } = await sql.query<Row>('select id, text from rows order by id');
  await sql.query(`insert into rows values (0, 'last')`);
  await whileRunning(worker, 'objects', 'the last row', async () =>
    Object.values(await textsIn(client, bucket)).some((text) => text.includes('"text":"last"')),
  );
  const replayed = new Map<number, Row>();
  const texts = Object.entries(await textsIn(client, bucket)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  ok(texts.length > 2, `${texts.length} objects`);
  let last = -1;
  for (const line of texts.flatMap(([, text]) => text.trimEnd().split('\n'))) {
    const { op, before: old, after: row, offset } = JSON.parse(line) as Change & { readonly offset: number };
    ok(offset > last, `offset ${offset} after ${last}`);
    last = offset;
    if (op === 'd') replayed.delete((old as Row).id);
    else replayed.set((row as Row).id, row as Row);
  }
  replayed.delete(0);
  deepEqual(
    [...replayed.values()].map(({ id, text }) => ({ id, text })).toSorted((a, b) => a.id - b.id),
    rows,
  );
});
