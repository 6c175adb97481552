/** `millrace apply` against a running cluster, ours or the real Kafka Connect: what holds for one holds for the other. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { changes, repoIn, sourceClass, unchanged, until } from './apply-repo.ts';
import type { Repo } from './apply-repo.ts';

export interface ApplySuite {
  /** Of a worker of the cluster; asked for anew before each step. */
  readonly url: () => string;
  /** For connector names and topics; no other connector of the cluster begins with it. */
  readonly prefix: string;
}

/** Registers the play: a folder is created, changed, renamed, broken, fixed and emptied, and the cluster follows. */
export function testMonthOfARepo({ url, prefix }: ApplySuite): void {
  describe('a month of a repo’s life', () => {
    const repo = repoIn(mkdtempSync(join(tmpdir(), 'millrace-apply-')), url, prefix);
    const { name, source, sink, write, remove, apply, assertEqual, call } = repo;
    const byHand = name('by-hand');

    before(async () => {
      writeFileSync(join(repo.data, 'in.txt'), 'one\ntwo\n');
      await call('PUT', `/connectors/${byHand}/config`, source('by-hand', {}));
    });
    after(async () => {
      for (const connector of await repo.ours()) await call('DELETE', `/connectors/${connector}`);
      rmSync(repo.folder, { recursive: true });
    });

    test('a dry run says what would be made, and makes nothing', async () => {
      write('orders.json', { name: name('orders'), config: source('orders', { 'tasks.max': 1 }) });
      write('team/archive.properties', { name: name('archive'), ...sink('orders', 'archive.txt') });
      write('later.json', { name: name('later'), config: source('later', {}), initial_state: 'STOPPED' });
      const { code, stdout } = await apply('--dry-run');
      assert.equal(code, 3, stdout);
      assert.match(stdout, new RegExp(`^\\+ create ${name('orders')}  \\(orders\\.json\\)$`, 'm'));
      assert.deepEqual(await repo.ours(), [byHand]);
    });

    test('they are made, and run, or wait as their file says', async () => {
      await changes(repo, '3 to create, 0 to change, 0 to delete');
      assert.equal((await repo.status('later')).connector.state, 'STOPPED');
      assert.equal((await repo.status('archive')).tasks[0]?.state, 'RUNNING');
    });

    test('a changed file changes its connector alone; secrets are not shown', async () => {
      write('orders.json', { name: name('orders'), config: source('orders2', { 'db.password': 'hunter-2-hunter' }) });
      const { stdout } = await changes(repo, '0 to create, 1 to change, 0 to delete');
      assert.match(stdout, new RegExp(`~ topic: ${name('orders')} → ${name('orders2')}`));
      assert.match(stdout, /\+ db\.password = \*\*\*\n/);
      assert.doesNotMatch(stdout, /hunter/);
    });

    test('one that was paused by hand stays paused', async () => {
      await call('PUT', `/connectors/${name('orders')}/pause`);
      await until(async () => (await repo.status('orders')).connector.state === 'PAUSED');
      write('orders.json', { name: name('orders'), config: source('orders3', {}) });
      await changes(repo, '0 to create, 1 to change, 0 to delete');
      assert.equal((await repo.status('orders')).connector.state, 'PAUSED');
      await call('PUT', `/connectors/${name('orders')}/resume`);
    });

    test('a renamed connector is a new one, and the old one goes when pruning is asked for', async () => {
      remove('orders.json');
      write('shop-orders.json', { name: name('shop-orders'), config: source('orders3', {}) });
      const { stdout } = await apply();
      assert.match(stdout, new RegExp(`--prune deletes them\\): ${name('orders')}\n`));
      assert.equal((await repo.ours()).includes(name('orders')), true);
      await changes(repo, '0 to create, 0 to change, 1 to delete', '--prune');
      assert.equal((await repo.ours()).includes(name('orders')), false);
    });

    test('a broken file changes nothing, nor do the good ones beside it', async () => {
      write('new.json', { name: name('new'), config: source('new', {}) });
      write('archive-2.json', { name: name('archive'), config: sink('orders', 'archive.txt') });
      writeFileSync(join(repo.folder, 'broken.json'), '{"name": "broken",\n "config": {"db.password": hunter-2-hunter}}\n');
      const { code, stderr } = await unchanged(repo, '--prune');
      assert.equal(code, 2);
      assert.match(stderr, /^broken\.json:2: is not JSON: /m);
      assert.match(stderr, /^team\/archive\.properties: is a second file of the connector/m);
      assert.doesNotMatch(stderr, /hunter/);
      remove('broken.json', 'archive-2.json');
    });

    test('a config that the server refuses changes nothing either', async () => {
      write('worse.json', { name: name('worse'), config: { 'connector.class': sourceClass, file: '/nowhere', 'tasks.max': 0 } });
      write('worst.json', { name: name('worst'), config: { 'connector.class': 'com.example.NoSuchConnector' } });
      const { code, stderr } = await unchanged(repo, '--prune');
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^worse\.json: topic: Missing required configuration "topic"/m);
      assert.match(stderr, /^worse\.json: tasks\.max: Invalid value 0 /m);
      assert.match(stderr, /^worst\.json: .*NoSuchConnector/m);
      remove('worse.json', 'worst.json');
    });

    test('one that fails when it runs is reported, and the others are done', async () => {
      // No file system takes such a name: the config is right, and the task fails.
      write('team/archive.properties', { name: name('archive'), ...sink('orders', 'x'.repeat(300)) });
      const { code, stdout, stderr } = await apply();
      assert.equal(code, 1, stdout);
      assert.match(stdout, new RegExp(`^${name('archive')}: changed, but FAILED: task 0: `, 'm'));
      assert.match(stderr, /1 done, 1 failed/);
      assert.equal((await repo.status('new')).connector.state, 'RUNNING');
      assert.equal((await apply()).code, 1, 'it has not run since');
      write('team/archive.properties', { name: name('archive'), ...sink('orders', 'archive.txt') });
      await changes(repo, '0 to create, 1 to change, 0 to delete');
      assert.deepEqual(
        (await repo.status('archive')).tasks.map(({ state }) => state),
        ['RUNNING'],
      );
    });

    test('another folder is kept from it, and prunes nothing of it', async () => {
      const other = repoIn(mkdtempSync(join(tmpdir(), 'millrace-other-')), url, prefix);
      other.write('new.json', { name: name('new'), config: source('elsewhere', {}) });
      const { code, stderr } = await unchanged(other);
      assert.equal(code, 2);
      assert.match(stderr, /^new\.json: the connector .* belongs to /m);
      other.remove('new.json');
      other.write('.millrace-apply.json', { owner: name('other') });
      await unchanged(other, '--prune', '--allow-empty');
      rmSync(other.folder, { recursive: true });
      await assertEqual();
    });

    test('a folder that is empty by mistake deletes nothing; one that is meant to be empties the cluster of its own', async () => {
      remove('shop-orders.json', 'team', 'later.json', 'new.json');
      assert.equal((await unchanged(repo, '--prune')).code, 2);
      const { code, stdout } = await apply('--prune', '--allow-empty', '--owner', repo.owner);
      assert.equal(code, 0, stdout);
      await until(async () => (await repo.ours()).length === 1);
      assert.deepEqual(await repo.ours(), [byHand]);
    });
  });
}

