import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, it } from 'node:test';

import { applied, checkChanges, checkPresence } from './change-check.ts';
import type { CheckOptions } from './change-check.ts';
import type { ArrivedChange, Change } from './change.ts';

const operations: readonly Change['operation'][] = ['c', 'u', 'u', 'd', 'tombstone', 'c', 'u'];

/** Two keys with the same life, changes of both in turn. */
const arrived: readonly ArrivedChange[] = operations.flatMap((operation, at) => {
  const version = at < 4 ? at + 1 : at;
  return [1, 2].map((key) => ({ key, version, operation, partition: 0, lsn: 10 * version + key }));
});
const history = Map.groupBy<number, Change>(arrived, ({ key }) => key);

const problemsOf = (changes: readonly ArrivedChange[], options?: CheckOptions): readonly string[] =>
  checkChanges(changes, history, options).problems;
const without = (...places: number[]): ArrivedChange[] => arrived.filter((_, at) => !places.includes(at));

describe('the checker of changes', () => {
  it('is content with each change once, in order', () => {
    deepEqual(checkChanges(arrived, history), { arrived: 14, repeats: 0, rewinds: 0, problems: [] });
  });

  it('finds a change that is lost in the middle, at the end, and a key of which nothing came', () => {
    deepEqual(problemsOf(without(4)), ['u of key 1 version 3 is lost']);
    deepEqual(problemsOf(without(13)), ['u of key 2 version 6 is lost']);
    deepEqual(problemsOf(without(8)), ['tombstone of key 1 version 4 is lost']);
    equal(problemsOf(arrived.filter(({ key }) => key === 1)).length, 7);
  });

  it('finds two changes of a key that are swapped', () => {
    const swapped = arrived.with(2, arrived[4] as ArrivedChange).with(4, arrived[2] as ArrivedChange);
    deepEqual(problemsOf(swapped), ['u of key 1 version 2 came too late: after u of key 1 version 3']);
  });

  it('finds a single double, as the step back that it is', () => {
    const doubled = arrived.toSpliced(6, 0, arrived[2] as ArrivedChange);
    const report = checkChanges(doubled, history);
    deepEqual([report.repeats, report.rewinds], [1, 1]);
    match(report.problems.join(), /left out 3 records/);
  });

  it('finds a double that comes as another record', () => {
    const again = { ...(arrived[2] as ArrivedChange), lsn: 999 };
    deepEqual(problemsOf(arrived.toSpliced(4, 0, again)), [
      'u of key 1 version 2 came a second time, as another record, after u of key 1 version 2',
    ]);
  });

  it('counts repeats that go back and send all that followed', () => {
    const again = [...arrived.slice(0, 9), ...arrived.slice(3, 7), ...arrived.slice(5, 9), ...arrived.slice(9)];
    deepEqual(checkChanges(again, history), { arrived: 22, repeats: 8, rewinds: 2, problems: [] });
  });

  it('finds a repeat that leaves a record out, ends early, or comes in another order', () => {
    const leavesOut = [...arrived.slice(0, 9), ...arrived.slice(3, 5), ...arrived.slice(6, 9), ...arrived.slice(9)];
    match(problemsOf(leavesOut).join(), /left out 1 records/);
    const endsEarly = [...arrived.slice(0, 9), ...arrived.slice(3, 5), ...arrived.slice(9)];
    match(problemsOf(endsEarly).join(), /left out 4 records/);
    const endsLast = [...arrived, ...arrived.slice(3, 5)];
    match(problemsOf(endsLast).join(), /did not send the last 9 records/);
    const otherOrder = [...arrived.slice(0, 9), ...[3, 5, 4, 6, 7, 8].map((at) => arrived[at] as ArrivedChange), ...arrived.slice(9)];
    equal(problemsOf(otherOrder).length > 0, true);
  });

  it('finds what nobody did, and a key in two partitions', () => {
    deepEqual(problemsOf([...arrived, { key: 3, version: 1, operation: 'c', partition: 0, lsn: 1 }]), [
      'c of key 3 version 1 arrived, which nobody did',
    ]);
    deepEqual(problemsOf(arrived.with(13, { ...(arrived[13] as ArrivedChange), partition: 1 })), ['key 2 is in partition 0 and in 1']);
  });

  it('lets a snapshot skip changes, and read rows again, but what follows must be whole', () => {
    const read = (lsn: number, version: number): ArrivedChange => ({ key: 1, version, operation: 'r', partition: 0, lsn });
    const ofKey1 = arrived.filter(({ key }) => key === 1);
    const only1 = new Map([[1, ofKey1]]);
    const check = (changes: readonly ArrivedChange[]): readonly string[] => checkChanges(changes, only1, { snapshot: true }).problems;
    deepEqual(check([read(5, 2), read(7, 2), read(9, 3), ...ofKey1.slice(3)]), []);
    deepEqual(check(ofKey1.slice(5)), []);
    deepEqual(check([read(5, 2), ...ofKey1.slice(3)]), ['u of key 1 version 3 is lost']);
    deepEqual(
      check([read(9, 3), ...ofKey1.slice(1)])[0],
      'u of key 1 version 2 came a second time, as another record, after u of key 1 version 3',
    );
    equal(check([read(9, 3)]).length, 4);
  });

  it('applies changes to what is left', () => {
    deepEqual(
      [...applied(arrived)],
      [
        [1, 6],
        [2, 6],
      ],
    );
    deepEqual([...applied(arrived.slice(0, 7))], [[2, 3]]);
  });

  it('finds what a file lacks, and counts doubles', () => {
    deepEqual(checkPresence([...arrived, arrived[3] as ArrivedChange], arrived), { lines: 15, doubles: 1, problems: [] });
    deepEqual(checkPresence(without(3), arrived).problems, ['u of key 2 version 2 is lost']);
  });
});
