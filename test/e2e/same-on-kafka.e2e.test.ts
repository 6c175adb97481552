/**
 * The same connectors' JSON on the embedded log and on Kafka: what is in the topics is the same, byte for byte, save
 * where and when PostgreSQL wrote the change. Read back by kafkajs and by kcat.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';

import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { createDatabase } from '../services/postgres.ts';
import type { Database } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { changes, snapshotRows, tables } from './fixtures/same-on-kafka/statements.ts';
import { changedPaths, withoutTimes } from './normalised.ts';
import { readEmbedded, readWithKafkajs, readWithKcat } from './topic-records.ts';
import type { TopicRecords } from './topic-records.ts';
import { eventually } from './worker-states.ts';

/** All that differs, by JSON path. Record timestamps are not compared at all. */
const normalised = [
  '$.payload.source.lsn',
  '$.payload.source.sequence',
  '$.payload.source.ts_ms',
  '$.payload.source.ts_ns',
  '$.payload.source.ts_us',
  '$.payload.source.txId',
  '$.payload.ts_ms',
  '$.payload.ts_ns',
  '$.payload.ts_us',
];

describe('the same connectors on the embedded log and on Kafka', () => {
  const prefix = `same_${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-same-'));
  const lines = join(folder, 'lines.txt');
  const topics = [
    `${prefix}.public.things`,
    `${prefix}.public.people`,
    `${prefix}-outbox.order`,
    `${prefix}-outbox.customer`,
    `${prefix}-lines`,
  ];
  let database: Database;
  let brokers: string[];
  let embedded: TopicRecords;
  let kafka: TopicRecords;

  function connectors(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    const postgres = {
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'plugin.name': 'pgoutput',
      'database.hostname': database.host,
      'database.port': String(database.port),
      'database.user': database.user,
      'database.password': database.password,
      'database.dbname': database.database,
      'publication.autocreate.mode': 'filtered',
      'slot.drop.on.stop': 'true',
      'topic.creation.default.partitions': '3',
      'topic.creation.default.replication.factor': '1',
    };
    return {
      tables: {
        ...postgres,
        'topic.prefix': prefix,
        'table.include.list': 'public.things,public.people',
        'slot.name': `${prefix}_tables`,
        'publication.name': `${prefix}_tables`,
        'hstore.handling.mode': 'json',
      },
      outbox: {
        ...postgres,
        'topic.prefix': `${prefix}-raw`,
        'table.include.list': 'public.outbox',
        'slot.name': `${prefix}_outbox`,
        'publication.name': `${prefix}_outbox`,
        'tombstones.on.delete': 'false',
        'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
        'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
        'value.converter.schemas.enable': 'false',
        transforms: 'outbox',
        'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
        'transforms.outbox.route.topic.replacement': `${prefix}-outbox.\${routedByValue}`,
        'transforms.outbox.table.expand.json.payload': 'true',
        'transforms.outbox.table.fields.additional.placement': 'type:header:eventType,trace:header',
      },
      lines: {
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
        file: lines,
        topic: `${prefix}-lines`,
        'producer.override.compression.type': 'gzip',
      },
    };
  }

  async function sql(statements: readonly string[]): Promise<void> {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  }

  async function untilWritten(worker: MillraceServer, connector: string, count: number): Promise<void> {
    let seen: unknown;
    await eventually(`${count} records of ${connector}`, async () => {
      const metrics = await (await fetch(`${worker.url}/metrics`)).text();
      const line = new RegExp(`^kafka_connect_source_task_metrics_source_record_write_total\\{connector="${connector}",.*\\} (\\d+)$`, 'm');
      seen = line.exec(metrics)?.[1];
      return Number(seen) === count;
    }).catch(async (cause: unknown) => {
      throw new Error(`${connector} wrote ${seen} of ${count}: ${JSON.stringify(await worker.status(connector))}\n${worker.logTail()}`, {
        cause,
      });
    });
  }

  /** The same rows, lines and changes, from an empty database on. */
  async function play(worker: MillraceServer): Promise<void> {
    writeFileSync(lines, 'first line\nsecond line, ünïcode 🐘\n');
    await sql(tables);
    for (const [name, config] of Object.entries(connectors())) await worker.put(name, config);
    await untilWritten(worker, 'tables', snapshotRows.tables);
    await untilWritten(worker, 'outbox', snapshotRows.outbox);
    for (const { statements, records } of changes) {
      await sql(statements);
      await untilWritten(worker, 'tables', records.tables);
      await untilWritten(worker, 'outbox', records.outbox);
    }
    appendFileSync(lines, '\nthe end\n');
    await untilWritten(worker, 'lines', 4);
    for (const name of Object.keys(connectors())) await worker.request('DELETE', `/connectors/${name}`);
    await worker.stop();
    assert.equal(worker.ending(), 'exit code 0');
    await sql([`drop publication ${prefix}_tables`, `drop publication ${prefix}_outbox`]);
  }

  before(async () => {
    database = await createDatabase(await usePostgres(), 'same');
    ({ brokers } = await useKafka());
    {
      await using worker = await startMillrace();
      await play(worker);
      embedded = await readEmbedded(join(worker.folder, 'log'), topics);
    }
    {
      await using worker = await startMillrace({ brokers });
      await play(worker);
      kafka = await readWithKafkajs(brokers, topics);
    }
  });
  after(async () => {
    await database?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
    const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.deleteTopics({ topics }).catch(() => {});
    await admin.disconnect();
  });

  it('there are all the records, in three partitions', () => {
    const counts = Object.fromEntries(Object.entries(embedded).map(([topic, records]) => [topic, records.length]));
    const last = changes.at(-1)?.records;
    assert.equal((counts[topics[0] ?? ''] ?? 0) + (counts[topics[1] ?? ''] ?? 0), last?.tables);
    assert.equal((counts[topics[2] ?? ''] ?? 0) + (counts[topics[3] ?? ''] ?? 0), last?.outbox);
    assert.equal(counts[topics[4] ?? ''], 4);
    const used = new Set(embedded[topics[0] ?? '']?.map(({ partition }) => partition));
    assert.ok(used.size > 1, 'more than one partition is used');
    assert.ok(
      embedded[topics[0] ?? '']?.some(({ value }) => value === null),
      'there are tombstones',
    );
    assert.ok(
      embedded[topics[2] ?? '']?.some(({ headers }) => headers.length > 1),
      'there are headers',
    );
  });

  it('kcat reads what kafkajs reads', async () => {
    assert.deepEqual(await readWithKcat(brokers, topics), kafka);
  });

  for (const topic of topics) {
    it(`${topic.replace(prefix, 'PREFIX')}: keys, values and headers are equal`, () => {
      const ours = embedded[topic] ?? [];
      const theirs = kafka[topic] ?? [];
      const clean = (records: typeof ours) => records.map((record) => ({ ...record, value: record.value && withoutTimes(record.value) }));
      assert.deepEqual(clean(theirs), clean(ours));
    });
  }

  it('nothing is normalised but places and times of the source', () => {
    const paths = Object.values(embedded)
      .flat()
      .flatMap(({ value }) => (value === null ? [] : changedPaths(value, withoutTimes(value))));
    assert.deepEqual([...new Set(paths)].toSorted(), normalised);
  });
});
