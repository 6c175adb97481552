import { deepEqual, equal, match } from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TopicPartition } from '../api/index.ts';
import { sinkDeadLetters } from './dead-letter-queue.ts';
import type { SinkDeadLetters } from './dead-letter-queue.ts';
import { TaskFigures } from './task-figures.ts';
import { failure, letterSettings, letterTopic, lettersOf, placeAt } from './test/letters.ts';

interface Queue {
  readonly letters: SinkDeadLetters;
  readonly warnings: string[];
  count(name: string): number | undefined;
}

function queue(isAssigned: (partition: TopicPartition) => boolean = () => true): Queue {
  const figures = new TaskFigures();
  const warnings: string[] = [];
  const letters = sinkDeadLetters(letterSettings, letterTopic, figures, { warn: (message) => warnings.push(message) }, isAssigned);
  return { letters, warnings, count: (name) => figures.snapshot(Date.now())[name] };
}

/** What a commit after which partition 0 of `t` stands there would write. */
const valuesAt = ({ letters }: Queue, offset: number): (string | null)[] =>
  lettersOf(letters.take(({ topic, partition }) => (topic === 't' && partition === 0 ? BigInt(offset) : undefined)).batches).map(
    ({ value }) => value,
  );

function write({ letters }: Queue, offset: number): (string | null)[] {
  const taken = letters.take(() => BigInt(offset));
  taken.written();
  return lettersOf(taken.batches).map(({ value }) => value);
}

describe('dead letters of a sink', () => {
  it('wait until the offsets behind them are committed', () => {
    const dead = queue();
    for (const offset of [3, 7]) dead.letters.takeLetter(failure, placeAt(offset));
    deepEqual(valuesAt(dead, 3), []);
    deepEqual(valuesAt(dead, 4), ['v3']);
    deepEqual(write(dead, 4), ['v3']);
    deepEqual(write(dead, 4), []);
    equal(dead.letters.isEmpty, false);
    deepEqual(write(dead, 100), ['v7']);
    equal(dead.letters.isEmpty, true);
  });

  it('stay when the commit failed', () => {
    const dead = queue();
    dead.letters.takeLetter(failure, placeAt(1));
    dead.letters.take(() => 9n).failed();
    deepEqual(write(dead, 9), ['v1']);
    deepEqual([dead.count('deadletterqueue-produce-requests'), dead.count('deadletterqueue-produce-failures')], [2, 1]);
  });

  it('are one for each record, however often it comes', () => {
    const dead = queue();
    dead.letters.takeLetter(failure, placeAt(1));
    dead.letters.takeLetter(failure, placeAt(1, 'again'));
    deepEqual(write(dead, 9), ['again']);
  });

  it('go with their partition; one that comes later is its next reader’s', () => {
    const assigned = new Set([0, 1]);
    const dead = queue(({ partition }) => assigned.has(partition));
    for (const partition of [0, 1]) dead.letters.takeLetter(failure, placeAt(1, `p${partition}`, { partition }));
    assigned.delete(1);
    dead.letters.drop([{ topic: 't', partition: 1 }]);
    dead.letters.takeLetter(failure, placeAt(2, 'late', { partition: 1 }));
    deepEqual(write(dead, 9), ['p0']);
    equal(dead.letters.isEmpty, true);
  });

  it('ask for a commit soon, and at once where they are many', () => {
    const dead = queue();
    equal(dead.letters.dueAtMs, Infinity);
    dead.letters.takeLetter(failure, placeAt(0));
    equal(dead.letters.dueAtMs > Date.now(), true);
    dead.letters.takeLetter(failure, placeAt(1, 'x'.repeat(2_000_000)));
    equal(dead.letters.dueAtMs, 0);
    // A commit that did not get them away is not tried again at once.
    dead.letters.postpone();
    equal(dead.letters.dueAtMs > Date.now(), true);
  });

  it('beyond a bound of memory go ahead of offsets that do not move, once', () => {
    const dead = queue();
    for (let offset = 0; offset < 20; offset++) dead.letters.takeLetter(failure, placeAt(offset, 'x'.repeat(900_000)));
    equal(write(dead, 0).length, 20);
    match(dead.warnings.join(), /ahead of them.*twice/s);
    // Read again after a rewind.
    dead.letters.takeLetter(failure, placeAt(5));
    equal(dead.letters.isEmpty, true);
    write(dead, 20);
    dead.letters.takeLetter(failure, placeAt(20));
    deepEqual(write(dead, 21), ['v20']);
  });
});
