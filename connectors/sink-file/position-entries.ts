/**
 * The lines of a positions file. Each is a checksum and JSON, so that one that a crash tore is known. A `chunk` is written
 * before the bytes that it tells of: after kill -9 the file's end proves which of them hold.
 */
import { crc32 } from 'node:zlib';
import type { Position } from './positions.ts';

export interface Chunk {
  /** Where its bytes begin in the file. */
  readonly at: number;
  readonly bytes: number;
  readonly crc: number;
}

/** `[topic, partition, offset]` */
export type Place = readonly [topic: string, partition: number, offset: bigint];

export type Entry =
  /** The first line: all that the lines of an earlier positions file came to. */
  | {
      readonly kind: 'base';
      readonly version: 1;
      readonly connector: string;
      /** Which boot of the machine: after another one, power may have been lost. */
      readonly boot: string;
      readonly length: number;
      readonly last: Chunk | null;
      /** When the file's first line was written, in milliseconds since 1970; 0 while it is empty. */
      readonly beganMs: number;
      readonly rotations: number;
      readonly positions: readonly Position[];
    }
  | ({ readonly kind: 'chunk'; readonly beganMs: number; readonly next: readonly Place[] } & Chunk)
  /** All before it is on the disk, and the group may commit these. */
  | { readonly kind: 'synced'; readonly released: readonly Place[] }
  | { readonly kind: 'opened'; readonly positions: readonly Position[] }
  /** The file, all of it on the disk, is renamed next. */
  | { readonly kind: 'rotated'; readonly to: string; readonly number: number }
  /** A person altered offsets; none named means all. */
  | { readonly kind: 'altered'; readonly places: readonly (readonly [topic: string, partition: number])[] }
  /** The task ended in peace: what comes after is somebody else's. */
  | { readonly kind: 'closed' };

export function entryLine(entry: Entry): string {
  const json = JSON.stringify(entry, (_, value: unknown) => (typeof value === 'bigint' ? `#${value}` : value));
  return `${checksum(json)} ${json}\n`;
}

/** The entries of a positions file in order; lines that are torn are left out. */
export function readEntries(text: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of text.split('\n')) {
    const json = line.slice(9);
    if (json === '' || line.slice(0, 8) !== checksum(json)) continue;
    entries.push(JSON.parse(json, revived) as Entry);
  }
  return entries;
}

/** No topic's name or id can look like an offset; other texts can. */
function revived(key: string, value: unknown): unknown {
  if (typeof value !== 'string' || !/^#-?\d+$/.test(value) || key === 'connector' || key === 'to') return value;
  return BigInt(value.slice(1));
}

const checksum = (json: string): string => crc32(json).toString(16).padStart(8, '0');
