import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { refusal, startScriptedConnect } from './apply/test/scripted-connect.ts';
import type { ScriptedConnect } from './apply/test/scripted-connect.ts';
import type { ApplyReport } from './apply/report.ts';
import { runCommand } from './test/run-command.ts';
import type { CommandResult } from './test/run-command.ts';

describe('millrace apply', () => {
  let connect: ScriptedConnect;
  let folder: string;
  beforeEach(async () => {
    connect = await startScriptedConnect();
    folder = mkdtempSync(join(tmpdir(), 'millrace-apply-'));
  });
  afterEach(async () => {
    await connect[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
    for (const name of ['MILLRACE_USER', 'MILLRACE_PASSWORD', 'MILLRACE_URL']) delete process.env[name];
  });

  const write = (name: string, config: object = {}, more: object = {}): void =>
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ name, config: { 'connector.class': 'X', ...config }, ...more }));
  const apply = (...args: readonly string[]): Promise<CommandResult> => runCommand(['apply', folder, '--url', connect.url, ...args]);
  const once = (answer: ReturnType<typeof refusal>, method: string, path: RegExp) => {
    let left = 1;
    connect.script = (request) => (request.method === method && path.test(request.path) && left-- > 0 ? answer : undefined);
  };
  const written = (): readonly string[] =>
    connect.requests
      .filter(({ method, path }) => method !== 'GET' && !path.includes('/validate'))
      .map(({ method, path }) => `${method} ${path}`);

  test('a dry run ends with 3 when it would change something, with 0 when not', async () => {
    write('a');
    assert.equal((await apply('--dry-run')).code, 3);
    assert.deepEqual(written(), []);
    assert.equal((await apply()).code, 0);
    assert.equal((await apply('--dry-run')).code, 0);
    assert.deepEqual(written(), ['PUT /connectors/a/config']);
  });

  test('wrong options and files are 2, before any request', async () => {
    for (const args of [
      ['--timeout', 'soon'],
      ['--timeout', '0s'],
      ['--url', 'ftp://me:hunter2@x'],
      ['--url', 'me:hunter2@x y'],
      ['--owner', ''],
      ['--user', 'me'],
      ['--password-file', '/nowhere/p', '--user', 'me'],
      ['--colour'],
    ]) {
      const { code, stderr } = await apply(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(stderr, /^millrace: /);
      assert.doesNotMatch(stderr, /hunter2/);
    }
    assert.equal((await apply()).stderr.split('\n')[0]?.startsWith('.: has no connector files'), true);
    assert.deepEqual(connect.requests, []);
  });

  describe('credentials', () => {
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    const sent = (): readonly (string | undefined)[] => [...new Set(connect.requests.map(({ authorization }) => authorization))];
    const withCredentials = (): string => connect.url.replace('//', '//url%40me:p%2Fw@');

    test('options win over the URL, the URL over the environment', async () => {
      write('a');
      const file = join(folder, '.password');
      writeFileSync(file, 'from-file\n');
      process.env['MILLRACE_USER'] = 'env-me';
      process.env['MILLRACE_PASSWORD'] = 'from-env';
      for (const [args, expected] of [
        [[], 'env-me:from-env'],
        [['--url', withCredentials()], 'url@me:p/w'],
        [['--url', withCredentials(), '--user', 'me', '--password-file', file], 'me:from-file'],
        [['--user', 'me'], 'me:from-env'],
      ] as const) {
        connect.requests.length = 0;
        const { stdout, stderr } = await apply(...args);
        assert.deepEqual(sent(), [basic(expected)]);
        assert.doesNotMatch(stdout + stderr, /url%40me|p%2Fw|p\/w|from-/);
      }
    });

    test('refused ones are 2, at once, and not printed', async () => {
      write('a');
      connect.script = () => refusal(401, 'User cannot access the resource.');
      const { code, stderr } = await apply('--url', withCredentials());
      assert.equal(code, 2);
      assert.match(stderr, /^millrace: .*the server wants other credentials/m);
      assert.doesNotMatch(stderr, /p%2Fw|p\/w|url%40me/);
      assert.equal(connect.requests.length, 1);
    });
  });

  describe('what passes is tried again', () => {
    for (const [what, answer] of [
      ['a rebalance', refusal(409, 'Cannot complete request because of a conflicting operation (e.g. worker rebalance)')],
      ['a rebalance that is expected', refusal(500, 'Request cannot be completed because a rebalance is expected')],
      ['a server that starts', { status: 404, body: '<html>' }],
      ['a gateway', { status: 502, body: '' }],
      ['a worker that is not ready', refusal(503, 'Worker is still starting up.')],
    ] as const) {
      test(what, async () => {
        write('a');
        once(answer, 'PUT', /config$/);
        const { code, stdout, stderr } = await apply();
        assert.equal(code, 0, stdout + stderr);
        assert.match(stderr, /^millrace: apply: trying again: /);
        assert.deepEqual(written(), ['PUT /connectors/a/config', 'PUT /connectors/a/config']);
      });
    }

    test('until the time is over; what was not begun is told', async () => {
      for (let at = 1; at <= 6; at++) write(`c${at}`);
      connect.script = ({ method, path }) =>
        method === 'PUT' && path.endsWith('/config') ? refusal(409, 'conflicting operation (e.g. worker rebalance)') : undefined;
      const { code, stdout, stderr } = await apply('--timeout', '3s');
      assert.equal(code, 1);
      assert.match(stdout, /^c1: not created: PUT .*: no success in time \(conflicting operation .*\)\.$/m);
      assert.match(stdout, /^c6: left untouched \(the time was over\)$/m);
      assert.match(stderr, /4 not made, 2 left untouched\.\n$/);
    });

    test('a server that is not there: 1, with the reason', async () => {
      write('a');
      await connect[Symbol.asyncDispose]();
      const { code, stderr } = await apply('--timeout', '500ms');
      assert.equal(code, 1);
      assert.match(stderr, /^millrace: apply: trying again: the connection is refused\nmillrace: GET http:.*: no success in time/);
      connect = await startScriptedConnect();
    });
  });

  test('what the server refuses is told, and the others are done', async () => {
    for (const name of ['a', 'b', 'c']) write(name, { 'db.password': 'hunter-2' });
    once(refusal(400, 'Connector configuration is invalid:\nhunter-2 is too short'), 'PUT', /b\/config/);
    const { code, stdout, stderr } = await apply();
    assert.equal(code, 1);
    assert.match(stdout, /^b: not created: Connector configuration is invalid:\n {4}\*\*\* is too short$/m);
    assert.match(stderr, /2 done, 1 not made/);
    assert.doesNotMatch(stdout + stderr, /hunter/);
    assert.deepEqual([...connect.configs.keys()].toSorted(), ['a', 'c']);
  });

  test('validation: all of it, before anything is written, and without what placeholders stand for', async () => {
    write('a', { url: '${file:/s:url}', 'tasks.max': 0, topic: 'swordfish-topic' });
    write('b');
    connect.script = ({ path, body }) => {
      if (!path.endsWith('/validate')) return undefined;
      if ((body as { name: string }).name === 'b') {
        const unknown =
          'Failed to find any class that implements Connector and which name matches X, available connectors are: PluginDesc{a}, …';
        return refusal(500, `org.apache.kafka.connect.runtime.rest.errors.BadRequestException: ${unknown}`);
      }
      const value = (name: string, resolved: string, ...errors: string[]) => ({
        definition: null,
        value: { name, value: resolved, errors },
      });
      const configs = [
        value('url', 'swordfish', 'Invalid value swordfish for configuration url: no', 'swordfish is no host'),
        value('tasks.max', '0', 'Invalid value 0 for configuration tasks.max: no'),
      ];
      return { status: 200, body: { error_count: 3, configs } };
    };
    const { code, stdout, stderr } = await apply();
    assert.equal(code, 2);
    assert.deepEqual(stderr.split('\n').slice(0, 4), [
      'a.json: url: Invalid value *** for configuration url: no',
      'a.json: url: *** is no host',
      'a.json: tasks.max: Invalid value 0 for configuration tasks.max: no',
      'b.json: Failed to find any class that implements Connector and which name matches X. Is its plugin installed on every worker?',
    ]);
    assert.match(stdout, /\+ url = \$\{file:\/s:url\}/);
    assert.deepEqual(written(), []);
  });

  test('one that fails is told with its trace; a changed one is started again before', async () => {
    write('a');
    connect.configs.set('a', { name: 'a', 'connector.class': 'Y', 'db.password': 'hunter-2' });
    connect.states.set('a', { state: 'FAILED', trace: 'Error: cannot log in with hunter-2\n\tat x.y\nCaused by: Error: no' });
    const { code, stdout, stderr } = await apply();
    assert.equal(code, 1);
    assert.match(stdout, /^a: changed, but FAILED: task 0: Error: cannot log in with \*\*\*\n {6}Caused by: Error: no$/m);
    assert.match(stderr, /1 failed\.\n$/);
    assert.deepEqual(written(), ['PUT /connectors/a/config', 'POST /connectors/a/restart?includeTasks=true&onlyFailed=true']);
    assert.equal((await apply('--no-wait')).code, 0);
    const again = await apply();
    assert.equal(again.code, 1);
    assert.match(again.stderr, /1 unchanged but not running\.\n$/);
  });

  test('one that does not come up in time', async () => {
    write('a');
    connect.states.set('a', { state: 'UNASSIGNED' });
    const { code, stdout } = await apply('--timeout', '4s');
    assert.equal(code, 1);
    assert.match(stdout, /^a: created, but not seen running in time: task 0 is UNASSIGNED$/m);
  });

  test('the initial state goes with the creation; an older server is named', async () => {
    write('a', {}, { initial_state: 'STOPPED' });
    assert.equal((await apply()).code, 0);
    assert.deepEqual(connect.requests.find(({ method }) => method === 'POST')?.body, {
      name: 'a',
      config: { 'connector.class': 'X', name: 'a', 'millrace.apply.owner': folder.split('/').at(-1) },
      initial_state: 'STOPPED',
    });
    write('b', {}, { initial_state: 'PAUSED' });
    once(
      refusal(500, 'Unrecognized field "initial_state" (class …CreateConnectorRequest), not marked as ignorable'),
      'POST',
      /connectors$/,
    );
    const { code, stdout } = await apply();
    assert.equal(code, 1);
    assert.match(stdout, /^b: not created: initial_state PAUSED: this server is older than Kafka Connect 3\.7/m);
  });

  test('--json is one document, with no secret in it', async () => {
    write('a', { 'db.password': 'hunter-2', p: '${env:P}' });
    const { code, stdout } = await apply('--json');
    assert.equal(code, 0);
    const report = JSON.parse(stdout) as ApplyReport;
    assert.deepEqual(report.connectors, [
      {
        name: 'a',
        action: 'create',
        file: 'a.json',
        keys: [
          { key: 'connector.class', after: 'X' },
          { key: 'db.password', after: '***' },
          { key: 'p', after: '${env:P}' },
        ],
        outcome: 'done',
        state: 'RUNNING',
        tasks: 1,
      },
    ]);
    writeFileSync(join(folder, 'b.json'), '{');
    const broken = await apply('--json');
    assert.equal(broken.code, 2);
    assert.deepEqual((JSON.parse(broken.stdout) as ApplyReport).problems, [
      { file: 'b.json', line: 1, reason: 'is not JSON: a closing } is missing' },
    ]);
  });
});
