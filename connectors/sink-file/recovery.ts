/** What a file and its positions file come to, when a task starts: after an orderly end, kill -9, or a loss of power. */
import { fstatSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { readEntries } from './position-entries.ts';
import type { Chunk, Entry } from './position-entries.ts';
import { Positions } from './positions.ts';

export interface Recovered {
  readonly positions: Positions;
  /** Bytes of the file that hold; what is behind them is to be cut off. */
  readonly length: number;
  readonly last: Chunk | null;
  readonly beganMs: number;
  readonly rotations: number;
  /** The file is to be put aside under this name first, and a new one begun. */
  readonly rotateTo: string | undefined;
  /**
   * - `clean`: the file is as it was left.
   * - `torn`: it ends in a piece of what was being written.
   * - `unexplained`: after a loss of power, it ends in bytes of which the positions file does not tell.
   * - `foreign`: it ends in what somebody else wrote.
   * - `other file`: it is not the file that was written; positions say nothing any more.
   */
  readonly state: 'clean' | 'torn' | 'unexplained' | 'foreign' | 'other file';
}

/** `fd` is the data file's, for reading. `boot`: of the machine, now. */
export function recover(fd: number, text: string, boot: string): Recovered | undefined {
  const entries = readEntries(text);
  const [base] = entries;
  if (base?.kind !== 'base') return undefined;
  const size = fstatSync(fd).size;
  const positions = new Positions();
  for (const position of base.positions) positions.set(position);
  let { length, last, beganMs, rotations } = base;
  let rotateTo: string | undefined;
  let broken: Chunk | undefined;
  const durable = entries.findLastIndex(({ kind }) => kind === 'synced' || kind === 'rotated' || kind === 'closed' || kind === 'base');

  // What is on the disk for certain is not read again, but for the last chunk: by that the file is known again.
  let identity: Chunk | null = base.last;
  let known = base.length;
  entries.slice(0, durable + 1).forEach((entry) => {
    if (entry.kind === 'chunk') [identity, known] = [chunkOf(entry), entry.at + entry.bytes];
    else if (entry.kind === 'rotated') [identity, known] = [null, 0];
  });
  const rotating = entries[durable]?.kind === 'rotated' ? beforeRotation(base, entries.slice(0, durable)) : undefined;
  const notRenamed = rotating !== undefined && rotating.length === size && rotating.length > 0 && holds(fd, rotating.last);
  const isSame = notRenamed || (size >= known && (identity === null || holds(fd, identity)));

  for (const [index, entry] of entries.entries()) {
    // A person's alterations count, wherever the file broke off.
    if (broken !== undefined && entry.kind !== 'altered') continue;
    if (entry.kind === 'chunk') {
      const chunk = chunkOf(entry);
      if (index > durable && !(size >= chunk.at + chunk.bytes && chunk.at >= length && holds(fd, chunk))) {
        broken = chunk;
        continue;
      }
      [length, last, beganMs] = [chunk.at + chunk.bytes, chunk, entry.beganMs];
      for (const [topic, partition, next] of entry.next) positions.advance(topic, partition, next);
    } else if (entry.kind === 'rotated') {
      if (index === durable && notRenamed) rotateTo = entry.to;
      [length, last, beganMs, rotations] = [0, null, 0, entry.number];
    } else {
      replayPositions(entry, positions);
    }
  }

  const rest = { positions, rotations, rotateTo };
  if (!isSame) {
    for (const position of positions.all()) positions.forget(position);
    return { ...rest, length: size, last: null, beganMs: 0, state: 'other file' };
  }
  if (rotateTo !== undefined) return { ...rest, length: 0, last: null, beganMs: 0, state: 'clean' };
  const powerLost = base.boot !== boot && entries.at(-1)?.kind !== 'closed';
  if (size === length) return { ...rest, length, last, beganMs, state: 'clean' };
  if (broken !== undefined && size <= broken.at + broken.bytes && broken.at === length)
    return { ...rest, length, last, beganMs, state: 'torn' };
  if (powerLost) return { ...rest, length, last, beganMs, state: 'unexplained' };
  return { ...rest, length: size, last: null, beganMs, state: 'foreign' };
}

const chunkOf = ({ at, bytes, crc }: Chunk): Chunk => ({ at, bytes, crc });

function replayPositions(entry: Entry, positions: Positions): void {
  if (entry.kind === 'opened') for (const position of entry.positions) positions.set(position);
  else if (entry.kind === 'synced') for (const [topic, partition, offset] of entry.released) positions.release(topic, partition, offset);
  else if (entry.kind === 'altered') {
    const places = entry.places.map(([topic, partition]) => ({ topic, partition }));
    for (const place of places.length === 0 ? positions.all() : places) positions.forget(place);
  }
}

function beforeRotation(base: Entry & { kind: 'base' }, entries: readonly Entry[]): { length: number; last: Chunk | null } {
  let { length, last } = base;
  for (const entry of entries) {
    if (entry.kind === 'chunk') [length, last] = [entry.at + entry.bytes, chunkOf(entry)];
    else if (entry.kind === 'rotated') [length, last] = [0, null];
  }
  return { length, last };
}

/** The bytes of the file are those of the chunk. */
function holds(fd: number, chunk: Chunk | null): boolean {
  if (chunk === null) return true;
  let crc = 0;
  const buffer = Buffer.allocUnsafe(Math.min(1 << 20, chunk.bytes));
  for (let done = 0; done < chunk.bytes;) {
    const read = readSync(fd, buffer, 0, Math.min(buffer.length, chunk.bytes - done), chunk.at + done);
    if (read === 0) return false;
    crc = crc32(buffer.subarray(0, read), crc);
    done += read;
  }
  return crc === chunk.crc;
}
