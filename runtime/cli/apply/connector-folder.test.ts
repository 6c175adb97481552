import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';

import { readConnectorFolder } from './connector-folder.ts';
import { ownerOf } from './owner.ts';

const made: string[] = [];
after(() => made.forEach((folder) => rmSync(folder, { recursive: true })));

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-folder-'));
  made.push(folder);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

describe('readConnectorFolder', () => {
  test('reads each kind of file, in subfolders and through links too; numbers as they were written', async () => {
    const folder = folderOf({
      'a.json': '{"name": "a", "config": {"connector.class": "X", "n": 1.50, "p": "${file:/s:k}"}, "initial_state": "paused"}',
      'sub/b.json': '{"name": "b", "connector.class": "X", "on": true}',
      'sub/c.properties': '# a comment\nname=c\nconnector.class=X\n',
      '.hidden/d.json': 'no JSON',
      'readme.md': 'no connector',
    });
    symlinkSync(folder, join(folder, 'sub', 'round'));
    symlinkSync(join(folder, 'a.json'), join(folder, 'z.txt'));
    const { connectors, problems } = await readConnectorFolder(folder);
    assert.deepEqual(problems, []);
    assert.deepEqual(connectors, [
      { file: 'a.json', name: 'a', config: { 'connector.class': 'X', n: '1.50', p: '${file:/s:k}' }, initialState: 'PAUSED' },
      { file: 'sub/b.json', name: 'b', config: { 'connector.class': 'X', on: 'true' } },
      { file: 'sub/c.properties', name: 'c', config: { 'connector.class': 'X' } },
    ]);
  });

  test('everything that is wrong is told at once, with the line where there is one', async () => {
    const folder = folderOf({
      '1-array.json': '[{"name": "x"}]',
      '2-broken.json': '{"name": "x",\n"config": {"password": hunter2}}',
      '3-class.json': '{"name": "x3", "config": {"a": "b"}}',
      '4-names.json': '{"name": "x4",\n "config": {"connector.class": "X",\n "name": "y"}}',
      '5-state.json': '{"name": "x5",\n "config": {"connector.class": "X"},\n "initial_state": "asleep"}',
      '6-null.json': '{"name": "x6", "config": {\n "connector.class": "X",\n "topics": ["a"]}}',
      '7-slash.json': '{\n"name": "a/b", "config": {"connector.class": "X"}}',
      '8-nameless.properties': 'connector.class=X\n',
      '9-escape.properties': 'name=x9\nconnector.class=\\u00g0\n',
      'first.json': '{"name": "same", "config": {"connector.class": "X"}}',
      'second.json': '{"name": "same", "config": {"connector.class": "Y"}}',
      'unterminated.json': '"name": "x"',
    });
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dead-link.json'));
    const { problems } = await readConnectorFolder(folder);
    assert.deepEqual(
      problems.map(({ file, line }) => (line === undefined ? file : `${file}:${line}`)),
      [
        ...['1-array.json:1', '2-broken.json:2', '3-class.json', '4-names.json:3', '5-state.json:3', '6-null.json:3'],
        ...['7-slash.json:2', '8-nameless.properties', '9-escape.properties', 'dead-link.json', 'unterminated.json:1', 'second.json'],
      ],
    );
    assert.doesNotMatch(JSON.stringify(problems), /hunter2|millrace-folder/);
    assert.match(problems.at(-1)?.reason ?? '', /second file of the connector "same"; the first is first\.json/);
  });

  test('a folder that is not there', async () => {
    await assert.rejects(readConnectorFolder('/nowhere/at/all'), {
      name: 'ConfigError',
      message: '/nowhere/at/all: there is no such folder.',
    });
    const file = join(folderOf({ f: '' }), 'f');
    await assert.rejects(readConnectorFolder(file), { name: 'ConfigError', message: `${file}: it is not a folder.` });
  });
});

test('the owner is what the option says, or the file in the folder, or the folder’s name', async () => {
  const plain = folderOf({ 'team/a.json': '' });
  assert.deepEqual(await ownerOf(join(plain, 'team'), undefined), { name: 'team', isDefault: true });
  assert.deepEqual(await ownerOf(join(plain, 'team', '.'), 'other'), { name: 'other', isDefault: false });
  const named = folderOf({ '.millrace-apply.json': '{"owner": "shop"}' });
  assert.deepEqual(await ownerOf(named, undefined), { name: 'shop', isDefault: false });
  for (const text of ['', '{}', '[]', 'null', '{"owner": " "}', '{"owner": "a\\nb"}', '{"owner": "${env:X}"}']) {
    await assert.rejects(ownerOf(folderOf({ '.millrace-apply.json': text }), undefined), { name: 'ConfigError' }, text);
  }
});
