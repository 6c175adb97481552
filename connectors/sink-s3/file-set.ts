/**
 * All files of a topic partition that are closed together: from a start offset on, whatever folders the records go
 * to. Offsets are committed up to the start of the oldest set that is not in the bucket.
 */
import type { FileGroup } from './file-group.ts';
import type { ObjectFile } from './storage/object-file.ts';

export interface FileSet {
  readonly startOffset: bigint;
  readonly openedAtMs: number;
  readonly dueAtMs: number;
  /** Of the first record, where folders go by time. */
  readonly firstTimestampMs: number | null;
  lastEncodedPartition: string;
  records: number;
  /** By folder. */
  readonly groups: Map<string, FileGroup>;
}

export function filesOf({ groups }: FileSet): ObjectFile[] {
  return [...groups.values()].flatMap(({ files }) => files.map(({ file }) => file));
}

/** Tags of a group's objects: the peer's, then those of `s3.object.tagging.key.value.pairs`. */
export function tagsOf({ startOffset, endOffset, records }: FileGroup, pairs: Readonly<Record<string, string>>): Record<string, string> {
  return { startOffset: String(startOffset), endOffset: String(endOffset), recordCount: String(records), ...pairs };
}
