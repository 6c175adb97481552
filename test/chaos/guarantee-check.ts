/** Holds what arrived against the guarantees of source-postgres, of its stream and of both kinds of snapshots. */
import type { Arrival } from './arrivals.ts';
import { appliedRows } from './arrivals.ts';
import { rowsAt, textOf } from './truth.ts';
import type { CommittedEvent, Truth } from './truth.ts';

export type Phase = 'streaming' | 'parallel snapshot' | 'incremental snapshot';

export interface Guarantees {
  readonly phase: Phase;
  readonly exactlyOnce: boolean;
}

export interface GuaranteeReport {
  readonly records: number;
  readonly reads: number;
  /** Streamed records that had arrived before. */
  readonly repeats: number;
  /** How often the stream went back, in any partition. */
  readonly rewinds: number;
  /** The moments of the initial snapshots whose rows arrived. */
  readonly moments: number;
  /** The first few things that must not be; nothing when all is well. */
  readonly problems: readonly string[];
}

const mostProblems = 20;

export function checkGuarantees(arrivals: readonly Arrival[], truth: Truth, { phase, exactlyOnce }: Guarantees): GuaranteeReport {
  const problems: string[] = [];
  const found = (problem: string): void => void (problems.length < mostProblems && problems.push(problem));
  const reads = arrivals.filter(({ operation }) => operation === 'r');
  const moments = phase === 'parallel snapshot' ? [...new Set(reads.map(({ lsn }) => lsn))].sort((a, b) => a - b) : [];
  const moment = moments.at(-1) ?? (phase === 'parallel snapshot' ? 0 : 1);
  const wanted = truth.events.filter(({ lsn }) => lsn >= moment);

  const partitions = Map.groupBy(arrivals, ({ partition }) => partition);
  const homes = new Map<number, number>();
  for (const { key, partition } of arrivals) {
    const home = homes.get(key) ?? partition;
    homes.set(key, home);
    if (home !== partition) found(`key ${key} is in partition ${home} and in ${partition}`);
  }
  for (const event of wanted) if (!homes.has(event.key)) found(`${textOf(event)} is lost, and all of its key`);

  const counts = { repeats: 0, rewinds: 0 };
  for (const [partition, inPartition] of partitions) {
    const here = (text: string): void => found(`partition ${partition}: ${text}`);
    const streamed = inPartition.filter(({ operation }) => operation !== 'r');
    const expected = wanted.filter(({ key }) => homes.get(key) === partition);
    if (exactlyOnce) checkSame(streamed, expected, here);
    else checkReplay(streamed, expected, counts, here);
    if (phase === 'incremental snapshot') checkWindows(inPartition, truth.events, here);
    if (phase === 'parallel snapshot') checkNeverOlder(inPartition, exactlyOnce, here);
  }
  if (phase === 'parallel snapshot') {
    if (exactlyOnce && moments.length > 1) found(`rows of ${moments.length} snapshots arrived`);
    checkInitial(reads, truth, moments, exactlyOnce, found);
  }
  if (phase === 'streaming' && reads.length > 0) found(`${reads.length} rows were read, though nobody asked for them`);
  if (phase !== 'streaming') {
    // Rows of a snapshot that was given up before any of it was known to be stored may have been gone at the next one.
    const valid = arrivals.filter(({ operation, lsn }) => phase !== 'parallel snapshot' || operation !== 'r' || lsn === moment);
    checkTable(appliedRows(valid), truth.rows, found);
  }
  return { records: arrivals.length, reads: reads.length, ...counts, moments: moments.length, problems };
}

/** Exactly these, in this order. */
function checkSame(streamed: readonly Arrival[], expected: readonly CommittedEvent[], found: (text: string) => void): void {
  const at = expected.findIndex((event, i) => streamed[i] === undefined || textOf(streamed[i]) !== textOf(event));
  const place = at < 0 ? expected.length : at;
  if (at < 0 && streamed.length === expected.length) return;
  const next = expected[place];
  const came = streamed.slice(place, place + 6).map((arrival) => `${textOf(arrival)} (lsn ${arrival.lsn})`);
  const due = expected.slice(place, place + 6).map((event) => `${textOf(event)} (transaction ${event.xid})`);
  const texts = streamed.map(textOf);
  const elsewhere = next === undefined ? [] : texts.flatMap((text, i) => (text === textOf(next) ? [i] : []));
  const doubles = texts.length - new Set(texts).size;
  found(
    `${streamed.length} of ${expected.length} changes came, ${doubles} of them twice; at ${place} there are ${came.join(', ') || 'none'} in place of ${due.join(', ') || 'none'}; the first of these came at ${elsewhere.join(', ') || 'no place'}`,
  );
}

/**
 * The source may go back to where its position was stored, and from there on sends what followed, in the same order;
 * it never goes back behind where it went back to before. Tombstones tell nothing of themselves, and are counted.
 */
