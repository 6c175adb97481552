import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { RawConfig } from '../api/index.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import type { Preview, PreviewOptions } from '../ports/preview.ts';
import { createRestApp } from './app.ts';
import { startRestServer } from './server.ts';
import type { RestServer } from './server.ts';

const bytes = (content: string | readonly number[], cutFrom?: number) => ({
  bytes: new Uint8Array(typeof content === 'string' ? Buffer.from(content) : content),
  ...(cutFrom !== undefined && { cutFrom }),
});
const answer: Preview = {
  records: [
    {
      topic: 't',
      partition: 3,
      timestamp: null,
      key: bytes([0, 0, 0, 1]),
      value: bytes('{"id": 12345678901234567890, "price": 1.50, "a": 1, "a": 2}'),
      headers: [
        { key: 'h', value: bytes('plain "text"') },
        { key: 'none', value: null },
        { key: 'cut', value: bytes([...Buffer.from('1ä').subarray(0, 2)], 7) },
      ],
    },
    { topic: 'u', error: { stage: 'VALUE_CONVERTER', class: 'C', message: 'why', outcome: 'left out' } },
  ],
  dropped: 2,
  timedOut: false,
  notes: ['one'],
};

describe('a preview by REST', () => {
  const asked: { plugin: string; config: RawConfig; options: PreviewOptions }[] = [];
  let server: RestServer;
  before(async () => {
    const herder = scriptedHerder(createLogLevels());
    const preview = async (plugin: string, config: RawConfig, { records, timeoutMs }: PreviewOptions): Promise<Preview> => {
      asked.push({ plugin, config, options: { records, timeoutMs } });
      return answer;
    };
    server = await startRestServer(createRestApp({ herder: { ...herder, preview } }), ['http://127.0.0.1:0']);
  });
  after(() => server[Symbol.asyncDispose]());

  async function ask(
    query = '',
    body: unknown = { 'connector.class': 'FileStreamSource' },
    method = 'POST',
  ): Promise<{ status: number; text: string }> {
    const init = { method, headers: { 'content-type': 'application/json' }, ...(method === 'POST' && { body: JSON.stringify(body) }) };
    const found = await fetch(`${server.url}/connector-plugins/FileStreamSource/preview${query}`, init);
    assert.match(found.headers.get('content-type') ?? 'application/json', /^application\/json/);
    return { status: found.status, text: await found.text() };
  }

  it('shows what would be written, every digit of it', async () => {
    const { status, text } = await ask();
    assert.equal(status, 200);
    assert.ok(text.includes('"value":{"json":{"id": 12345678901234567890, "price": 1.50, "a": 1, "a": 2}}'), text);
    const parsed = JSON.parse(text) as { records: { key: object; headers: object[] }[]; notes: string[]; dropped: number };
    assert.deepEqual(parsed.records[0]?.key, { base64: 'AAAAAQ==' });
    assert.deepEqual(parsed.records[0]?.headers, [
      { key: 'h', value: { text: 'plain "text"' } },
      { key: 'none', value: null },
      { key: 'cut', value: { text: '1', cutFrom: 7 } },
    ]);
    assert.deepEqual(parsed.records[1], answer.records[1]);
    assert.deepEqual([parsed.notes, parsed.dropped], [['one'], 2]);
  });

  it('is asked with limits, and a config as validation takes it', async () => {
    await ask('?records=1000&timeoutMs=60000', { 'connector.class': 'FileStreamSource', 'tasks.max': 1 });
    assert.deepEqual(asked.at(-1), {
      plugin: 'FileStreamSource',
      config: { 'connector.class': 'FileStreamSource', 'tasks.max': '1' },
      options: { records: 1_000, timeoutMs: 60_000 },
    });
    await ask();
    assert.deepEqual(asked.at(-1)?.options, { records: 10, timeoutMs: 10_000 });
  });

  for (const [query, body, message] of [
    ['?records=0', {}, /"records" must be a whole number from 1 to 1000, but is "0"/],
    ['?records=1001', {}, /"records"/],
    ['?timeoutMs=60001', {}, /"timeoutMs" must be a whole number from 100 to 60000/],
    ['?record=5', {}, /Unknown query parameter "record": there are records and timeoutMs/],
    ['', { 'connector.class': 'FileStreamSink' }, /Included connector type FileStreamSink does not match request type FileStreamSource/],
    ['', { file: null }, /Invalid value null for configuration file/],
    ['', [1], /must be a JSON object/],
  ] as const) {
    it(`refuses ${query} ${JSON.stringify(body)}`, async () => {
      const { status, text } = await ask(query, body);
      assert.equal(status, 400);
      assert.match((JSON.parse(text) as { message: string }).message, message);
    });
  }

  it('is a POST', async () => {
    assert.equal((await ask('', undefined, 'GET')).status, 405);
  });
});
