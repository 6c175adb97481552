/**
 * Documents/s of the Elasticsearch sink's task beside the client's own bulk helper, in turns against one server, each
 * time in a process of its own: `node bench/sink-elastic.ts [documents] [rounds]`. Both do the same operations (id and
 * external version), with five requests of 5 MB under way; a round counts from the first record until all documents are
 * acknowledged, after a warm-up. Prints a table for docs/benchmarks.md: medians, and the helper twice, as its own control.
 */
import { execFile } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { promisify } from 'node:util';

import { Client } from '@elastic/elasticsearch';

import plugin from '../connectors/sink-elastic/index.ts';
import { noHeaders } from '../runtime/api/index.ts';
import type { RawConfig, SinkRecord } from '../runtime/api/index.ts';
import { mustParse } from '../runtime/plugins/config-validation.ts';
import { startElasticsearch } from '../test/services/elasticsearch.ts';
import { peakRssBytes } from './proc.ts';

const warmUp = 20_000;

interface Round {
  readonly documentsPerSecond: number;
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

const subjects: Readonly<Record<string, (url: string, index: string, count: number) => Promise<void>>> = {
  "the client's bulk helper": viaHelper,
  'sink-elastic': viaSink,
  "the client's bulk helper, again": viaHelper,
};

const [first = '200000', second = '5', url, index] = process.argv.slice(2);
const write = subjects[first];
if (write !== undefined && url !== undefined && index !== undefined)
  console.log(JSON.stringify(await measured(write, url, index, Number(second))));
else await compare(Number(first), Number(second));

async function compare(count: number, rounds: number): Promise<void> {
  await using server = await startElasticsearch({ private: true, optimized: true });
  const results = new Map<string, Round[]>(Object.keys(subjects).map((name) => [name, []]));
  for (let i = 0; i < rounds; i++) {
    // Each goes first in turn, since the server grows warm and its disk full.
    const names = Object.keys(subjects);
    for (const name of [...names.slice(i % names.length), ...names.slice(0, i % names.length)]) {
      const args = [import.meta.filename, name, String(count), server.url, `round-${i}`];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const round = JSON.parse(stdout) as Round;
      results.get(name)?.push(round);
      console.error(`  ${name}, round ${i}: ${say(round)}`);
    }
  }
  const medians = [...results].map(([name, of]) => ({ name, ...medianOf(of) }));
  const limit = medians[0]?.documentsPerSecond ?? 0;
  console.log(
    [
      `${count.toLocaleString('en')} documents of ${JSON.stringify(valueOf(0)).length} bytes, the median of ${rounds} rounds; ${cpus().length} cores (${cpus()[0]?.model.trim()}),`,
      `${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}; Elasticsearch (heap of 512 MB) on the same cores.`,
      '',
      '| subject | documents/s | against the helper | CPU per document | peak RSS |',
      '| --- | --- | --- | --- | --- |',
      ...medians.map(
        (it) =>
          `| ${it.name} | ${Math.round(it.documentsPerSecond).toLocaleString('en')} | ${(it.documentsPerSecond / limit).toFixed(2)}× | ` +
          `${it.cpuMicros.toFixed(1)} µs | ${Math.round(it.rssBytes / 1e6)} MB |`,
      ),
    ].join('\n'),
  );
}

async function measured(via: NonNullable<typeof write>, node: string, name: string, count: number): Promise<Round> {
  const client = new Client({ node });
  const settings = { number_of_shards: 1, number_of_replicas: 0, refresh_interval: '-1' };
  const round = async (documents: number): Promise<Round> => {
    await client.indices.create({ index: name, settings });
    const cpu = process.cpuUsage();
    const begin = performance.now();
    await via(node, name, documents);
    const seconds = (performance.now() - begin) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    await client.indices.refresh({ index: name });
    const found = (await client.count({ index: name })).count;
    if (found !== documents) throw new Error(`${name} holds ${found} of ${documents} documents`);
    await client.indices.delete({ index: name });
    return { documentsPerSecond: documents / seconds, cpuMicros: (user + system) / documents, rssBytes: peakRssBytes(process.pid) };
  };
  try {
    await round(Math.min(warmUp, count));
    return await round(count);
  } finally {
    await client.close();
  }
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

async function viaHelper(node: string, name: string, count: number): Promise<void> {
  const client = new Client({ node });
  async function* documents(): AsyncGenerator<{ i: number; value: Record<string, unknown> }> {
    for (let i = 0; i < count; i++) yield { i, value: valueOf(i) };
  }
  const { failed } = await client.helpers.bulk<{ i: number; value: Record<string, unknown> }>({
    datasource: documents(),
    onDocument: ({ i, value }) => [{ index: { _index: name, _id: `key-${i}`, version: i, version_type: 'external' } }, value],
  });
  await client.close();
  if (failed > 0) throw new Error(`${failed} documents failed`);
}

/** With the config's defaults: 5 MB as the helper, and 2,000 records. */
async function viaSink(node: string, name: string, count: number): Promise<void> {
  const raw: RawConfig = { 'connection.url': node, topics: name, 'schema.ignore': 'true', 'read.timeout.ms': '120000' };
  const partition = { topic: name, partition: 0 };
  await using task = await plugin.start(mustParse(plugin.config, raw, 'bench') as never, {
    connector: 'bench',
    task: 0,
    rawConfig: raw,
    signal: new AbortController().signal,
    log: { debug() {}, info() {}, warn: console.error, error: console.error },
    fail: (error) => {
      throw error;
    },
    assignment: () => [partition],
    topicId: () => 'bench',
    seek() {},
    pause() {},
    resume() {},
    requestCommit() {},
    async overtaken() {},
    report: async (_record, error) => {
      throw error;
    },
  });
  for (let i = 0; i < count; i += 500) await task.put(Array.from({ length: Math.min(500, count - i) }, (_, j) => recordOf(name, i + j)));
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

function medianOf(of: readonly Round[]): Round {
  const median = (figure: keyof Round): number => of.map((each) => each[figure]).toSorted((a, b) => a - b)[of.length >> 1] ?? 0;
  return { documentsPerSecond: median('documentsPerSecond'), cpuMicros: median('cpuMicros'), rssBytes: median('rssBytes') };
}

function say({ documentsPerSecond, cpuMicros, rssBytes }: Round): string {
  return `${Math.round(documentsPerSecond).toLocaleString('en')} documents/s, ${cpuMicros.toFixed(1)} µs of CPU for each, ${Math.round(rssBytes / 1e6)} MB`;
}