function checkReplay(
  streamed: readonly Arrival[],
  expected: readonly CommittedEvent[],
  counts: { repeats: number; rewinds: number },
  found: (text: string) => void,
): void {
  const wanted = expected.filter(({ operation }) => operation !== 'tombstone');
  const places = new Map(wanted.map((event, place) => [textOf(event), place]));
  let [last, furthest, lowest] = [-1, -1, 0];
  for (const arrival of streamed) {
    if (arrival.operation === 'tombstone') continue;
    const place = places.get(textOf(arrival));
    if (place === undefined) {
      found(`${textOf(arrival)} arrived, which nobody did, or which the snapshot knows`);
      continue;
    }
    if (place > last + 1)
      found(`${textOf(arrival)} came, and ${place - last - 1} changes before it, from ${textOf(wanted[last + 1]!)} on, did not`);
    if (place <= last) {
      counts.rewinds++;
      if (place < lowest) found(`the source went back to ${textOf(arrival)}, ${lowest - place} changes behind where it was stored before`);
      lowest = Math.max(lowest, place);
    }
    if (place <= furthest) counts.repeats++;
    furthest = Math.max(furthest, place);
    last = place;
  }
  for (const event of wanted.slice(last + 1, last + 4))
    found(`${textOf(event)} is lost, with ${wanted.length - last - 1} in all, at the end`);
  const tombstones = (list: readonly { operation: string }[]): number => list.filter(({ operation }) => operation === 'tombstone').length;
  const missing = tombstones(expected) - tombstones(streamed);
  if (missing > 0) found(`${missing} tombstones are lost`);
}

/** A row of an incremental snapshot is just what the stream has told of it, or what was there before the stream. */
function checkWindows(inPartition: readonly Arrival[], events: readonly CommittedEvent[], found: (text: string) => void): void {
  const known = rowsAt(events, 1);
  for (const arrival of inPartition) {
    const { key, version, operation } = arrival;
    if (operation === 'r' && known.get(key) !== version)
      found(`${textOf(arrival)} came where the stream had told of version ${known.get(key) ?? 'no'} of the key`);
    else if (operation === 'd') known.delete(key);
    else if (operation !== 'tombstone') known.set(key, version);
  }
}

/** With exactly-once the whole snapshot comes before the stream. */
function checkNeverOlder(inPartition: readonly Arrival[], exactlyOnce: boolean, found: (text: string) => void): void {
  const newest = new Map<number, number>();
  let streams = false;
  for (const arrival of inPartition) {
    const { key, version, operation } = arrival;
    if (operation === 'tombstone') continue;
    if (operation !== 'r') streams = true;
    else if (streams && exactlyOnce) found(`${textOf(arrival)} came after the stream had begun`);
    else if (version < (newest.get(key) ?? 0)) found(`${textOf(arrival)} came after version ${newest.get(key)} of the key`);
    newest.set(key, Math.max(version, newest.get(key) ?? 0));
  }
}

/** Each row is as of the moment of its snapshot; those that nobody touched since all came, and with exactly-once once. */
function checkInitial(
  reads: readonly Arrival[],
  { events, rows }: Truth,
  moments: readonly number[],
  exactlyOnce: boolean,
  found: (text: string) => void,
): void {
  const came = new Map<number, number>();
  let held = new Map<number, number>();
  for (const moment of moments) {
    held = rowsAt(events, moment);
    came.clear();
    for (const read of reads.filter(({ lsn }) => lsn === moment)) {
      if (held.get(read.key) !== read.version) found(`${textOf(read)} came, of which version ${held.get(read.key) ?? 'no'} was there`);
      came.set(read.key, (came.get(read.key) ?? 0) + 1);
    }
  }
  if (moments.length === 0 && rows.size > 0) return found('no row of the snapshot came');
  const changed = new Set(events.filter(({ lsn }) => lsn >= (moments.at(-1) as number)).map(({ key }) => key));
  for (const [key, version] of held) {
    if (!came.has(key) && !changed.has(key)) found(`the row at key ${key} version ${version} is lost, which nobody changed`);
  }
  if (!exactlyOnce) return;
  for (const [key, times] of came) if (times > 1) found(`the row at key ${key} came ${times} times as r`);
}

/** Of keys that nobody changes: each came once for each incremental snapshot; without exactly-once at least so often. */
export function checkStillRows(arrivals: readonly Arrival[], keys: readonly number[], snapshots: number, exactlyOnce: boolean): string[] {
  const times = new Map<number, number>();
  for (const { key, operation } of arrivals) if (operation === 'r') times.set(key, (times.get(key) ?? 0) + 1);
  return keys
    .filter((key) => (exactlyOnce ? times.get(key) !== snapshots : (times.get(key) ?? 0) < snapshots))
    .map((key) => `the row at key ${key} came ${times.get(key) ?? 0} times as r in ${snapshots} snapshots`)
    .slice(0, mostProblems);
}

function checkTable(applied: ReadonlyMap<number, number>, rows: ReadonlyMap<number, number>, found: (text: string) => void): void {
  for (const [key, version] of rows) {
    if (applied.get(key) !== version)
      found(`the topic comes to version ${applied.get(key) ?? 'no'} of key ${key}, and the table to ${version}`);
  }
  for (const [key, version] of applied) if (!rows.has(key)) found(`the topic holds key ${key} version ${version}, and the table does not`);
}
