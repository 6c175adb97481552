/** A record's value as the JSON of a document. Source: DataConverter.getPayload and maybeAddTimestamp. */
import { ByteSink, DataError, isStruct } from '@millrace/runtime/api';
import type { Schema, SinkRecord } from '@millrace/runtime/api';

import { writePlain, writeString } from './json-writer.ts';
import { schemaWriters } from './schema-writer.ts';
import type { ValueWriter } from './schema-writer.ts';
import type { Settings } from './settings.ts';

/** Appends the document. Throws a DataError where the value does not fit its schema; what it appended is then to be dropped. */
export type DocumentWriter = (out: ByteSink, record: SinkRecord) => void;

/** Elasticsearch takes no such document. */
export class NoObjectError extends DataError {
  constructor(found: string) {
    super(
      `its value is ${found}, and a document is an object: hoist it into a field (HoistField$Value), or use a converter that makes objects`,
    );
  }
}

const kinds: Readonly<Record<string, string>> = { '"': 'text', '[': 'a list', t: 'a boolean', f: 'a boolean', n: 'null' };

/** Throws a NoObjectError unless what was written from there on is an object. An update that is none would be refused with all of its request. */
export function requireObject(out: ByteSink, from: number): void {
  const first = out.bytes[from];
  if (first !== 0x7b) throw new NoObjectError(kinds[String.fromCharCode(first ?? 0)] ?? 'a number');
}

const timestampName = '@timestamp';

export function documentWriter(settings: Settings): DocumentWriter {
  const mapped = schemaWriters({ mapped: true, compactMaps: settings.compactMaps });
  const unmapped = schemaWriters({ mapped: false, compactMaps: settings.compactMaps });
  const writersFor = (topic: string) => (settings.schemaIgnored(topic) ? unmapped : mapped);
  if (settings.dataStream) return streamWriter(settings.timestampFields, writersFor);
  return (out, { topic, value, valueSchema }) => {
    if (valueSchema === null) writePlain(out, value);
    else writersFor(topic)(valueSchema)(out, value);
  };
}

interface Entry {
  readonly name: string;
  readonly value: unknown;
  readonly write: ValueWriter;
}

/** Documents of data streams bear an @timestamp. */
function streamWriter(fields: readonly string[], writersFor: (topic: string) => (schema: Schema) => ValueWriter): DocumentWriter {
  const scratch = new ByteSink();
  const textOf = ({ value, write }: Entry): string => {
    scratch.clear();
    write(scratch, value);
    const json = Buffer.from(scratch.written()).toString();
    if (json.startsWith('"')) return json;
    return json.startsWith('{') || json.startsWith('[') ? '""' : `"${json}"`;
  };
  return (out, record) => {
    const entries = entriesOf(record, writersFor(record.topic));
    const chosen = fields.length === 0 ? undefined : fields.map((name) => entries.find((entry) => entry.name === name)).find(Boolean);
    const stamp = fields.length === 0 ? String(record.timestamp) : chosen && textOf(chosen);
    out.byte(0x7b);
    let first = true;
    if (stamp !== undefined) {
      out.text(`"${timestampName}":${stamp}`);
      first = false;
    }
    for (const { name, value, write } of entries) {
      if (name === timestampName && stamp !== undefined) continue;
      if (!first) out.byte(0x2c);
      first = false;
      writeString(out, name);
      out.byte(0x3a);
      write(out, value);
    }
    out.byte(0x7d);
  };
}

function entriesOf({ value, valueSchema }: SinkRecord, writerOf: (schema: Schema) => ValueWriter): Entry[] {
  if (isStruct(value))
    return value.schema.fields.map(({ name, index, schema }) => ({ name, value: value.at(index), write: writerOf(schema) }));
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw new NoObjectError(`a ${valueSchema?.type ?? (Array.isArray(value) ? 'list' : typeof value)}`);
  const items = valueSchema?.valueSchema;
  const write = items === undefined ? writePlain : writerOf(items);
  const pairs: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  return pairs.map(([name, item]) => ({ name: String(name), value: item, write }));
}
