/** The files of one folder that records of a topic partition go to: values, and keys and headers where asked for. */
import { ByteSink, sameSchema } from '@millrace/runtime/api';
import type { Schema, SchemaAndValue, SinkRecord } from '@millrace/runtime/api';
import type { FileEncoder } from './formats/file-format.ts';
import type { RecordView } from './record-views.ts';
import type { ObjectFile } from './storage/object-file.ts';

export interface GroupParts {
  /** All that are written for records with a value. */
  readonly views: readonly RecordView[];
  /** Opens the object of that name. */
  openFile(key: string, encoder: FileEncoder): ObjectFile;
}

interface GroupFile {
  readonly view: RecordView;
  readonly schema: Schema | null;
  readonly encoder: FileEncoder;
  readonly file: ObjectFile;
}

export interface FileGroup {
  readonly startOffset: bigint;
  /** Of the values; records are projected to it. */
  readonly valueSchema: Schema | null;
  readonly isTombstones: boolean;
  endOffset: bigint;
  records: number;
  readonly files: readonly GroupFile[];
  /** The only one, where values may go into it as they are. */
  readonly verbatim: GroupFile | undefined;
}

/** One for each file of a group; a task writes one record at a time. */
const scratch = [new ByteSink(64 * 1024), new ByteSink(), new ByteSink()];

/** Begins files with this record in them. Throws a DataError, and no file is begun. */
export function openGroup(name: string, record: SinkRecord, { views, openFile }: GroupParts): FileGroup {
  const wanted = record.value === null ? views.filter(({ extension }) => extension !== '') : views;
  const drafts = wanted.map((view, i) => {
    const key = `${name}${view.extension}${view.format.extension}`;
    const { schema, value } = view.of(record);
    const encoder = view.format.open(schema, key);
    encode(encoder, { schema, value }, i);
    return { view, schema, encoder, key };
  });
  const files = drafts.map(({ view, schema, encoder, key }) => ({ view, schema, encoder, file: openFile(key, encoder) }));
  append(files);
  return {
    startOffset: record.offset,
    endOffset: record.offset,
    records: 1,
    valueSchema: record.valueSchema,
    isTombstones: record.value === null,
    files,
    verbatim: files.length === 1 && files[0]?.view.extension === '' ? files[0] : undefined,
  };
}

/** Adds a record to all files of the group, or to none. Throws a DataError. */
export function addTo(group: FileGroup, record: SinkRecord): void {
  const { files, verbatim } = group;
  const bytes = verbatim?.encoder.verbatim?.(record.value);
  if (verbatim !== undefined && bytes !== undefined) verbatim.file.append(bytes, verbatim.encoder.lineEnd);
  else {
    for (let i = 0; i < files.length; i++) {
      const { view, encoder } = files[i] as GroupFile;
      encode(encoder, view.of(record), i);
    }
    append(files);
  }
  group.records++;
  group.endOffset = record.offset;
}

/** Whether the keys' or headers' file cannot hold this record's, for its schema is another. */
export function needsOtherFiles({ files }: FileGroup, record: SinkRecord): boolean {
  for (const { view, schema } of files) {
    if (view.extension === '.keys' && view.format.needsSchema && otherKey(view, schema, record)) return true;
  }
  return false;
}

function otherKey(view: RecordView, schema: Schema | null, record: SinkRecord): boolean {
  return record.key !== null && !sameSchema(view.of(record).schema, schema);
}

function encode(encoder: FileEncoder, { schema, value }: SchemaAndValue, index: number): void {
  const out = scratch[index] as ByteSink;
  out.clear();
  encoder.encode(schema, value, out);
}

function append(files: readonly Pick<GroupFile, 'file'>[]): void {
  for (let i = 0; i < files.length; i++) (files[i] as GroupFile).file.append((scratch[i] as ByteSink).written());
}
