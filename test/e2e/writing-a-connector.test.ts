import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { noHeaders } from '../../runtime/api/index.ts';
import type { RawConfig, SinkRecord, SinkTask, SinkTaskContext } from '../../runtime/api/index.ts';
import { checkConnector } from '../../runtime/plugins/check-connector.ts';
import { buildPipelineParts } from '../../runtime/plugins/pipeline-parts.ts';
import { discoverPlugins } from '../../runtime/plugins/plugin-index.ts';
import type { PluginIndex } from '../../runtime/plugins/plugin-index.ts';

const guide = new URL('../../docs/writing-a-connector.md', import.meta.url);

/** The guide's code blocks that name a file. */
async function filesInGuide(): Promise<Map<string, string>> {
  const text = await readFile(guide, 'utf8');
  return new Map([...text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm)].map(([, name = '', body = '']) => [name, body]));
}

function sinkRecord(value: unknown, offset: bigint): SinkRecord {
  return {
    topic: 'orders',
    partition: 0,
    keySchema: null,
    key: null,
    valueSchema: null,
    value,
    timestamp: 1,
    headers: noHeaders,
    offset,
    timestampType: 'CreateTime',
  };
}

describe('the connector of docs/writing-a-connector.md', () => {
  let folder: string;
  let files: Map<string, string>;
  let index: PluginIndex;
  let raw: RawConfig;
  let status = 200;
  const received: { body: unknown; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ body: JSON.parse(Buffer.concat(chunks).toString()), authorization: request.headers.authorization });
      response.writeHead(status).end();
    });
  });

  before(async () => {
    files = await filesInGuide();
    folder = await mkdtemp(join(tmpdir(), 'millrace-plugin-'));
    const target = join(folder, 'sink-webhook');
    await mkdir(target);
    for (const name of ['package.json', 'index.js']) await writeFile(join(target, name), files.get(name) ?? '');
    index = await discoverPlugins([folder]);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { name, config } = JSON.parse(files.get('connector.json') ?? '') as { name: string; config: RawConfig };
    raw = { ...config, name, 'webhook.url': `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
  });

  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  async function startTask(reported: unknown[] = []): Promise<SinkTask> {
    const parts = await buildPipelineParts(raw, { 'key.converter': 'StringConverter' }, index);
    ok(parts.kind === 'sink');
    const context = {
      connector: 'hook',
      task: 0,
      rawConfig: raw,
      signal: new AbortController().signal,
      report: async (record: SinkRecord) => void reported.push(record.value),
    };
    return parts.plugin.start(parts.values, context as unknown as SinkTaskContext);
  }

  it('has fewer than 100 lines', () => {
    const lines = ['package.json', 'index.js'].flatMap((name) => (files.get(name) ?? '').trimEnd().split('\n'));
    ok(lines.length > 20 && lines.length < 100, `${lines.length} lines`);
  });

  it('is found in plugin.path by its name and by its class, and described', async () => {
    for (const name of ['sink-webhook', 'com.example.WebhookSinkConnector', 'WebhookSinkConnector', 'WebhookSink'])
      equal(index.connector(name).name, 'sink-webhook');
    const { infos } = await checkConnector(raw, index);
    equal(infos.error_count, 0);
    equal(infos.configs.find(({ value }) => value.name === 'webhook.timeout.ms')?.value.value, '5000');
  });

  it('has its config checked', async () => {
    const { problems } = await checkConnector({ ...raw, 'webhook.url': 'nowhere', 'webhook.timeout.ms': '0' }, index);
    deepEqual(problems.map(({ key }) => key).toSorted(), ['webhook.timeout.ms', 'webhook.url']);
    const { problems: both } = await checkConnector({ ...raw, 'webhook.token': 'secret' }, index);
    match(both[0]?.message ?? '', /must not be sent over http/);
  });

  it('sends records, and reports those that it cannot send', async () => {
    received.length = 0;
    const reported: unknown[] = [];
    await using task = await startTask(reported);
    await task.put([sinkRecord('a', 0n), sinkRecord(5, 1n), sinkRecord('b', 2n)]);
    await task.flush?.();
    deepEqual(received, [
      {
        body: [
          { topic: 'orders', value: 'a' },
          { topic: 'orders', value: 'b' },
        ],
        authorization: undefined,
      },
    ]);
    deepEqual(reported, [5]);
  });

  it('asks for a retry while the server fails', async () => {
    await using task = await startTask();
    status = 503;
    await rejects(task.put([sinkRecord('a', 0n)]), { name: 'RetriableError' });
    status = 400;
    await rejects(task.put([sinkRecord('a', 0n)]), { name: 'ConnectError' });
    status = 200;
    await task.put([sinkRecord('a', 0n)]);
  });
});
