import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, test } from 'node:test';

import { ConfigError, ConnectError } from '../api/index.ts';
import { RequestError } from '../ports/herder.ts';
import { runCommand } from './test/run-command.ts';

describe('millrace', () => {
  test('--version and --help', async () => {
    assert.deepEqual(await runCommand('--version'), { code: 0, stdout: '1.2.3\n', stderr: '' });
    for (const line of ['--help', 'standalone --help', 'distributed --help', 'topic --help', 'topic read --help']) {
      const { code, stdout } = await runCommand(line);
      assert.equal(code, 0, line);
      assert.match(stdout, /^Usage: millrace/);
    }
    assert.match((await runCommand('topic read --help')).stdout, /Examples:\n {2}millrace topic read /);
  });

  test('standalone hands its files on', async () => {
    const calls: unknown[] = [];
    const runStandalone = async (worker: string, connectors: readonly string[]): Promise<void> => void calls.push([worker, connectors]);
    assert.equal((await runCommand('standalone w.properties a.json b.json', { runStandalone })).code, 0);
    assert.equal((await runCommand('standalone w.properties', { runStandalone })).code, 0);
    assert.deepEqual(calls, [
      ['w.properties', ['a.json', 'b.json']],
      ['w.properties', []],
    ]);
  });

  test('distributed runs with its worker file', async () => {
    const files: string[] = [];
    const { code } = await runCommand('distributed w.properties', { runDistributed: async (file) => void files.push(file) });
    assert.deepEqual([code, files], [0, ['w.properties']]);
  });

  test('a wrong command is 2, with one line', async () => {
    for (const line of [
      'standalone',
      'nonsense',
      'topic read t --embedded d --max many',
      'topic list --colour red',
      'topic read t --embedded d --from-end --offset 3',
    ]) {
      const { code, stdout, stderr } = await runCommand(line);
      assert.deepEqual([code, stdout], [2, ''], line);
      assert.match(stderr, /^millrace: [^\n]+\n(\(Did you mean [^\n]+\n)?$/, line);
    }
    const { code, stderr } = await runCommand('topic list');
    assert.deepEqual([code, stderr], [2, 'millrace: choose the log with one of --worker FILE, --embedded DIR or --brokers LIST\n']);
    assert.equal((await runCommand('topic list --embedded a --brokers b:1')).code, 2);
    assert.match(
      (await runCommand('topic list --embedded /nowhere/at/all')).stderr,
      /^millrace: embedded log: there is no log in \/nowhere\/at\/all\./,
    );
    assert.match(
      (await runCommand('topic list --worker /nowhere/w.properties')).stderr,
      /^millrace: \/nowhere\/w\.properties: there is no such file\.\n$/,
    );
  });

  const failing = (error: unknown, more = '') => runCommand(`standalone w${more}`, { runStandalone: () => Promise.reject(error) });

  test('a config error is 2, a failure 1, each with one line', async () => {
    assert.deepEqual(await failing(new ConfigError('topic: is missing')), { code: 2, stdout: '', stderr: 'millrace: topic: is missing\n' });
    assert.deepEqual(await failing(new RequestError(400, 'Invalid:\n  a\n  b')), {
      code: 2,
      stdout: '',
      stderr: 'millrace: Invalid: a b\n',
    });
    assert.deepEqual(await failing(new ConnectError('the disk is full')), { code: 1, stdout: '', stderr: 'millrace: the disk is full\n' });
    const system = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    assert.deepEqual(await failing(system), { code: 1, stdout: '', stderr: 'millrace: connect ECONNREFUSED\n' });
  });

  test('a stack comes with --debug, and for a bug', async () => {
    assert.match(
      (await failing(new ConnectError('full', { cause: new Error('inner') }), ' --debug')).stderr,
      /ConnectError: full\n\s+at .*Caused by: Error: inner/s,
    );
    const bug = await failing(new TypeError('x is not a function'));
    assert.equal(bug.code, 1);
    assert.match(bug.stderr, /^millrace: x is not a function\nTypeError: x is not a function\n\s+at /);
  });
});

describe('bin.mjs', () => {
  const file = fileURLToPath(new URL('bin.mjs', import.meta.url));

  test('holds nothing that an old Node cannot parse', () => {
    const text = readFileSync(file, 'utf8');
    assert.doesNotMatch(text, /\?\?|\?\.|^await|import\(.*with/m);
  });

  test('tells an old Node what to do', async () => {
    // As an old Node would see it: the version is all that the file asks for.
    const pretend = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.20.2'})`;
    const run = promisify(execFile)(process.execPath, ['--import', pretend, file, 'standalone', 'w']);
    await assert.rejects(run, (error: { code: number; stderr: string }) => {
      assert.equal(error.code, 2);
      assert.match(error.stderr, /^millrace: needs Node\.js 24\.6 or newer, but this is 20\.20\.2\. Get it from .* standalone w\n$/);
      return true;
    });
  });
});
