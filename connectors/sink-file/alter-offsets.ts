/** Offsets that are altered or reset by REST: the positions beside the files follow, so that it is not taken for a replay. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { RawConfig, TopicPartition } from '@millrace/runtime/api';
import { partitionFile, positionsFile } from './file-names.ts';
import { appendToPositionsFile } from './position-log.ts';

/** No offsets at all mean those of the whole connector. Returns false where the files are not of this machine. */
export function alterPositions(raw: RawConfig, offsets: readonly TopicPartition[]): boolean {
  const file = raw['file']?.trim() ?? '';
  const connector = raw['name'] ?? '';
  const places = offsets.map(({ topic, partition }) => [topic, partition] as const);
  if (file === '') return true;
  if (raw['file.per.partition']?.trim().toLowerCase() !== 'true') {
    const path = positionsFile(file, connector);
    if (existsSync(path)) appendToPositionsFile(path, { kind: 'altered', places });
    return existsSync(file) || Number(raw['tasks.max'] ?? 1) > 1;
  }
  const paths =
    offsets.length === 0
      ? allOf(file, connector)
      : offsets.map((place) => positionsFile(partitionFile(file, place), connector)).filter((path) => existsSync(path));
  for (const path of paths) appendToPositionsFile(path, { kind: 'altered', places: [] });
  return offsets.length === 0 ? paths.length > 0 : paths.length === offsets.length;
}

function allOf(file: string, connector: string): string[] {
  const folder = dirname(file);
  // The names of partitions' files, from the first to the last character that is not the partition's.
  const [before = '', after = ''] = basename(positionsFile(partitionFile(file, { topic: '\n', partition: 0 }), connector)).split('\n-0');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(before) && name.endsWith(after))
    .map((name) => join(folder, name));
}