/** Registers: twenty connectors in one run. */
export function testTwentyAtOnce({ url, prefix }: ApplySuite): void {
  test('twenty connectors at once', async () => {
    const repo = repoIn(mkdtempSync(join(tmpdir(), 'millrace-apply-')), url, prefix);
    writeTwenty(repo);
    await changes(repo, '20 to create, 0 to change, 0 to delete');
    writeTwenty(repo, { 'batch.size': 100 });
    await changes(repo, '0 to create, 20 to change, 0 to delete');
    await emptied(repo);
  });
}

/** Something that `kill -9` ends, and `restart` brings back with what it had stored. */
export interface Killable {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Registers: the server goes away in the middle of a run. */
export function testServerGoesAway({ url, prefix }: ApplySuite, server: () => Killable): void {
  test('the server is killed in the middle: the run tells what is open, and a second one completes it', async () => {
    const repo = repoIn(mkdtempSync(join(tmpdir(), 'millrace-apply-')), url, prefix);
    writeTwenty(repo);
    const run = repo.apply('--timeout', '20s');
    await until(async () => (await repo.ours()).length >= 3);
    await server().kill();
    const { code, stdout, stderr } = await run;
    assert.equal(code, 1, stdout);
    assert.match(stdout, /: created$/m);
    assert.match(stderr, /trying again: the connection (is refused|broke)/);
    await server().restart();
    const second = await repo.apply();
    assert.equal(second.code, 0, second.stdout + second.stderr);
    await repo.assertEqual();
    await emptied(repo);
  });

  test('it comes back in time: one run is enough', async () => {
    const repo = repoIn(mkdtempSync(join(tmpdir(), 'millrace-apply-')), url, prefix);
    writeTwenty(repo);
    const run = repo.apply('--timeout', '180s');
    await until(async () => (await repo.ours()).length >= 3);
    await server().kill();
    await server().restart();
    const { code, stdout, stderr } = await run;
    assert.equal(code, 0, stdout + stderr);
    await repo.assertEqual();
    await emptied(repo);
  });
}

function writeTwenty({ name, source, write }: Repo, more: Readonly<Record<string, unknown>> = {}): void {
  for (let at = 1; at <= 20; at++)
    write(`many/${at}.json`, { name: name(`many-${at}`), config: { ...source(`many-${at}`, {}), file: '/nowhere/yet.txt', ...more } });
}

async function emptied(repo: Repo): Promise<void> {
  repo.remove('many');
  const { code, stdout, stderr } = await repo.apply('--prune', '--allow-empty', '--owner', repo.owner);
  assert.equal(code, 0, stdout + stderr);
  await until(async () => (await repo.ours()).length === 0);
  rmSync(repo.folder, { recursive: true });
}
