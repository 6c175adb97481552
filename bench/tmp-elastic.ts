/**
 * Documents/s of the Elasticsearch sink's task beside the client's own bulk helper, in turns against one server:
 * `node bench/sink-elastic.ts [documents] [rounds]`. Both do the same operations (id and external version), with five
 * requests under way; a round counts from the first record until all documents are acknowledged.
 */
import { Client } from '@elastic/elasticsearch';

import plugin from '../connectors/sink-elastic/index.ts';
import { noHeaders } from '../runtime/api/index.ts';
import type { ConfigValues, RawConfig, SinkRecord } from '../runtime/api/index.ts';
import { parseConfig } from '../runtime/plugins/config-validation.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';

const count = Number(process.argv[2] ?? 200_000);
const rounds = Number(process.argv[3] ?? 5);

interface Round {
  readonly documentsPerSecond: number;
  readonly cpuMicros: number;
}

function valueOf(i: number): Record<string, unknown> {
  return {
    id: 1_000_000 + i,
    customer_id: i % 99_999,
    status: ['new', 'paid', 'sent'][i % 3],
    amount: (i % 100_000) / 100,
    note: (i * 2_654_435_761).toString(16).padStart(240, 'a'),
    created_at: '2024-02-29T11:14:15.123456Z',
  };
}

let bulks = 0;
await using server = await startElasticsearch({ private: true });
const client = new Client({ node: server.url });
const sink: Round[] = [];
const helper: Round[] = [];
let flushBytes = 5_000_000; let extra: RawConfig = {};
await round('warm-up', viaHelper, []);
await round('warm-up2', viaSink, []);
const table: Record<string, Round[]> = {};
for (let i = 0; i < rounds; i++) for (const [n, f, e, b] of [['helper5M', viaHelper, {}, 5e6], ['helper800k', viaHelper, {}, 8e5], ['sink2000', viaSink, {}, 0], ['sink12000', viaSink, {'batch.size':'12000','max.buffered.records':'120000','bulk.size.bytes':'5000000'}, 0]] as const) { flushBytes = b; extra = e; await round(`${n.toLowerCase()}-${i}`, f, table[n] ??= []); }
for (const [n, r] of Object.entries(table)) console.log(n, say(median(r)));
await client.close(); await server[Symbol.asyncDispose](); process.exit(0);
for (let i = 0; i < rounds; i++) {
  // Each goes first in turn, since the server grows warm and its disk full.
  const both = [() => round(`sink-${i}`, viaSink, sink), () => round(`helper-${i}`, viaHelper, helper)];
  for (const one of i % 2 === 0 ? both : both.toReversed()) await one();
}
await client.close();
const [ours, theirs] = [median(sink), median(helper)];
console.log(`sink-elastic: ${say(ours)}`);
console.log(`the client's bulk helper: ${say(theirs)}`);
console.log(
  `ratio ${(ours.documentsPerSecond / theirs.documentsPerSecond).toFixed(2)}, RSS of both and the documents ${Math.round(process.memoryUsage.rss() / 1e6)} MB`,
);

async function round(index: string, write: (index: string) => Promise<void>, into: Round[]): Promise<void> {
  const settings = { number_of_shards: 1, number_of_replicas: 0, refresh_interval: '-1' };
  await client.indices.create({ index, settings });
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await write(index);
  const seconds = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  await client.indices.refresh({ index });
  const found = (await client.count({ index })).count;
  if (found !== count) throw new Error(`${index} holds ${found} of ${count} documents`);
  await client.indices.delete({ index });
  const it = { documentsPerSecond: count / seconds, cpuMicros: (user + system) / count };
  into.push(it);
  console.log(`  ${index}: ${say(it)} ${bulks} bulks`); bulks = 0;
}

async function viaHelper(index: string): Promise<void> {
  const { failed } = await client.helpers.bulk<{ i: number; value: Record<string, unknown> }>({
    datasource: Array.from({ length: count }, (_, i) => ({ i, value: valueOf(i) })),
    flushBytes,
    onDocument: ({ i, value }) => [{ index: { _index: index, _id: `key-${i}`, version: i, version_type: 'external' } }, value],
  });
  if (failed > 0) throw new Error(`${failed} documents failed`);
}

async function viaSink(index: string): Promise<void> {
  const raw: RawConfig = { 'connection.url': server.url, topics: index, 'schema.ignore': 'true', 'read.timeout.ms': '120000', ...extra };
  const values = parseConfig(plugin.config, raw).values as ConfigValues<typeof plugin.config>;
  const partition = { topic: index, partition: 0 };
  await using task = await plugin.start(values, {
    connector: 'bench',
    task: 0,
    rawConfig: raw,
    signal: new AbortController().signal,
    setFigure: (n: string, v: number) => { if (n === 'bulk-requests-total') bulks = v; },
    log: { debug() {}, info() {}, warn: console.warn, error: console.error },
    fail: (error) => {
      throw error;
    },
    assignment: () => [partition],
    topicId: () => 'bench',
    seek() {},
    pause() {},
    resume() {},
    requestCommit() {},
    report: async (_record, error) => {
      throw error;
    },
  });
  for (let i = 0; i < count; i += 500) await task.put(Array.from({ length: Math.min(500, count - i) }, (_, j) => recordOf(index, i + j)));
  while ((await task.preCommit?.([{ ...partition, offset: BigInt(count) }]))?.[0]?.offset !== BigInt(count));
}

function recordOf(topic: string, i: number): SinkRecord {
  return {
    topic,
    partition: 0,
    keySchema: null,
    key: `key-${i}`,
    valueSchema: null,
    value: valueOf(i),
    timestamp: 1,
    headers: noHeaders,
    offset: BigInt(i),
    timestampType: 'CreateTime',
  };
}

function median(of: readonly Round[]): Round {
  return of.toSorted((a, b) => a.documentsPerSecond - b.documentsPerSecond)[of.length >> 1] as Round;
}

function say({ documentsPerSecond, cpuMicros }: Round): string {
  return `${Math.round(documentsPerSecond).toLocaleString('en')} documents/s, ${cpuMicros.toFixed(1)} µs of CPU here for each`;
}
