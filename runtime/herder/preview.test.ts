import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { ConfigError, ConnectError } from '../api/index.ts';
import type { RawConfig } from '../api/index.ts';
import type { Preview } from '../ports/preview.ts';
import { openHerder, sourceConfig } from './test/herder-fixture.ts';

const options = { records: 5, timeoutMs: 1_000 };
const bytes = (text: string | Buffer) => ({ bytes: new Uint8Array(Buffer.from(text as string)) });
const textOf = (shown: { bytes: Uint8Array } | null | undefined): string => Buffer.from(shown?.bytes ?? []).toString();
const nothing: Preview = { records: [], dropped: 0, timedOut: false, notes: [] };

test('a preview is of a valid config, with a name or without', async () => {
  await using fixture = await openHerder();
  const { herder, plugins } = fixture;
  const asked: RawConfig[] = [];
  plugins.preview = async (config, wanted) => {
    asked.push(config);
    deepEqual(wanted, options);
    return nothing;
  };
  deepEqual(await herder.preview('ScriptSource', sourceConfig(), options), nothing);
  await herder.preview('ScriptSource', sourceConfig({ name: 'n' }), options);
  deepEqual(
    asked.map((config) => config['name']),
    ['preview', 'n'],
  );
  const invalid = herder.preview('ScriptSource', sourceConfig({ topic: 'bad' }), options);
  await rejects(invalid, {
    status: 400,
    message: /contains the following 1 error\(s\):\nInvalid value bad for configuration topic: it is bad/,
  });
  await rejects(herder.preview('None', { 'connector.class': 'None' }, options), { status: 400, message: /Failed to find any class/ });
  equal(asked.length, 2);
});

test('what has none says so', async () => {
  await using fixture = await openHerder();
  const { herder } = fixture;
  await rejects(herder.preview('ScriptSink', { 'connector.class': 'ScriptSink', topics: 't' }, options), {
    status: 422,
    message: 'ScriptSink is a sink: only sources have a preview, of what they write.',
  });
  await rejects(herder.preview('ScriptSource', sourceConfig(), options), { status: 422, message: 'ScriptSource offers no preview.' });
});

test('no secret is in it: not in notes, names, messages or records', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'preview-'));
  await writeFile(join(folder.path, 'password'), 'se"cret-ä');
  await using fixture = await openHerder({
    worker: { 'config.providers': 'dir', 'config.providers.dir.class': 'DirectoryConfigProvider' },
  });
  const { herder, plugins } = fixture;
  const config = sourceConfig({ password: `\${dir:${folder.path}:password}` });
  const raw = Buffer.concat([Buffer.from([0xff]), Buffer.from('se"cret-ä'), Buffer.from([0x00])]);
  const secret = 'se"cret-ä';
  plugins.preview = async ({ password }) => {
    equal(password, secret);
    const headers = [{ key: `h-${secret}`, value: bytes(secret) }];
    const value = bytes(JSON.stringify({ a: 1, of: `<${secret}>` }));
    const error = { stage: 'TRANSFORMATION', class: 'x', message: `no ${secret}`, outcome: 'task fails' as const };
    return {
      ...nothing,
      records: [
        { topic: `t-${secret}`, partition: null, timestamp: null, key: bytes(raw), value, headers },
        { topic: 't', error },
      ],
      notes: [`it is ${secret}`],
    };
  };
  const { records, notes } = await herder.preview('ScriptSource', config, options);
  const [record, failure] = records;
  if (record === undefined || 'error' in record || failure === undefined || !('error' in failure))
    throw new Error('a record and a failure');
  deepEqual([record.topic, record.headers[0]?.key, textOf(record.headers[0]?.value)], ['t-[hidden]', 'h-[hidden]', '[hidden]']);
  equal(textOf(record.value), '{"a":1,"of":"<[hidden]>"}');
  deepEqual(Buffer.from(record.key?.bytes ?? []), Buffer.concat([Buffer.from([0xff]), Buffer.from('[hidden]'), Buffer.from([0x00])]));
  equal(failure.error.message, 'no [hidden]');
  deepEqual(notes, ['it is [hidden]', 'what placeholders of the config stand for is shown as [hidden].']);

  plugins.preview = async () => Promise.reject(new ConnectError(`could not log in with ${secret}`));
  await rejects(herder.preview('ScriptSource', config, options), { status: 500, message: 'could not log in with [hidden]' });
  plugins.preview = async () => Promise.reject(new ConfigError('no such file'));
  await rejects(herder.preview('ScriptSource', config, options), { status: 400, message: 'no such file' });
});

test('only so many are made at once', async () => {
  await using fixture = await openHerder();
  const { herder, plugins } = fixture;
  const going = Promise.withResolvers<Preview>();
  plugins.preview = () => going.promise;
  const first = Array.from({ length: 4 }, () => herder.preview('ScriptSource', sourceConfig(), options));
  await rejects(herder.preview('ScriptSource', sourceConfig(), options), (error: Error & { status?: number }) => {
    match(error.message, /makes 4 previews already/);
    return error.status === 429;
  });
  going.resolve(nothing);
  await Promise.all(first);
  deepEqual(await herder.preview('ScriptSource', sourceConfig(), options), nothing);
});
