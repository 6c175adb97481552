import { deepEqual, match } from 'node:assert/strict';
import { describe, test } from 'node:test';

import { arrivalsOf } from './arrivals.ts';
import type { Arrival } from './arrivals.ts';
import { checkGuarantees, checkStillRows } from './guarantee-check.ts';
import type { Guarantees } from './guarantee-check.ts';
import type { CommittedEvent, Truth } from './truth.ts';

/** `c1.2` is the create of key 1 that made its version 2; `t` is a tombstone. `@100` says the LSN of a commit, or of a snapshot. */
function parsed(text: string) {
  const [, letter, key, version, lsn] = /^(\w)(\d+)\.(\d+)(?:@(\d+))?$/.exec(text) as unknown as [string, string, string, string, string?];
  const operation = letter === 't' ? 'tombstone' : letter;
  return { operation, key: Number(key), version: Number(version), lsn: Number(lsn ?? 100) };
}
const arrived = (text: string): Arrival[] => text.split(' ').map((each) => ({ ...parsed(each), partition: 0 }) as Arrival);
function truth(text: string, rows: Record<number, number>): Truth {
  const events = text.split(' ').map((each) => ({ ...parsed(each), xid: 7 }) as CommittedEvent);
  return { events, rows: new Map(Object.entries(rows).map(([key, version]) => [Number(key), version])) };
}
const problems = (came: string, was: Truth, guarantees: Guarantees): readonly string[] =>
  checkGuarantees(arrived(came), was, guarantees).problems;

describe('the stream', () => {
  const was = truth('c1.1 c2.1 u1.2 d2.2 t2.2 c2.3', { 1: 2, 2: 3 });
  const exact = { phase: 'streaming', exactlyOnce: true } as const;
  const again = { phase: 'streaming', exactlyOnce: false } as const;

  test('with exactly-once it is just what was done, in that order', () => {
    deepEqual(problems('c1.1 c2.1 u1.2 d2.2 t2.2 c2.3', was, exact), []);
    match(problems('c1.1 c2.1 u1.2 d2.2 t2.2', was, exact)[0]!, /5 of 6 changes came/);
    match(problems('c1.1 c2.1 u1.2 u1.2 d2.2 t2.2 c2.3', was, exact)[0]!, /1 of them twice/);
    match(problems('c1.1 u1.2 c2.1 d2.2 t2.2 c2.3', was, exact)[0]!, /at 1 there are u of key 1 version 2/);
    match(problems('c1.1 u1.2', was, exact).join('; '), /c of key 2 version 1 is lost, and all of its key/);
  });

  test('without, it may go back, and then leaves out nothing', () => {
    const { problems: none, repeats, rewinds } = checkGuarantees(arrived('c1.1 c2.1 u1.2 c2.1 u1.2 d2.2 t2.2 t2.2 c2.3'), was, again);
    deepEqual([none, repeats, rewinds], [[], 2, 1]);
    match(
      problems('c1.1 c2.1 u1.2 c1.1 u1.2 d2.2 t2.2 c2.3', was, again)[0]!,
      /1 changes before it, from c of key 2 version 1 on, did not/,
    );
    match(problems('c1.1 c2.1 u1.2 d2.2 t2.2 c2.3 c2.1', was, again)[0]!, /u of key 1 version 2 is lost, with 3 in all, at the end/);
    match(problems('c1.1 c2.1 u1.2 d2.2 c2.3', was, again)[0]!, /1 tombstones are lost/);
    match(problems('c1.1 c2.1 u1.2 u1.2 c2.1 u1.2 d2.2 t2.2 c2.3', was, again)[0]!, /1 changes behind where it was stored before/);
    match(problems('c1.1 c2.1 u9.9 u1.2 d2.2 t2.2 c2.3', was, again)[0]!, /u of key 9 version 9 arrived, which nobody did/);
  });
});

