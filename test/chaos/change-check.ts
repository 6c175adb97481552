/** Compares what arrived with what was done. */
import type { ArrivedChange, Change } from './change.ts';

/** Everything that was done to each key, in order, tombstones included. */
export type History = ReadonlyMap<number, readonly Change[]>;

export interface CheckOptions {
  /** The history began before the connector did, which has read some of it from the table. */
  readonly snapshot?: boolean;
}

export interface CheckReport {
  readonly arrived: number;
  /** Records that had arrived before, and came again. */
  readonly repeats: number;
  /** How often the source went back. */
  readonly rewinds: number;
  /** The first few things that must not be; nothing when all is well. */
  readonly problems: readonly string[];
}

const mostProblems = 20;

/**
 * The law, for each partition: a source may go back to any record that it has sent, and from there on sends what
 * followed then, in the same order, before anything new. For each key: what is new is exactly the next change.
 *
 * With a snapshot: rows read (`r`) may skip changes, since they tell what has become of them, and a key may begin
 * with any change: its row was not there when the tables were read, or changed before a snapshot that was broken off
 * came to it again.
 */
export function checkChanges(arrived: readonly ArrivedChange[], history: History, options: CheckOptions = {}): CheckReport {
  const problems: string[] = [];
  const found = (problem: string): void => void (problems.length < mostProblems && problems.push(problem));
  const keys = new KeyOrder(history, options.snapshot === true, found);
  const partitions = new Map<number, PartitionOrder>();
  for (const change of arrived) {
    let partition = partitions.get(change.partition);
    if (partition === undefined) partitions.set(change.partition, (partition = new PartitionOrder(found)));
    if (partition.isNew(change)) keys.advance(change);
  }
  for (const partition of partitions.values()) partition.end();
  keys.end();
  const sum = (count: (each: PartitionOrder) => number): number => partitions.values().reduce((total, each) => total + count(each), 0);
  return { arrived: arrived.length, repeats: sum((each) => each.repeats), rewinds: sum((each) => each.rewinds), problems };
}

/** Knows what came in which order, and what has to follow a step back. */
class PartitionOrder {
  repeats = 0;
  rewinds = 0;
  readonly #found: (problem: string) => void;
  /** Where each change stands among those that came first. */
  readonly #places = new Map<string, number>();
  #last = -1;
  #lastChange: Change | undefined;

  constructor(found: (problem: string) => void) {
    this.#found = found;
  }

  isNew(change: ArrivedChange): boolean {
    const identity = `${text(change)} at ${change.lsn}`;
    const place = this.#places.get(identity);
    const end = this.#places.size - 1;
    const isNew = place === undefined;
    if (isNew) {
      if (this.#last !== end) this.#skipped(change, end - this.#last);
      this.#places.set(identity, end + 1);
    } else {
      this.repeats++;
      if (place > this.#last + 1) this.#skipped(change, place - this.#last - 1);
      if (place <= this.#last) this.rewinds++;
    }
    this.#last = place ?? end + 1;
    this.#lastChange = change;
    return isNew;
  }

  end(): void {
    const missing = this.#places.size - 1 - this.#last;
    if (missing > 0) this.#found(`the source went back, and did not send the last ${missing} records again`);
  }

  #skipped(change: Change, records: number): void {
    const after = this.#lastChange === undefined ? '' : ` after ${text(this.#lastChange)}`;
    this.#found(`${text(change)} came${after}: the source went back before, and left out ${records} records that followed then`);
  }
}

class KeyOrder {
  readonly #history: History;
  readonly #snapshot: boolean;
  readonly #found: (problem: string) => void;
  readonly #partitions = new Map<number, number>();
  /** How many of a key's changes are dealt with. */
  readonly #done = new Map<number, number>();
  /** Those that were passed by, and may come yet: out of order then. */
  readonly #missed = new Map<string, Change>();

  constructor(history: History, snapshot: boolean, found: (problem: string) => void) {
    this.#history = history;
    this.#snapshot = snapshot;
    this.#found = found;
  }

  advance(change: ArrivedChange): void {
    const { key } = change;
    const partition = this.#partitions.get(key) ?? change.partition;
    this.#partitions.set(key, partition);
    if (partition !== change.partition) this.#found(`key ${key} is in partition ${partition} and in ${change.partition}`);

    const changes = this.#history.get(key) ?? [];
    const done = this.#done.get(key) ?? 0;
    const at = indexOf(changes, change);
    if (at === undefined) return this.#found(`${text(change)} arrived, which nobody did`);
    const readAgain = this.#snapshot && change.operation === 'r' && at === done - 1;
    if (readAgain) return;
    if (at < done) {
      const late = this.#missed.delete(text(change));
      return this.#found(
        `${text(change)} came ${late ? 'too late: ' : 'a second time, as another record, '}after ${text(changes[done - 1] as Change)}`,
      );
    }
    const mayBegin = this.#snapshot && (change.operation === 'r' || done === 0);
    if (!mayBegin) for (const passed of changes.slice(done, at)) this.#missed.set(text(passed), passed);
    this.#done.set(key, at + 1);
  }

  end(): void {
    for (const passed of this.#missed.keys()) this.#found(`${passed} is lost`);
    for (const [key, changes] of this.#history) {
      const done = this.#done.get(key) ?? 0;
      const last = changes.at(-1);
      // A row that was gone when the tables were read leaves no trace.
      if (this.#snapshot && done === 0 && last?.operation === 'tombstone') continue;
      for (const change of changes.slice(done)) this.#found(`${text(change)} is lost`);
    }
  }
}

/** The first places of `changes` hold versions 1, 2, …, and a tombstone after each delete, so a search is short. */
function indexOf(changes: readonly Change[], { version, operation }: Change): number | undefined {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle] as Change).version < version) low = middle + 1;
    else high = middle;
  }
  for (let at = low; changes[at]?.version === version; at++) if (isSame((changes[at] as Change).operation, operation)) return at;
  return undefined;
}

/** A row that is read is there by an insert or an update. */
const isSame = (done: Change['operation'], arrived: Change['operation']): boolean =>
  arrived === 'r' ? done === 'c' || done === 'u' : done === arrived;

const text = ({ key, version, operation }: Change): string => `${operation} of key ${key} version ${version}`;

export interface FileReport {
  readonly lines: number;
  readonly doubles: number;
  readonly problems: readonly string[];
}

/** For a place where each change has to arrive at least once, in whatever order. */
export function checkPresence(arrived: readonly Change[], expected: readonly Change[]): FileReport {
  const seen = new Set(arrived.map(text));
  const lost = expected.filter((change) => !seen.has(text(change)));
  const problems = lost.slice(0, mostProblems).map((change) => `${text(change)} is lost`);
  if (lost.length > mostProblems) problems.push(`and ${lost.length - mostProblems} more are lost`);
  return { lines: arrived.length, doubles: arrived.length - seen.size, problems };
}

/** What is left of each key when its changes are applied in the order in which they arrived: key → version. */
export function applied(arrived: readonly Change[]): Map<number, number> {
  const rows = new Map<number, number>();
  for (const { key, version, operation } of arrived) {
    if (operation === 'd' || operation === 'tombstone') rows.delete(key);
    else rows.set(key, version);
  }
  return rows;
}
