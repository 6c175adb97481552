import { deepEqual, equal } from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { schemas, structOf, structSchema } from '@millrace/runtime/api';

import { pluginsOf } from '../../../runtime/plugins/manifest.ts';
import { createDatabase } from '../../../test/services/postgres.ts';
import type { Database } from '../../../test/services/postgres.ts';
import { usePostgres } from '../../../test/services/share.ts';
import manifest from '../package.json' with { type: 'json' };
import { at, rawConfig, record, rows, runSink } from './harness.ts';

const through = 'connect-sink-resubmitted';
const schema = structSchema([['id', schemas.int32]]);
const row = (id: number) => structOf(schema, { id });

/** The letter of t-2, at an offset of the topic that it comes through. */
const letter = (offset: number, first: number, id: number) =>
  record(offset, row(id), { originalTopic: through, resubmitted: { topic: 't', partition: 2, offset: BigInt(first) } });

describe('dead letters that were resubmitted', () => {
  let database: Database;
  before(async () => (database = await createDatabase(await usePostgres(), 'sink_resubmitted')));
  after(() => database[Symbol.asyncDispose]());

  it('go straight to both sinks, whose package says so', () => {
    deepEqual(
      pluginsOf(manifest, new URL(import.meta.url))?.map(({ resubmission }) => resubmission),
      [true, true],
    );
  });

  it('are written once each, below positions of their own', async () => {
    const raw = rawConfig(database, { 'auto.create': 'true', 'table.name.format': 'once_${topic}' });
    {
      await using sink = await runSink(raw, { open: [at(0, 0), at(0, 0, through)] });
      await sink.write(...[0, 1, 2].map((id) => record(id, row(id))), letter(0, 1, 10), letter(1, 0, 11));
    }
    // As after a crash before the offsets were committed: nothing is there twice.
    await using sink = await runSink(raw, { open: [at(0, 0), at(0, 0, through)] });
    await sink.write(...[0, 1, 2].map((id) => record(id, row(id))), letter(0, 1, 10), letter(1, 0, 11), letter(2, 0, 12));
    deepEqual(
      (await rows(database, 'select id from once_t order by id')).map((line) => (JSON.parse(line) as { id: number }).id),
      [0, 1, 2, 10, 11, 12],
    );
    deepEqual(await sink.safe(at(0, 3), at(0, 3, through)), [at(0, 3), at(0, 3, through)]);
    equal(sink.reported.length, 0);
  });

  for (const [flavour, keys] of [
    ['confluent', { 'pk.mode': 'kafka', 'auto.create': 'true', 'table.name.format': 'kafka_confluent' }],
    ['debezium', { 'primary.key.mode': 'kafka', 'schema.evolution': 'basic', 'collection.name.format': 'kafka_debezium' }],
  ] as const) {
    it(`have the key of the place where they stood first (${flavour})`, async () => {
      const raw = rawConfig(database, { ...keys, 'insert.mode': 'upsert' });
      await using sink = await runSink(raw, { flavour, open: [at(0, 0), at(0, 0, through)] });
      await sink.write(record(0, row(0)), letter(0, 7, 1), letter(1, 7, 2));
      deepEqual(
        await rows(
          database,
          `select __connect_topic as t, __connect_partition as p, __connect_offset as o, id from kafka_${flavour} order by p`,
        ),
        ['{"t":"t","p":0,"o":0,"id":0}', '{"t":"t","p":2,"o":7,"id":2}'],
      );
    });
  }
});
