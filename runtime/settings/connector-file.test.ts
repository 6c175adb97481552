import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { loadConnectorFile } from './connector-file.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-connector-'));
});
after(() => rm(folder, { recursive: true }));

async function load(text: string) {
  const file = join(folder, 'x.json');
  await writeFile(file, text);
  const { file: _file, ...connector } = await loadConnectorFile(file);
  return connector;
}

test('the three forms', async () => {
  const expected = { name: 'a', config: { name: 'a', 'tasks.max': '1' } };
  assert.deepEqual(await load('{"name":"a","config":{"tasks.max":1}}'), expected);
  assert.deepEqual(await load('{"name":"a","tasks.max":"1"}'), expected);
  assert.deepEqual(await load('name=a\ntasks.max=1\n'), expected);
});

test('an initial state', async () => {
  assert.equal((await load('{"name":"a","config":{},"initial_state":"paused"}')).initialState, 'PAUSED');
  await assert.rejects(load('{"name":"a","config":{},"initial_state":"off"}'), /"initial_state" must be RUNNING, PAUSED or STOPPED/);
});

test('a flat config may have a key called config', async () => {
  assert.deepEqual((await load('{"name":"a","config":"x"}')).config, { name: 'a', config: 'x' });
});

test('mistakes name the file', async () => {
  await assert.rejects(load('{"config":{}}'), /x\.json: has no "name"; every connector needs one\.$/);
  await assert.rejects(load('[{"name":"a"}]'), /x\.json: holds a JSON array, but one object is wanted/);
  await assert.rejects(load('{"name":"a",}'), /x\.json: is not JSON: /);
  await assert.rejects(load('{"name":"a","config":{"name":"b"}}'), /"name" is a, but the config's own name is b/);
  await assert.rejects(load('{"name":"a","config":{},"more":1}'), /unknown field "more"/);
  await assert.rejects(load('{"name":"a","list":["x"]}'), /the value of "list" is an array, but must be a string\. Write a list as "a,b"/);
});
