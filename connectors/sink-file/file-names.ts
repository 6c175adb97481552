/** The names of what stands beside a sink's file. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TopicPartition } from '@millrace/runtime/api';

/** `out.txt` → `out`, `.txt`; `out.txt.gz` → `out`, `.txt.gz`. */
function parts(file: string): [stem: string, ending: string] {
  const name = basename(file);
  const [, stem = name, ending = ''] = /^(.+?)((?:\.[^.]+)?(?:\.gz)?)$/.exec(name) ?? [];
  return [join(dirname(file), stem), ending];
}

/** `out.txt` → `out-orders-3.txt` */
export function partitionFile(file: string, { topic, partition }: TopicPartition): string {
  const [stem, ending] = parts(file);
  return `${stem}-${topic}-${partition}${ending}`;
}

/** The first of `out-000001.txt`, `out-000002.txt`, … from a number on that is free. */
export function rotatedFile(file: string, from: number): { readonly path: string; readonly number: number } {
  const [stem, ending] = parts(file);
  for (let number = from; ; number++) {
    const path = `${stem}-${String(number).padStart(6, '0')}${ending}`;
    if (!existsSync(path)) return { path, number };
  }
}

const longestName = 255;

/** `out.txt` → `.out.txt.CONNECTOR.positions`, hidden, so that whoever reads all files of the folder does not read this one. */
export function positionsFile(file: string, connector: string): string {
  const name = `.${basename(file)}.${encodeURIComponent(connector)}.positions`;
  const isLong = Buffer.byteLength(name) + '.new'.length > longestName;
  return join(dirname(file), isLong ? `.${createHash('sha256').update(name).digest('hex')}.positions` : name);
}
