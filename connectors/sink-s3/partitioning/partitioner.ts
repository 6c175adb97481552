/** Which folder a record goes to. Source: io.confluent.connect.storage.partitioner.Partitioner. */
import { DataError } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';
import { fieldValue } from './field-value.ts';
import { pathFormat } from './path-format.ts';
import { recordTime, timestampExtractor } from './timestamps.ts';
import { timeZone } from './time-zone.ts';

export interface Partitioner {
  /** The record's time in milliseconds, or null where folders do not go by time. Throws a DataError. */
  timestampMs(record: SinkRecord, nowMs: number): number | null;
  /** The folder, with no delimiter around it. Throws a DataError. */
  encode(record: SinkRecord, timestampMs: number | null): string;
}

export interface TimeFolders {
  readonly durationMs: number;
  readonly pathFormat: string;
  readonly locale: string;
  readonly timezone: string;
  readonly extractor: string;
  readonly field: string;
}

const defaultFolders: string[] = [];

export const defaultPartitioner: Partitioner = {
  timestampMs: () => null,
  encode(record) {
    const { partition } = record.resubmitted ?? record;
    return (defaultFolders[partition] ??= `partition=${partition}`);
  },
};

const partitionTypes = new Set(['int8', 'int16', 'int32', 'int64', 'string', 'boolean']);

export function fieldPartitioner(fields: readonly string[], delim: string): Partitioner {
  const paths = fields.map((name) => ({ name, path: name.split('.') }));
  return {
    timestampMs: () => null,
    encode: ({ value }) => paths.map(({ name, path }) => `${name}=${folderText(name, fieldValue(value, path))}`).join(delim),
  };
}

function folderText(name: string, { schema, value }: ReturnType<typeof fieldValue>): string {
  if (value === null || value === undefined) return 'null';
  const type = typeof value;
  const plain = type === 'string' || type === 'boolean' || type === 'bigint' || (type === 'number' && Number.isInteger(value));
  if (!plain || (schema !== null && !partitionTypes.has(schema.type))) {
    throw new DataError(`partition.field.name ${name} is ${schema?.type ?? type}: folders are made of whole numbers, text and booleans`);
  }
  return String(value);
}

/** Throws a RangeError for a path format or time zone that is none. */
export function timePartitioner(folders: TimeFolders, delim: string): Partitioner {
  const zone = timeZone(folders.timezone);
  const trimmed = delim !== '' && folders.pathFormat.endsWith(delim) ? folders.pathFormat.slice(0, -delim.length) : folders.pathFormat;
  const format = pathFormat(trimmed, folders.locale, zone);
  const extract = timestampExtractor(folders.extractor, folders.field);
  let lastKey = '';
  let lastPath = '';
  return {
    timestampMs: extract,
    encode(_record, timestampMs) {
      const time = timestampMs ?? 0;
      const offset = zone.offsetAt(time);
      const local = Math.trunc((time + offset) / folders.durationMs) * folders.durationMs;
      const key = `${local} ${offset}`;
      if (key !== lastKey) {
        lastPath = format(local, offset);
        lastKey = key;
      }
      return lastPath;
    },
  };
}

/** Puts the value schema's name before or after the folders. Source: io.confluent.connect.s3.util.SchemaPartitioner. */
export function schemaPartitioner(inner: Partitioner, affix: 'PREFIX' | 'SUFFIX', delim: string): Partitioner {
  return {
    timestampMs: inner.timestampMs,
    encode(record, timestampMs) {
      const name = `schema_name=${record.valueSchema?.name ?? 'null'}`;
      const folder = inner.encode(record, timestampMs);
      return affix === 'PREFIX' ? `${name}${delim}${folder}` : `${folder}${delim}${name}`;
    },
  };
}

/** Records without a value go to a folder of their own, by the record's own time. */
export function tombstonePartitioner(inner: Partitioner, folder: string, timeBased: boolean): Partitioner {
  return {
    timestampMs: (record, nowMs) => {
      if (record.value !== null) return inner.timestampMs(record, nowMs);
      return timeBased ? recordTime(record) : null;
    },
    encode: (record, timestampMs) => (record.value === null ? folder : inner.encode(record, timestampMs)),
  };
}
