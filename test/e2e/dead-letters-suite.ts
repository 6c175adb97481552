/** A worker that is killed again and again while every twentieth record is poison: each of those is one dead letter. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createRandom, seedNote } from '../chaos/seed.ts';
import type { MillraceServer } from '../services/millrace.ts';
import type { TopicRecord, TopicRecords } from './topic-records.ts';
import { eventually, linesOf } from './worker-states.ts';

const rounds = 6;
const linesInRound = 2_000;
/** Ten kinds, as lines of JSON with schemas, of a struct with one number. */
const poison = [
  'no JSON',
  '{"schema":',
  '{}',
  '5',
  '{"schema":{"type":"int32"}}',
  '{"schema":{"type":"int32","optional":false},"payload":null}',
  '{"schema":{"type":"int32"},"payload":"text"}',
  '{"schema":{"type":"no type"},"payload":1}',
  `{"schema":{"type":"string"},"payload":${'['.repeat(10_000)}}`,
  '{"schema":{"type":"string"},"payload":"not a number"}',
];

/** Which kind of poison it is: values are too long to be shown. */
const kindOf = ({ value }: TopicRecord): number => poison.indexOf(value ?? '');

export interface KilledWorker {
  readonly worker: MillraceServer;
  /** Unique in its log. */
  readonly name: string;
  read(topic: string): Promise<TopicRecords>;
}

export function registerKills(what: string, start: () => Promise<KilledWorker>): void {
  it(`on ${what} each poison record is a dead letter once, and no other is lost, with kill -9 at any time`, async (t) => {
    t.diagnostic(seedNote);
    const random = createRandom('dead letters');
    const { worker, name, read } = await start();
    await using _ = worker;
    const input = join(worker.folder, 'in.txt');
    const output = join(worker.folder, 'out.txt');
    const topic = `${name}-lines`;
    const letters = `${name}-letters`;
    const bad: string[] = [];
    const good: string[] = [];
    let count = 0;
    const append = (): void => {
      const lines = Array.from({ length: linesInRound }, () => {
        const n = count++;
        if (n % 20 !== 7) {
          good.push(String(n));
          return `{"schema":{"type":"string"},"payload":"${n}"}`;
        }
        const line = poison[bad.length % poison.length] as string;
        bad.push(line);
        return line;
      });
      appendFileSync(input, `${lines.join('\n')}\n`);
    };
    const connectors = async (): Promise<void> => {
      const text = {
        'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
        'topic.creation.default.partitions': '1',
        'topic.creation.default.replication.factor': '1',
      };
      await worker.put(`${name}-source`, { 'connector.class': 'FileStreamSource', file: input, topic, ...text });
      await worker.put(`${name}-sink`, {
        'connector.class': 'FileStreamSink',
        file: output,
        topics: topic,
        'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
        transforms: 'c',
        'transforms.c.type': 'org.apache.kafka.connect.transforms.Cast$Value',
        'transforms.c.spec': 'int64',
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': letters,
        'errors.deadletterqueue.topic.replication.factor': '1',
        'consumer.override.session.timeout.ms': '6000',
        'consumer.override.max.poll.records': '50',
      });
    };
    append();
    await connectors();
    for (let round = 1; round < rounds; round++) {
      await sleep(random.between(0, 2_500));
      await worker.kill();
      append();
      await worker.restart();
      await connectors();
    }
    await eventually('all good lines', () => new Set(linesOf(output)).size >= good.length);
    // The file source repeats lines on Kafka where a kill came before their offset was stored: what the sink read is what counts.
    const sent = (await read(topic))[topic] ?? [];
    const expected = sent.filter(({ value }) => poison.includes(value ?? '')).map(kindOf);
    const found = await eventually('all dead letters', async () => {
      const kinds = ((await read(letters))[letters] ?? []).map(kindOf);
      return kinds.length >= expected.length && kinds;
    });
    assert.ok(expected.length >= bad.length);
    assert.equal(found.length, expected.length);
    assert.equal(found.join(' '), expected.join(' '));
    assert.deepEqual([...new Set(linesOf(output))].toSorted(), good.toSorted());
  });
}
