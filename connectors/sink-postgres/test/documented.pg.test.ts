/** The connectors' JSON as the peers' documentation shows it, in a whole worker; of the addresses alone they are changed. */
import { deepEqual, doesNotMatch, match } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { eventually, isRunning, taskStatus } from '../../../test/e2e/worker-states.ts';
import { startMillrace } from '../../../test/services/millrace.ts';
import type { MillraceServer } from '../../../test/services/millrace.ts';
import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import { rows, sql } from './harness.ts';
import type { RawConfig } from './harness.ts';
import { sourceConfig } from './pipeline.ts';

describe('connectors as their documentation shows them', () => {
  let [worker, from, to]: [MillraceServer, Database, Database] = [] as never;
  before(async () => {
    const server = await usePostgres();
    [from, to] = [await createDatabase(server, 'shown_from'), await createDatabase(server, 'shown_to')];
    await sql(
      from,
      'create table orders (id int primary key, product text not null, quantity int not null, price float8)',
      `insert into orders values (999, 'foo', 100, 50), (1000, 'bar', 1, null), (1001, 'baz', 2, 7)`,
      'alter table orders replica identity full',
    );
    worker = await startMillrace({ properties: { 'offset.flush.interval.ms': '200' } });
    // Both of their examples read a topic "orders".
    const route = { transforms: 'route', 'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter' };
    await worker.put('source', {
      ...sourceConfig(from.database, from, { 'table.include.list': 'public.orders' }),
      ...{ ...route, 'transforms.route.regex': '.*orders', 'transforms.route.replacement': 'orders' },
    });
  });
  after(async () => {
    await worker?.[Symbol.asyncDispose]();
    await from?.[Symbol.asyncDispose]();
    await to?.[Symbol.asyncDispose]();
  });

  const address = () => `${to.host}:${to.port}/${to.database}`;
  const post = (name: string, config: RawConfig) => worker.request('POST', '/connectors', { name, config });
  const untilRows = (query: string, expected: readonly string[]) =>
    eventually(query, async () => JSON.stringify(await rows(to, query)) === JSON.stringify(expected));

  it("Debezium's", async () => {
    await post('jdbc-connector', {
      'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
      'tasks.max': '1',
      'connection.url': `jdbc:postgresql://${address()}`,
      'connection.username': to.user,
      'connection.password': to.password,
      'insert.mode': 'upsert',
      'delete.enabled': 'true',
      'primary.key.mode': 'record_key',
      'schema.evolution': 'basic',
      'use.time.zone': 'UTC',
      topics: 'orders',
    });
    await taskStatus(worker, 'jdbc-connector', isRunning);
    const [foo, bar, baz] = [
      '{"id":999,"product":"foo","quantity":100,"price":50}',
      '{"id":1000,"product":"bar","quantity":1,"price":null}',
      '{"id":1001,"product":"baz","quantity":2,"price":7}',
    ];
    await untilRows('select * from orders order by id', [foo, bar, baz]);
    await sql(
      from,
      'delete from orders where id = 1000',
      'update orders set quantity = 5 where id = 1001',
      'alter table orders add note text',
    );
    await sql(from, `insert into orders values (1002, 'qux', 3, 1, 'new')`);
    await untilRows('select * from orders order by id', [
      `${foo.slice(0, -1)},"note":null}`,
      '{"id":1001,"product":"baz","quantity":5,"price":7,"note":null}',
      '{"id":1002,"product":"qux","quantity":3,"price":1,"note":"new"}',
    ]);
    const [key] = await sql(
      to,
      `select pg_get_constraintdef(oid) as key from pg_constraint where conrelid = 'orders'::regclass and contype = 'p'`,
    );
    deepEqual(key, { key: 'PRIMARY KEY (id)' });
  });

  it("Confluent's, of flat records", async () => {
    await sql(
      from,
      'create table flat (id int primary key, product text not null, quantity int not null)',
      `insert into flat values (1, 'a', 10)`,
    );
    await worker.put('flat-source', {
      ...sourceConfig(`${from.database}_flat`, from, { 'table.include.list': 'public.flat' }),
      transforms: 'unwrap',
      'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
      'transforms.unwrap.drop.tombstones': 'false',
    });
    await post('test-sink', {
      'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
      'tasks.max': '1',
      topics: `${from.database}_flat.public.flat`,
      'connection.url': `jdbc:postgresql://${address()}`,
      'connection.user': to.user,
      'connection.password': to.password,
      'auto.create': 'true',
      'auto.evolve': 'true',
      'insert.mode': 'upsert',
      'pk.mode': 'record_key',
      'pk.fields': 'id',
      'delete.enabled': 'true',
      'table.name.format': 'kafka_flat',
      'connection.loginTimeout': '10',
      'dialect.name': 'PostgreSqlDatabaseDialect',
    });
    await untilRows('select * from kafka_flat', ['{"id":1,"product":"a","quantity":10}']);
    await sql(from, `insert into flat values (2, 'b', 20)`, 'delete from flat where id = 1');
    await untilRows('select * from kafka_flat', ['{"id":2,"product":"b","quantity":20}']);
  });

  it('says by name which keys have no effect, and refuses what cannot be', async () => {
    const base = {
      'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
      topics: 'orders',
      'connection.url': `jdbc:postgresql://${address()}`,
    };
    const login = { 'connection.user': to.user, 'connection.password': to.password };
    const refused = async (more: RawConfig): Promise<string> => {
      try {
        await post('refused', { ...base, ...login, ...more });
      } catch (error) {
        return (error as Error).message;
      }
      throw new Error(`taken: ${JSON.stringify(more)}`);
    };
    match(
      await refused({ 'connection.url': 'jdbc:mysql://localhost/db' }),
      /jdbc:mysql:.* is not supported: this sink writes to PostgreSQL only/,
    );
    doesNotMatch(await refused({ 'connection.url': 'jdbc:mysql://localhost/db?password=hush' }), /hush/);
    match(await refused({ 'delete.enabled': 'true' }), /set pk\.mode=record_key/);
    match(await refused({ 'insert.mode': 'upsert' }), /Set pk\.mode/);
    match(await refused({ 'connection.url': `jdbc:postgresql://${to.host}:${to.port}/nowhere` }), /nowhere.* does not exist/);
    await post('warned', { ...base, ...login, 'mssql.use.merge.holdlock': 'false', 'connection.oracle.jdbc.ReadTimeout': '45000' });
    await eventually(
      'warnings',
      () => /mssql\.use\.merge\.holdlock/.test(worker.logTail(2_000)) && /oracle\.jdbc\.ReadTimeout/.test(worker.logTail(2_000)),
    );
  });
});
