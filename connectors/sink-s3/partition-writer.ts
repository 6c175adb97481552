/** Records of one topic partition into files. Source: io.confluent.connect.s3.TopicPartitionWriter. */
import type { SinkRecord, TopicPartition } from '@millrace/runtime/api';
import { addTo, needsOtherFiles, openGroup } from './file-group.ts';
import type { FileGroup, GroupParts } from './file-group.ts';
import { filesOf } from './file-set.ts';
import type { FileSet } from './file-set.ts';
import { objectName } from './object-names.ts';
import type { NameSettings } from './object-names.ts';
import type { Partitioner } from './partitioning/partitioner.ts';
import { closesBefore, dueAtMs } from './rotation.ts';
import type { RotationSettings } from './rotation.ts';
import type { SchemaRules } from './schema-compatibility.ts';
import type { ObjectFile } from './storage/object-file.ts';

export interface WriterParts extends GroupParts {
  readonly partitioner: Partitioner;
  readonly rotation: RotationSettings;
  readonly schemas: SchemaRules;
  readonly names: NameSettings;
  /** Brings the files of a closed set to their end. Rejects when it cannot. */
  finish(set: FileSet): Promise<void>;
  /** Hears of a set that is in the bucket (undefined), or of why it will never be. */
  finished(error: unknown): void;
  /** Sets on their way to the bucket, of all the task's partitions. */
  readonly traffic: { sets: number };
}

export interface PartitionWriter {
  readonly topicId: string;
  /** The last record that was taken; those up to it are not taken again. */
  taken: bigint;
  /** Throws a DataError for a record that cannot be written; nothing of it is. */
  add(record: SinkRecord, nowMs: number): void;
  isDue(nowMs: number): boolean;
  /** Closes the open files if the clock says so. */
  closeIfDue(nowMs: number): boolean;
  /** What may be committed when `position` is the next offset to read. */
  committable(position: bigint): bigint;
  /** Resolves when they are there; never rejects. */
  settled(): Promise<void>;
  /** Files that records still go to. */
  openFiles(): ObjectFile[];
  /** Gives up everything that is not in the bucket. */
  abandon(): Promise<void>;
}

export function partitionWriter(
  { topic, partition }: TopicPartition,
  topicId: string,
  { partitioner, rotation, schemas, names, finish, finished, traffic, ...parts }: WriterParts,
): PartitionWriter {
  const folderKey = folderKeys();
  let open: FileSet | undefined;
  const onTheirWay = new Map<FileSet, Promise<void>>();

  function close(): void {
    const set = open;
    open = undefined;
    if (set === undefined) return;
    const ending = finish(set).then(
      () => {
        if (onTheirWay.delete(set)) traffic.sets--;
        finished(undefined);
      },
      // It stays among the unfinished, so that no offset beyond it is committed.
      (error: unknown) => finished(error),
    );
    onTheirWay.set(set, ending);
    traffic.sets++;
  }

  function mustClose(
    set: FileSet,
    group: FileGroup | undefined,
    record: SinkRecord,
    encodedPartition: string,
    timestampMs: number | null,
  ): boolean {
    if (closesBefore(set, timestampMs, encodedPartition, rotation)) return true;
    if (group === undefined) return rotation.openFiles !== null && set.groups.size >= rotation.openFiles;
    const isTombstone = record.value === null;
    return (
      group.isTombstones !== isTombstone ||
      (!isTombstone && schemas.changes(record.valueSchema, group.valueSchema)) ||
      needsOtherFiles(group, record)
    );
  }

  function begin(record: SinkRecord, timestampMs: number | null, nowMs: number): FileSet {
    return {
      startOffset: record.offset,
      openedAtMs: nowMs,
      dueAtMs: dueAtMs(nowMs, rotation),
      firstTimestampMs: timestampMs,
      lastEncodedPartition: '',
      records: 0,
      groups: new Map(),
    };
  }

  function beginGroup(set: FileSet, key: string, record: SinkRecord, encodedPartition: string): void {
    const through = record.resubmitted === undefined ? {} : { through: topic };
    const place = { topic: record.topic, topicId, partition, encodedPartition, startOffset: record.offset, ...through };
    set.groups.set(key, openGroup(objectName(place, names), record, parts));
  }

  function fitted(record: SinkRecord, { valueSchema }: FileGroup): SinkRecord {
    if (record.value === null) return record;
    const value = schemas.project(record.valueSchema, record.value, valueSchema);
    return value === record.value ? record : { ...record, value, valueSchema };
  }

  const isDue = (nowMs: number): boolean => open !== undefined && nowMs >= open.dueAtMs;

  return {
    topicId,
    taken: -1n,
    add(record, nowMs) {
      const timestampMs = partitioner.timestampMs(record, nowMs);
      const encodedPartition = partitioner.encode(record, timestampMs);
      const key = folderKey(record, encodedPartition);
      let group = open?.groups.get(key);
      if (open !== undefined && mustClose(open, group, record, encodedPartition, timestampMs)) {
        close();
        group = undefined;
      }
      const set = open ?? begin(record, timestampMs, nowMs);
      if (group === undefined) beginGroup(set, key, record, encodedPartition);
      else addTo(group, fitted(record, group));
      open = set;
      set.lastEncodedPartition = encodedPartition;
      // Letters are few, and somebody waits for each: none is kept until others fill its object.
      if (++set.records >= rotation.flushSize || record.resubmitted !== undefined) close();
    },
    isDue,
    closeIfDue(nowMs) {
      if (!isDue(nowMs)) return false;
      close();
      return true;
    },
    committable(position) {
      const oldest = onTheirWay.keys().next().value ?? open;
      return oldest === undefined || oldest.startOffset > position ? position : oldest.startOffset;
    },
    async settled() {
      await Promise.all(onTheirWay.values());
    },
    openFiles: () => (open === undefined ? [] : filesOf(open)),
    async abandon() {
      const sets = [...onTheirWay.keys(), ...(open === undefined ? [] : [open])];
      open = undefined;
      await Promise.all(sets.flatMap((set) => filesOf(set).map((file) => file.abort())));
      traffic.sets -= onTheirWay.size;
      onTheirWay.clear();
    },
  };
}

/** Transforms may send records of one partition to several topics. Most records go where the one before went. */
function folderKeys(): (record: SinkRecord, encodedPartition: string) => string {
  let lastTopic: string | undefined;
  let lastFolder: string | undefined;
  let lastKey = '';
  return ({ topic }, encodedPartition) => {
    if (topic !== lastTopic || encodedPartition !== lastFolder) {
      lastKey = `${topic}\n${encodedPartition}`;
      lastTopic = topic;
      lastFolder = encodedPartition;
    }
    return lastKey;
  };
}
