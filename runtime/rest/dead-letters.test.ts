import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createLogLevels } from '../logging/log-levels.ts';
import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import type { DeadLetter, DeadLetters, DiscardRequest, ListQuery, ResubmitRequest } from '../ports/dead-letters.ts';
import { createRestApp } from './app.ts';
import { startRestServer } from './server.ts';
import type { RestServer } from './server.ts';

const letter: DeadLetter = {
  partition: 0,
  offset: 9_007_199_254_740_993n,
  timestampMs: 1_700_000_000_000,
  key: Buffer.from('k'),
  value: Buffer.from('äöü'),
  headers: [{ key: 'h', value: Buffer.from([0xff]) }],
  origin: { topic: 't', partition: 1, offset: 5n },
  failure: { stage: 'VALUE_CONVERTER' },
  state: 'resubmitted',
  entry: { state: 'resubmitted', atMs: 0, connector: 'c', to: { topic: 't', partition: 1, offset: 8n } },
};

describe('dead letters by REST', () => {
  const asked: (ListQuery | ResubmitRequest | DiscardRequest)[] = [];
  let server: RestServer;
  const letters: DeadLetters = {
    async list(_name, query) {
      asked.push(query);
      return { topic: 'dlq', letters: [letter], next: { partition: 0, offset: 17n } };
    },
    get: async () => letter,
    async resubmit(_name, request) {
      asked.push(request);
      return { topic: 'dlq', outcomes: [{ partition: 0, offset: 3n, outcome: 'held', reason: 'why' }], dryRun: request.dryRun };
    },
    async discard(_name, request) {
      asked.push(request);
      return { topic: 'dlq', outcomes: [], dryRun: false };
    },
  };
  const ask = async (path: string, body?: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${server.url}/connectors/c/dead-letters${path}`, {
      ...(body !== undefined && { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
    });
    return { status: answer.status, text: await answer.text() };
  };

  before(async () => {
    server = await startRestServer(createRestApp({ herder: scriptedHerder(createLogLevels()), deadLetters: letters }), [
      'http://127.0.0.1:0',
    ]);
  });
  after(() => server[Symbol.asyncDispose]());

  it('are shown with every digit, and cut at characters', async () => {
    const { text } = await ask('?bytes=3');
    assert.match(text, /"offset":9007199254740993,/);
    const page = JSON.parse(text) as { letters: { value: object; headers: object[]; outcome: object }[]; next: string };
    assert.equal(page.next, '0:17');
    assert.deepEqual(page.letters[0]?.value, { text: 'ä', cutFrom: 6 });
    assert.deepEqual(page.letters[0]?.headers, [{ key: 'h', value: { base64: '/w==' } }]);
    assert.match((await ask('/0/5')).text, /"value":\{"text":"äöü"\}/);
  });

  it('are filtered', async () => {
    await ask(
      '?state=new,failed&stage=TASK_PUT&key=k&since=2026-01-31T12:00:00Z&until=5&fromOffset=3&limit=7&after=1:4&check=true&forward=true',
    );
    assert.deepEqual(asked.at(-1), {
      filter: {
        states: ['new', 'failed'],
        stage: 'TASK_PUT',
        key: Buffer.from('k'),
        sinceMs: Date.UTC(2026, 0, 31, 12),
        untilMs: 5,
        fromOffset: 3n,
      },
      limit: 7,
      after: { partition: 1, offset: 4n },
      check: true,
    });
  });

  it('are chosen and edited, numbers as they were written', async () => {
    const edits = '"key":null,"value":{"json":{"n":1.10,"big":9007199254740993}},"headers":[{"key":"h","value":{"base64":"/w=="}}]';
    const { status, text } = await ask('/resubmit', `{"letters":[{"partition":0,"offset":3,${edits}}],"target":"sink","force":true}`);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), {
      topic: 'dlq',
      dryRun: false,
      counts: { held: 1 },
      letters: [{ partition: 0, offset: 3, outcome: 'held', reason: 'why' }],
      next: null,
    });
    const edit = {
      key: null,
      value: Buffer.from('{"n":1.10,"big":9007199254740993}'),
      headers: [{ key: 'h', value: Buffer.from([0xff]) }],
    };
    const selection = { letters: [{ partition: 0, offset: 3n, edit }] };
    assert.deepEqual(asked.at(-1), { selection, target: 'sink', force: true, dryRun: false });
    await ask('/discard', '{"filter":{"stage":"X"},"limit":5,"after":"0:9","dryRun":true}');
    const filtered = { filter: { stage: 'X' }, limit: 5, after: { partition: 0, offset: 9n } };
    assert.deepEqual(asked.at(-1), { selection: filtered, dryRun: true });
  });

  for (const [path, body, message] of [
    ['?colour=red', undefined, /Unknown query parameter \\"colour\\"/],
    ['?limit=0', undefined, /\\"limit\\" must be a whole number from 1 to 1000/],
    ['?state=gone', undefined, /\\"gone\\" is none of them/],
    ['?since=yesterday', undefined, /\\"since\\" must be a time/],
    ['/x/3', undefined, /PARTITION:OFFSET/],
    ['/resubmit', '{}', /Say which letters/],
    ['/resubmit', '{"filter":{},"letters":[]}', /Say which letters/],
    ['/resubmit', '{"filter":{"colour":"red"}}', /Unrecognized field \\"colour\\"/],
    ['/resubmit', '{"filter":{},"target":"moon"}', /\\"target\\" must be/],
    ['/resubmit', '{"filter":{},"force":"yes"}', /\\"force\\" must be true or false/],
    ['/resubmit', '{"letters":[{"partition":0,"offset":1,"value":{"hex":"ff"}}]}', /must be null, a string/],
    ['/discard', '{"letters":[{"partition":0,"offset":1,"value":"x"}]}', /cannot be given/],
  ] as const) {
    it(`refuses ${path} ${body ?? ''}`, async () => {
      const { status, text } = await ask(path, body);
      assert.equal(status, 400);
      assert.match(text, message);
    });
  }
});