describe('an initial snapshot', () => {
  // At 100 there are 1.2 and 2.1 and 3.1; then 2 is changed, and 3 deleted.
  const was = truth('c1.1@0 c2.1@0 u1.2@50 c3.1@60 u2.2@120 d3.2@130 t3.2@130', { 1: 2, 2: 2 });
  const exact = { phase: 'parallel snapshot', exactlyOnce: true } as const;
  const again = { phase: 'parallel snapshot', exactlyOnce: false } as const;

  test('rows that nobody touched since come, each once, and before the stream; others need not', () => {
    deepEqual(problems('r1.2 r2.1 r3.1 u2.2 d3.2 t3.2', was, exact), []);
    deepEqual(problems('r1.2 u2.2 d3.2 t3.2', was, exact), []);
    match(problems('r1.2 r1.2 u2.2 d3.2 t3.2', was, exact)[0]!, /key 1 came 2 times as r/);
    match(problems('r2.1 u2.2 d3.2 t3.2', was, exact).join('; '), /the row at key 1 version 2 is lost/);
    match(problems('r1.1 u2.2 d3.2 t3.2', was, exact)[0]!, /r of key 1 version 1 came, of which version 2 was there/);
    match(problems('u2.2 r1.2 d3.2 t3.2', was, exact)[0]!, /came after the stream had begun/);
    match(problems('r1.2@40 r1.2 u2.2 d3.2 t3.2', was, exact).join('; '), /rows of 2 snapshots arrived/);
  });

  test('without exactly-once they may come again, but never after a newer change', () => {
    deepEqual(problems('r1.2 r2.1 r1.2 r2.1 u2.2 r1.2 u2.2 d3.2 t3.2', was, again), []);
    match(problems('r1.2 r2.1 u2.2 r2.1 u2.2 d3.2 t3.2', was, again)[0]!, /r of key 2 version 1 came after version 2 of the key/);
    match(problems('r1.2 u2.2', was, again).join('; '), /d of key 3 version 2 is lost/);
  });
});

describe('incremental snapshots', () => {
  const was = truth('c1.1@0 c2.1@0 u1.2 d2.2 t2.2', { 1: 2 });
  const exact = { phase: 'incremental snapshot', exactlyOnce: true } as const;

  test('a row is what the stream has told of it', () => {
    deepEqual(problems('r1.1 u1.2 r1.2 r1.2 d2.2 t2.2', was, exact), []);
    match(problems('r2.1 u1.2 r1.1 d2.2 t2.2', was, exact)[0]!, /r of key 1 version 1 came where the stream had told of version 2/);
    match(problems('r1.2 u1.2 d2.2 t2.2', was, exact)[0]!, /r of key 1 version 2 came where the stream had told of version 1/);
    match(problems('u1.2 d2.2 t2.2 r2.1', was, exact)[0]!, /had told of version no of the key/);
  });

  test('rows that nobody changes come once in each', () => {
    deepEqual(checkStillRows(arrived('r1.1 r2.1 r1.1 r2.1'), [1, 2], 2, true), []);
    deepEqual(checkStillRows(arrived('r1.1 r1.1 r2.1'), [1, 2], 1, true), ['the row at key 1 came 2 times as r in 1 snapshots']);
    deepEqual(checkStillRows(arrived('r1.1 r1.1'), [1, 2], 1, false), ['the row at key 2 came 0 times as r in 1 snapshots']);
  });
});

test('a tombstone belongs to the delete before it, of its key or of its partition', () => {
  const record = (key: string | null, value: object | null) => ({ partition: 0, offset: 0n, key, value: value && JSON.stringify(value) });
  const deleted = (id: number) => ({ op: 'd', before: { id, version: 1 }, after: null, source: { lsn: 5 } });
  const records = [record('{"id":1}', deleted(1)), record(null, deleted(2)), record(null, null), record('{"id":1}', null)];
  deepEqual(
    arrivalsOf(records).map(({ key, version, operation }) => `${operation} ${key} ${version}`),
    ['d 1 2', 'd 2 2', 'tombstone 2 2', 'tombstone 1 2'],
  );
});
