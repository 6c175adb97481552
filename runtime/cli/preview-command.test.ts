import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { scriptedHerder } from '../../test/contract/scripted-herder.ts';
import { createLogLevels } from '../logging/log-levels.ts';
import { RequestError } from '../ports/herder.ts';
import type { Preview } from '../ports/preview.ts';
import { createRestApp } from '../rest/app.ts';
import { startRestServer } from '../rest/server.ts';
import { runCommand } from './test/run-command.ts';

describe('millrace preview', () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-preview-'));
    file = join(folder, 'lines.json');
    await writeFile(join(folder, 'in.txt'), 'one\ntwo\n');
    await write({});
    await writeFile(
      join(folder, 'worker.properties'),
      `bootstrap.servers=\${env:NOT_THERE}\nkey.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=false
config.providers=dir\nconfig.providers.dir.class=DirectoryConfigProvider\n`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const write = (more: Record<string, string>): Promise<void> =>
    writeFile(
      file,
      JSON.stringify({ name: 'lines', 'connector.class': 'FileStreamSource', file: join(folder, 'in.txt'), topic: 't', ...more }),
    );
  const preview = (...more: string[]) => runCommand(['preview', file, '--timeout', '60s', ...more]);

  it('shows records, with no worker at all', async () => {
    const { code, stdout } = await preview();
    assert.equal(code, 0);
    assert.match(stdout, /^t \(at .*\)\n {2}key {5}null\n {2}value {3}"one" \(with its schema\)\n\nt .*\n.*\n {2}value {3}"two" /);
    assert.match(stdout, /\n2 records\. Nothing was written\.\nnote: key\.converter and value\.converter: JsonConverter as it comes/);
  });

  it('goes by a worker file, as far as it is needed, and hides what placeholders stand for', async () => {
    await writeFile(join(folder, 'topic'), 'secret-topic');
    await write({ topic: `\${dir:${folder}:topic}` });
    const { code, stdout } = await preview('--worker', join(folder, 'worker.properties'), '--json', '-n', '1');
    assert.equal(code, 0);
    const { records } = JSON.parse(stdout) as { records: { topic: string; value: unknown }[] };
    assert.deepEqual(
      records.map(({ topic, value }) => [topic, value]),
      [['[hidden]', { json: 'one' }]],
    );
    const without = await preview();
    assert.equal(without.code, 2);
    assert.match(without.stderr, /topic has a placeholder, and nothing here says what it stands for\. .*--worker FILE/);
  });

  it('ends with 3 where records would fail, and with 2 where something is wrong', async () => {
    await write({ 'value.converter': 'org.apache.kafka.connect.converters.LongConverter' });
    const failing = await preview();
    assert.equal(failing.code, 3);
    assert.match(
      failing.stdout,
      /^t\n {2}ERROR .*\n {10}in VALUE_CONVERTER \(org\.apache\.kafka\.connect\.converters\.LongConverter\): task fails\n/,
    );
    await write({ topic: '' });
    const invalid = await preview();
    assert.equal(invalid.code, 2);
    assert.match(invalid.stderr, /^millrace: Connector configuration is invalid .* configuration topic/);
    await write({ 'connector.class': 'FileStreamSink', topics: 't' });
    assert.match((await preview()).stderr, /FileStreamSink is a sink: only sources have a preview/);
    for (const wrong of [
      ['-n', '0'],
      ['-n', '1001'],
      ['--url', 'http://127.0.0.1:1', '--worker', 'x'],
    ]) {
      assert.equal((await preview(...wrong)).code, 2, wrong.join(' '));
    }
  });

  it('asks a worker', async () => {
    await write({ password: '${file:/p:q}' });
    const value = { bytes: Buffer.from('{"n":9007199254740993}') };
    const answer: Preview = {
      records: [{ topic: 't', partition: 1, timestamp: null, key: null, value, headers: [] }],
      dropped: 0,
      timedOut: false,
      notes: ['seen'],
    };
    let refuse = false;
    const herder = {
      ...scriptedHerder(createLogLevels()),
      async preview(_plugin: string, config: Readonly<Record<string, string>>): Promise<Preview> {
        assert.equal(config['password'], '${file:/p:q}');
        if (refuse) throw new RequestError(422, 'it offers no preview.');
        return answer;
      },
    };
    await using server = await startRestServer(createRestApp({ herder }), ['http://127.0.0.1:0']);
    const text = await preview('--url', server.url);
    assert.equal(
      text.stdout,
      't (partition 1)\n  key     null\n  value   {"n":9007199254740993}\n\n1 record. Nothing was written.\nnote: seen\n',
    );
    assert.match((await preview('--url', server.url, '--json')).stdout, /"value":\{"json":\{"n":9007199254740993\}\}/);
    refuse = true;
    const refused = await preview('--url', server.url);
    assert.deepEqual([refused.code, refused.stderr], [2, 'millrace: it offers no preview.\n']);
  });
});
