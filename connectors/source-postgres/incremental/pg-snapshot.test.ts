import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RecentCommits, parseSnapshot } from './pg-snapshot.ts';

test('a snapshot sees what had ended', () => {
  const snapshot = parseSnapshot('100:105:100,103');
  assert.deepEqual(
    [99, 100, 101, 102, 103, 104, 105, 106].map((xid) => snapshot.sees(xid)),
    [true, false, true, true, false, true, false, false],
  );
  assert.equal(parseSnapshot('100:100:').sees(99), true);
  assert.throws(() => parseSnapshot('100'), /is not a snapshot/);
});

test('numbers of 32 bits are taken for the closest', () => {
  const epoch = 2 ** 32;
  const snapshot = parseSnapshot(`${2 * epoch - 1}:${2 * epoch + 5}:${2 * epoch + 1}`);
  assert.deepEqual(
    [epoch - 2, epoch - 1, 0, 1, 4, 5].map((xid) => snapshot.sees(xid)),
    [true, true, true, false, true, false],
  );
});

test('commits before the mark that a snapshot does not see are found, once', () => {
  const commits = new RecentCommits();
  commits.add(100);
  commits.add(101);
  commits.mark();
  commits.add(103);
  assert.equal(commits.unseenBy(parseSnapshot('101:105:101,103')), true);
  assert.equal(commits.unseenBy(parseSnapshot('103:105:103')), false);
  commits.mark();
  assert.equal(commits.unseenBy(parseSnapshot('103:105:103')), true);
});
