/** What is wrong with a request is said: what was found, and what to do. And nothing has changed. */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { freePort } from '../services/free-port.ts';
import { startMillrace } from '../services/millrace.ts';
import type { MillraceServer } from '../services/millrace.ts';
import { isRunning, startFileFlow, taskStatus } from './worker-states.ts';
import type { FileFlow } from './worker-states.ts';

type Config = Readonly<Record<string, string>>;

const sink: Config = { 'connector.class': 'FileStreamSink', topics: 'nothing' };
const source: Config = { 'connector.class': 'FileStreamSource', topic: 'nothing' };
const router: Config = { transforms: 'r', 'transforms.r.type': 'RegexRouter', 'transforms.r.replacement': 'x' };

/** Each is asked for as a new connector, and as a change of one that runs. */
const refused: readonly (readonly [what: string, config: Config, found: RegExp, todo: RegExp])[] = [
  ['no class', { topics: 'a' }, /contains no connector type/, /connector type/],
  [
    'an unknown class',
    { ...sink, 'connector.class': 'org.example.Nope' },
    /name matches org\.example\.Nope/,
    /available connectors are: .*sink-file/,
  ],
  ['a missing key', { 'connector.class': 'FileStreamSource' }, /"topic"/, /Missing required configuration/],
  ['no topics', { 'connector.class': 'FileStreamSink' }, /topics/, /Must configure one of topics or topics\.regex/],
  ['a number that is none', { ...sink, 'tasks.max': 'two' }, /Invalid value two for configuration tasks\.max/, /Not a number of type INT/],
  ['an unwritable file', { ...sink, file: '/nowhere/at/all' }, /\/nowhere\/at does not exist/, /create it first/],
  ['a folder to write to', { ...sink, file: '/' }, /it is a folder/, /name a file in it/],
  ['a folder to read', { ...source, file: '/' }, /it is a folder/, /name a file in it/],
  ['an unreadable file', { ...source, file: '/etc/passwd/x' }, /cannot be read \(ENOTDIR/, /let the user that runs the worker read it/],
  [
    'an unknown transform',
    { ...sink, ...router, 'transforms.r.type': 'Nope' },
    /transforms\.r\.type: Class Nope/,
    /There are: .*regex-router/,
  ],
  ['a transform without type', { ...sink, transforms: 'r' }, /"transforms\.r\.type"/, /Missing required/],
  [
    'an unknown predicate',
    { ...sink, predicates: 'p', 'predicates.p.type': 'Nope' },
    /predicates\.p\.type: Class Nope/,
    /There are: has-header-key/,
  ],
  [
    'an unknown predicate alias',
    { ...sink, ...router, 'transforms.r.regex': 'a', 'transforms.r.predicate': 'p' },
    /r\.predicate/,
    /no such alias/,
  ],
  [
    'an unknown converter',
    { ...sink, 'value.converter': 'AvroConverter' },
    /value\.converter: Class AvroConverter/,
    /There are: json, string/,
  ],
  ['an unknown header converter', { ...sink, 'header.converter': 'Nope' }, /header\.converter: Class Nope/, /There are: .*simple/],
  [
    'a bad setting of a converter',
    { ...sink, 'key.converter': 'JsonConverter', 'key.converter.schemas.enable': '1' },
    /schemas\.enable/,
    /true or false/,
  ],
  [
    'a bad pattern in a transform',
    { ...sink, ...router, 'transforms.r.regex': '(' },
    /transforms\.r\.regex: Invalid regex: "\("/,
    /Unterminated group/,
  ],
  [
    'a bad pattern of topics',
    { 'connector.class': 'FileStreamSink', 'topics.regex': '[' },
    /topics\.regex: Invalid regex: "\["/,
    /Unterminated/,
  ],
  [
    'a bad cast',
    { ...sink, transforms: 'c', 'transforms.c.type': 'Cast$Value', 'transforms.c.spec': 'a:date' },
    /cannot cast to "date"/,
    /valid types are int8/,
  ],
  ['offsets elsewhere', { ...source, 'offsets.storage.topic': 'o' }, /offsets\.storage\.topic=o cannot be honoured/, /Remove the key/],
  ['transactions by the connector', { ...source, 'transaction.boundary': 'connector' }, /no connector defines its own/, /Set it to poll/],
  [
    'a partitioner',
    { ...source, 'producer.override.partitioner.class': 'X' },
    /override\.partitioner\.class: cannot be honoured/,
    /Remove it/,
  ],
  ['a bad client setting', { ...source, 'producer.override.compression.type': 'zip' }, /"zip"/, /must be one of none, gzip/],
  [
    'a placeholder without provider file',
    { ...sink, file: '${file:/nowhere:path}' },
    /could not read \/nowhere/,
    /\$\{file:\/nowhere:path\} cannot be resolved/,
  ],
];

const bodies: readonly (readonly [what: string, body: string, message: RegExp])[] = [
  ['no JSON', '{"name": "new", "config": {', /The request body is not JSON: .*position/],
  ['a list', '[]', /must be/],
  ['nothing', '', /body/],
  ['an unknown field', '{"name": "new", "confg": {}}', /confg/],
  ['a config that is no object', '{"name": "new", "config": 1}', /config/],
  ['a value that is an object', '{"name": "new", "config": {"topics": {}}}', /topics/],
];

describe('a request that cannot be granted', () => {
  let worker: MillraceServer;
  let flow: FileFlow;

  before(async () => {
    worker = await startMillrace({
      properties: {
        'value.converter': 'StringConverter',
        'config.providers': 'file',
        'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
      },
    });
    flow = await startFileFlow(worker, 'flow');
    await flow.passes('before');
  });
  after(() => worker[Symbol.asyncDispose]());

  async function call(method: string, path: string, body: string): Promise<{ status: number; message: string }> {
    const answer = await fetch(worker.url + path, { method, headers: { 'content-type': 'application/json' }, body });
    const { error_code: code, message } = (await answer.json()) as { error_code: number; message: string };
    assert.equal(code, answer.status);
    return { status: answer.status, message };
  }

  /** Everything that the worker knows of its connectors. */
  const known = (): Promise<unknown> => worker.request('GET', '/connectors?expand=info');

  for (const [what, config, found, todo] of refused) {
    it(what, async () => {
      const unchanged = await known();
      const name = config['connector.class'] === source['connector.class'] ? 'flow-source' : 'flow-sink';
      for (const answer of [
        await call('POST', '/connectors', JSON.stringify({ name: 'new', config })),
        await call('PUT', '/connectors/new/config', JSON.stringify(config)),
        await call('PUT', `/connectors/${name}/config`, JSON.stringify(config)),
      ]) {
        assert.equal(answer.status, 400);
        assert.match(answer.message, found);
        assert.match(answer.message, todo);
      }
      assert.deepEqual(await known(), unchanged);
    });
  }

  for (const [what, body, message] of bodies) {
    it(`a body of ${what}`, async () => {
      const unchanged = await known();
      const answer = await call('POST', '/connectors', body);
      assert.equal(answer.status, 400);
      assert.match(answer.message, message);
      assert.deepEqual(await known(), unchanged);
    });
  }

  it('a name that is taken', async () => {
    const unchanged = await known();
    const answer = await call('POST', '/connectors', JSON.stringify({ name: 'flow-sink', config: sink }));
    assert.deepEqual(answer, { status: 409, message: 'Connector flow-sink already exists' });
    assert.deepEqual(await known(), unchanged);
  });

  it('leaves what runs alone', async () => {
    for (const name of ['flow-source', 'flow-sink']) await taskStatus(worker, name, isRunning);
    await flow.passes('after');
  });

  // Root may read everything.
  if (process.getuid?.() !== 0) {
    it('a file that this user may not read', async () => {
      const file = join(worker.folder, 'secret.txt');
      writeFileSync(file, 'x');
      chmodSync(file, 0);
      const answer = await call('POST', '/connectors', JSON.stringify({ name: 'new', config: { ...source, file } }));
      assert.match(answer.message, /cannot be read \(this user has no right to\); let the user that runs the worker read it/);
    });
  }

  it('what is accepted and has no effect is warned about by name', async () => {
    await worker.put('warned', {
      ...source,
      file: join(worker.folder, 'warned.txt'),
      'errors.tollerance': 'all',
      'connector.plugin.version': '9',
      'producer.override.linger.ms': '5',
    });
    await taskStatus(worker, 'warned', isRunning);
    const log = worker.logTail(200);
    assert.match(log, /WARN .*errors\.tollerance is a key that neither the connector nor Connect knows.*Check the spelling/);
    assert.match(log, /WARN .*connector\.plugin\.version=9 has no effect: there is one version of each plugin/);
    assert.match(log, /WARN .*connector warned: producer\.override\.linger\.ms has no effect/);
  });
});

describe('a worker', () => {
  it('whose Kafka does not answer says so in one line, and ends', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const start = startMillrace({ brokers: [nobody], properties: { 'default.api.timeout.ms': '3000' } });
    await assert.rejects(start, ({ message }: Error) => {
      assert.match(message, /ended early \(exit code [12]\)/);
      const lines = message.split('\n').slice(1);
      assert.equal(lines.filter((line) => line.startsWith('millrace: ')).length, 1, message);
      assert.match(
        message,
        new RegExp(`millrace: bootstrap\\.servers=${nobody}: no broker answers: .*connection was refused.*Check that Kafka runs there`),
      );
      assert.doesNotMatch(message, /\n {4}at /);
      return true;
    });
  });
});
