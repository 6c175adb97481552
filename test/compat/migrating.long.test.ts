/** Follows docs/migrating-from-kafka-connect.md to the letter, there and back, under load. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { checkChanges } from '../chaos/change-check.ts';
import { changesOf } from '../chaos/change.ts';
import { createTables, readHistory, startLoad, table } from '../chaos/row-load.ts';
import { slotIsActive } from '../chaos/slot.ts';
import { sourceConfig } from '../chaos/source-config.ts';
import { kafkaTopicReader } from '../chaos/topic-reader.ts';
import { until } from '../chaos/until.ts';
import type { WorkersStatus } from '../services/cluster.ts';
import { startConnect } from '../services/connect.ts';
import { freePort } from '../services/free-port.ts';
import { createDatabase } from '../services/postgres.ts';
import { useKafka, usePostgres } from '../services/share.ts';
import { commands, openSite } from './migration-site.ts';
import type { Service } from './migration-site.ts';

const properties = {
  'plugin.discovery': 'service_load',
  'offset.flush.interval.ms': '1000',
  'session.timeout.ms': '6000',
  'heartbeat.interval.ms': '1000',
  'scheduled.rebalance.max.delay.ms': '2000',
};
const strings = 'org.apache.kafka.connect.storage.StringConverter';
const heap = ['-Xms128M', '-Xmx512M'];

test(
  'docs/migrating-from-kafka-connect.md, followed literally: records flow after each step, and none is lost',
  { timeout: 10 * 60_000 },
  async (t) => {
    const { brokers } = await useKafka();
    const id = `move_${randomBytes(4).toString('hex')}`;
    await using database = await createDatabase(await usePostgres(), 'move');
    await createTables(database.url);
    const services: Record<string, Service> = {};
    const ports: Record<string, number> = { 8084: await freePort() };
    await using site = await openSite(services, ports);
    const [lines, standaloneLines, out] = ['in.txt', 'standalone.txt', 'out.txt'].map((name) => join(site.folder, name)) as [
      string,
      string,
      string,
    ];
    for (const file of [lines, standaloneLines, out]) writeFileSync(file, '');

    await using jvm = await startConnect({ brokers, group: id, heap, properties });
    const source = { 'connector.class': 'FileStreamSource', topic: `${id}-lines`, file: lines, 'value.converter': strings };
    const sink = { 'connector.class': 'FileStreamSink', topics: `${id}-lines`, file: out, 'value.converter': strings };
    await create(jvm.url, `${id}-source`, source);
    await create(jvm.url, `${id}-sink`, sink);
    await create(jvm.url, id, sourceConfig(id, database, { 'heartbeat.interval.ms': '500' }));
    await until('Debezium streams', () => slotIsActive(database.url, id));
    const alone = { name: `${id}-alone`, ...source, topic: `${id}-alone`, file: standaloneLines };
    services['kafka-connect'] = { start: () => jvm.restart(), stop: () => jvm.stop() };
    ports['8083'] = jvm.port;
    site.write('worker.properties', readFileSync(jvm.workerFile, 'utf8'));

    // The load: rows that change, and a line for each of the files every so often.
    await using load = startLoad({ url: database.url, clients: 2, pauseMs: 100 });
    let written = 0;
    const writer = setInterval(() => {
      written++;
      for (const file of [lines, standaloneLines]) appendFileSync(file, `line ${written}\n`);
    }, 50);
    t.after(() => clearInterval(writer));

    const reader = kafkaTopicReader(brokers);
    const grows = async (topic: string): Promise<void> => {
      const before = await reader.count(topic);
      await until(`records flow into ${topic}`, async () => (await reader.count(topic)) >= before + 10);
    };
    const flows = async (): Promise<void> => {
      await grows(`${id}.${table}`);
      await grows(`${id}-lines`);
      const before = readFileSync(out).length;
      await until('lines flow out of it', () => readFileSync(out).length > before);
    };
    /** All run, on exactly these workers, and records flow. */
    const runOn = async (asked: number, ...workers: readonly number[]): Promise<void> => {
      const wanted = workers.map((port) => `127.0.0.1:${port}`).toSorted();
      await until(`all run on ${wanted.join(' and ')}`, async () => {
        const all = (await (await fetch(`http://127.0.0.1:${asked}/connectors?expand=status`)).json()) as Record<
          string,
          { status: WorkersStatus }
        >;
        const tasks = Object.values(all).flatMap(({ status }) => status.tasks);
        for (const { state, trace } of tasks) equal(state, 'RUNNING', trace ?? state);
        equal(tasks.length, 3);
        deepEqual([...new Set(tasks.map(({ worker_id }) => worker_id))].toSorted(), wanted);
        return true;
      });
      await flows();
    };

    const millrace = ports['8084'] as number;
    const steps = commands();
    const next = async (heading: string): Promise<string> => {
      const step = steps.shift();
      equal(step?.heading, heading);
      const begun = performance.now();
      const said = await site.run(step.block);
      t.diagnostic(`${heading}: ${Math.round(performance.now() - begun)} ms`);
      return said;
    };

    await flows();
    await next('Look before you start');
    equal((JSON.parse(readFileSync(join(site.folder, 'connectors', `${id}.json`), 'utf8')) as Record<string, string>)['slot.name'], id);
    const looked = await next('Look before you start');
    match(looked, /plugin\.path/);
    match(looked, /3 to create/);
    await runOn(jvm.port, jvm.port);

    await next('Rolling in');
    await runOn(millrace, jvm.port, millrace);
    const watched = await next('Rolling in');
    match(watched, new RegExp(`leader_name="${jvm.url}/"`));
    match(watched, new RegExp(`RUNNING.*127\\.0\\.0\\.1:${millrace}`));

    await next('Rolling out');
    await runOn(millrace, millrace);
    match(await next('Rolling out'), /worker_id/);

    await next('The way back');
    await runOn(jvm.port, jvm.port);

    await next('The big switch');
    await runOn(millrace, millrace);
    await next('The big switch');
    await runOn(jvm.port, jvm.port);
    await load.stop();
    clearInterval(writer);
    const lineCount = written;
    await everyLine(`${id}-lines`, lineCount);
    await until('the sink has written every line', () => new Set(readFileSync(out, 'utf8').trimEnd().split('\n')).size === lineCount);
    const history = await readHistory(database.url);
    await until('every change is there', async () => {
      deepEqual(checkChanges(changesOf(await reader.read(`${id}.${table}`)), history).problems, []);
      return true;
    });
    await jvm.stop();

    // A standalone worker reads what the file has had all along, and what is added in each life.
    await using standalone = await startConnect({ brokers, mode: 'standalone', heap, properties, connectors: [alone] });
    services['kafka-connect-standalone'] = { start: () => standalone.restart(), stop: () => standalone.stop() };
    ports['8085'] = standalone.port;
    site.write('standalone.properties', readFileSync(standalone.workerFile, 'utf8'));
    site.write('file-source.properties', readFileSync(standalone.connectorFiles[0] as string, 'utf8'));
    const more = (): void => appendFileSync(standaloneLines, `line ${++written}\n`);
    await everyLine(alone.topic, written);
    for (let turn = 0; turn < 2; turn++) {
      await next('Standalone workers');
      more();
      await everyLine(alone.topic, written);
    }
    deepEqual(steps, []);

    /** Each line stands there, in the order of its first coming. */
    async function everyLine(topic: string, count: number): Promise<void> {
      let values: string[] = [];
      await until(`${topic} holds every line`, async () => {
        values = (await reader.read(topic)).map(({ value }) => value ?? '');
        return new Set(values).size === count;
      });
      deepEqual(
        [...new Set(values)],
        Array.from({ length: count }, (_, at) => `line ${at + 1}`),
      );
      ok(values.length >= count);
      t.diagnostic(`${topic}: ${count} lines, ${values.length - count} repeated`);
    }
  },
);

async function create(url: string, name: string, config: Readonly<Record<string, string>>): Promise<void> {
  const answer = await fetch(`${url}/connectors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, config }),
  });
  equal(answer.status, 201, await answer.text());
}
