import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { ConfigError } from '../api/index.ts';
import { openUsers } from './basic-auth-users.ts';
import { parseJaasFile } from './jaas-file.ts';

const loginModule = 'org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule';

describe('the users of REST', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-users-'))));
  after(async () => rm(folder, { recursive: true }));
  const written = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };

  test('are those of the file', async () => {
    const file = await written('users', '# users\nada=love=lace\ngrace: hopper\nzoë=\\u00e9t\\u00e9\nempty=\n');
    const isUser = await openUsers({ kind: 'users', file });
    assert.equal(await isUser('ada', 'love=lace'), true);
    assert.equal(await isUser('grace', 'hopper'), true);
    assert.equal(await isUser('zoë', 'été'), true);
    assert.equal(await isUser('empty', ''), true);
    for (const [name, password] of [
      ['ada', ''],
      ['ada', 'love=lac'],
      ['Ada', 'love=lace'],
      ['nobody', ''],
      ['__proto__', 'x'],
    ] as const) {
      assert.equal(await isUser(name, password), false, name);
    }
  });

  test('are read again when the file changes, and nobody while it is broken', async () => {
    const lines: string[] = [];
    const log = { info: (line: string) => void lines.push(line), error: (line: string) => void lines.push(line) };
    const file = await written('changing', 'ada=one\n');
    const isUser = await openUsers({ kind: 'users', file }, log);
    assert.equal(await isUser('ada', 'one'), true);
    await writeFile(file, 'ada=two\n');
    assert.deepEqual([await isUser('ada', 'one'), await isUser('ada', 'two')], [false, true]);
    await rename(await written('other', 'ada=six\n'), file);
    assert.deepEqual([await isUser('ada', 'two'), await isUser('ada', 'six')], [false, true]);
    await writeFile(file, '');
    assert.equal(await isUser('ada', 'six'), false);
    await rm(file);
    assert.equal(await isUser('ada', 'six'), false);
    await writeFile(file, 'ada=six\n');
    assert.equal(await isUser('ada', 'six'), true);
    assert.equal(lines.filter((line) => line.startsWith('REST answers nobody until this is put right: ')).length, 2);
    assert.doesNotMatch(lines.join(), /one|two|six/);
  });

  test('are found by a JAAS file', async () => {
    const users = await written('jaas-users', 'ada=one\n');
    const text = `// Kafka's\nKafkaClient { x.Y required; };\n/* and */ KafkaConnect {\n ${loginModule} required\n file="${users}"; };\n`;
    const isUser = await openUsers({ kind: 'jaas', file: await written('jaas', text) });
    assert.equal(await isUser('ada', 'one'), true);
  });

  test('what cannot be followed is refused, without a secret', async () => {
    const refuses = async (kind: 'jaas' | 'users', text: string, message: RegExp): Promise<void> => {
      const file = await written('refused', text);
      await assert.rejects(openUsers({ kind, file }), (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      });
    };
    await refuses('users', '# nobody\n', /refused: holds no users\. Write a line NAME=PASSWORD/);
    await refuses('users', 'ada=hunter2\\uZZ', /refused: line 1/);
    await refuses('jaas', `Other { ${loginModule} required file="x"; };`, /has no context KafkaConnect/);
    await refuses('jaas', 'KafkaConnect { org.example.Ldap required bind="hunter2"; };', /login module org\.example\.Ldap cannot run here/);
    await refuses('jaas', `KafkaConnect { ${loginModule} required; };`, /names no file of users/);
    await refuses('jaas', `KafkaConnect { ${loginModule} required file="\${user.home}/x"; };`, /Write the path itself/);
    await refuses('jaas', `KafkaConnect { ${loginModule} required file="x"; ${loginModule} required file="y"; };`, /several login modules/);
    await refuses('jaas', `KafkaConnect { ${loginModule} required file="hunter2 };`, /a quote in line 1 is not closed/);
    await refuses('jaas', `KafkaConnect {\n${loginModule} required file="x" }`, /refused: a "=" is missing|it ends where/);
    await assert.rejects(openUsers({ kind: 'users', file: join(folder, 'none') }), /none: there is no such file\.$/);
  });

  test('JAAS: several modules, options with and without quotes', () => {
    assert.deepEqual(parseJaasFile(String.raw`A{m.N optional a=b c="d;\"e" ; o.P REQUIRED ;};`).get('A'), [
      { module: 'm.N', options: { a: 'b', c: 'd;"e' } },
      { module: 'o.P', options: {} },
    ]);
  });
});
