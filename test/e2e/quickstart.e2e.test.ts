import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { freePort } from '../services/free-port.ts';
import { linesOf, memoryOf, processesWith, queryShop, startQuickstart, stopLeftOvers, until } from './quickstart-program.ts';

const scratch = mkdtempSync(join(tmpdir(), 'millrace-quickstart-'));
// Open to the user that PostgreSQL runs as when we are root.
chmodSync(scratch, 0o755);
after(async () => {
  await stopLeftOvers(scratch);
  rmSync(scratch, { recursive: true, force: true });
});

interface Change {
  readonly before: { readonly id: number } | null;
  readonly after: { readonly id: number } | null;
  readonly op: string;
}

const files = ['customers.jsonl', 'products.jsonl', 'orders.jsonl', 'events.jsonl'];
const countLines = (folder: string): number => files.reduce((sum, file) => sum + linesOf(folder, file).length, 0);

/** Runs it until so many more lines are in the files, ends it in the given way, and looks for what is left. */
async function runFor(folder: string, moreLines: number, end: NodeJS.Signals): Promise<void> {
  const before = countLines(folder);
  await using program = startQuickstart(['--port', String(await freePort()), '--data', folder]);
  await until(program, `${moreLines} more lines`, () => countLines(folder) >= before + moreLines);
  program.signal(end);
  const code = await program.ended;
  if (end === 'SIGKILL') return;
  assert.equal(code, 0, program.output());
  assert.doesNotMatch(program.output(), /ERROR/);
  assert.deepEqual(processesWith(folder), []);
}

test('stopped and started again, it goes on where it was: the files hold each change once', async () => {
  const folder = join(scratch, 'shop');
  await runFor(folder, 60, 'SIGINT');
  await runFor(folder, 15, 'SIGINT');
  await runFor(folder, 15, 'SIGTERM');

  await using program = startQuickstart(['--port', String(await freePort()), '--data', folder, '--no-traffic']);
  await until(program, 'it runs', () => program.output().includes('Millrace is running'));
  const events = await queryShop<{ payload: string }>(folder, 'select payload::text from outbox');
  await until(program, 'all events are in the file', () => linesOf(folder, 'events.jsonl').length >= events.length);
  for (const table of ['customers', 'products', 'orders']) {
    const rows = await queryShop<{ id: string }>(folder, `select id from ${table}`);
    await until(program, `the file of ${table} is as the table`, () => replay(linesOf(folder, `${table}.jsonl`)).size === rows.length);
    const columns = table === 'orders' ? 'id::int, status, quantity' : table === 'products' ? 'id, price::text, stock' : 'id, name, city';
    const wanted = await queryShop<{ id: number }>(folder, `select ${columns} from ${table} order by id`);
    const state = replay(linesOf(folder, `${table}.jsonl`));
    assert.deepEqual(
      wanted,
      wanted.map((row) => pick(state.get(row.id), Object.keys(row))),
    );
  }
  assert.deepEqual(linesOf(folder, 'events.jsonl').toSorted(), events.map(({ payload }) => payload).toSorted());

  program.signal('SIGINT');
  assert.equal(await program.ended, 0, program.output());
  assert.deepEqual(processesWith(folder), []);
});

/** The rows that the changes lead to. Each change names the row before it, so that one lost or doubled shows. */
function replay(lines: readonly string[]): Map<number, object> {
  const rows = new Map<number, object>();
  for (const line of lines) {
    const { before, after, op } = JSON.parse(line) as Change;
    const id = (after ?? before)!.id;
    assert.deepEqual(rows.get(id) ?? null, before, `the row before ${line}`);
    if (op !== 'd') rows.set(id, after!);
    else rows.delete(id);
  }
  return rows;
}

function pick(row: object | undefined, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => names.includes(name)));
}

test('after a kill -9 the next start takes over the database that was left running', async () => {
  const folder = join(scratch, 'killed');
  await runFor(folder, 40, 'SIGKILL');
  assert.notDeepEqual(processesWith(folder), []);
  await runFor(folder, 10, 'SIGINT');
});

test('as root, in a folder that only root may enter, the database goes elsewhere, and is found again', async (t) => {
  const folder = join(scratch, 'closed', 'shop');
  mkdirSync(join(scratch, 'closed'), { mode: 0o700 });
  t.after(() => {
    const { postgresFolder } = memoryOf(folder);
    if (postgresFolder !== undefined) rmSync(postgresFolder, { recursive: true });
  });
  await runFor(folder, 40, 'SIGINT');
  const { postgresFolder } = memoryOf(folder);
  assert.equal(postgresFolder === undefined, process.getuid?.() !== 0);
  await runFor(folder, 10, 'SIGINT');
  assert.equal(memoryOf(folder).postgresFolder, postgresFolder);
  assert.deepEqual(processesWith(postgresFolder ?? folder), []);
});

test('two at once: the second says that the folder is in use, and the first goes on', async () => {
  const folder = join(scratch, 'twice');
  await using first = startQuickstart(['--port', String(await freePort()), '--data', folder]);
  await until(first, 'it runs', () => first.output().includes('Millrace is running'));
  await using second = startQuickstart(['--port', String(await freePort()), '--data', folder]);
  assert.equal(await second.ended, 1);
  assert.match(second.output(), /^Another quick start uses .*twice\. .*--data DIR\.\n$/);
  first.signal('SIGINT');
  assert.equal(await first.ended, 0, first.output());
});

test('stopped while it starts, it leaves nothing behind', async () => {
  const folder = join(scratch, 'hasty');
  await using program = startQuickstart(['--port', String(await freePort()), '--data', folder]);
  await until(program, 'it begins', () => program.output().includes('Setting up'));
  program.signal('SIGINT');
  assert.equal(await program.ended, 0, program.output());
  assert.deepEqual(processesWith(folder), []);
});

test('a busy port, a folder that cannot be written, a mistyped option: one line, and an exit code', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  mkdirSync(scratch, { recursive: true });
  writeFileSync(join(scratch, 'file'), '');
  const free = String(await freePort());

  for (const [args, words] of [
    [['--port', String(port), '--data', join(scratch, 'busy')], /^Port \d+ is in use\. .*\n$/],
    [['--port', free, '--data', join(scratch, 'file', 'below')], /^The data folder .* cannot be written: .*\n$/],
    [['--port', 'eighty'], /^--port eighty: .*\n$/],
    [['--prot', '1'], /--prot/],
  ] as const) {
    await using program = startQuickstart(args);
    assert.equal(await program.ended, 1);
    assert.match(program.output(), words);
  }
  assert.deepEqual(processesWith(scratch), []);
  server.close();
});
