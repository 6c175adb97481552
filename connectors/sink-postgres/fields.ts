/** Which fields of records become which columns, and where they are read. Source: Confluent's FieldsMetadata. */
import { DataError, isStruct, schemas } from '@millrace/runtime/api';
import type { Schema, SinkRecord, Struct } from '@millrace/runtime/api';

import { originalTopic } from './places.ts';
import type { Settings } from './settings.ts';

export interface FieldSpec {
  readonly name: string;
  /** Null for a record without one. */
  readonly schema: Schema | null;
  readonly isKey: boolean;
  /** `row` is what the record has of the row: a struct, an object, a string. */
  readonly read: (record: SinkRecord, row: unknown) => unknown;
}

type FieldSettings = Pick<Settings, 'keyMode' | 'keyFields' | 'keyNames' | 'stringColumn' | 'wanted'>;

export const kafkaColumns = ['__connect_topic', '__connect_partition', '__connect_offset'] as const;

/**
 * The fields of records like this one, in the order of a table's columns. With `keyOnly` those of the key alone. Throws a
 * DataError that says what is missing.
 */
export function fieldsOf(settings: FieldSettings, record: SinkRecord, row: unknown, schema: Schema | null, keyOnly: boolean): FieldSpec[] {
  const keys = keyFields(settings, record, row, schema);
  if (keyOnly) return keys;
  const named = new Map(keys.map((field) => [field.name, field]));
  const fields = rowFields(settings, row, schema).flatMap((field) => {
    const key = named.get(field.name);
    if (key !== undefined) {
      named.delete(field.name);
      return [key];
    }
    return settings.wanted(record.topic, field.name) ? [field] : [];
  });
  const left = [...named.values()];
  const all = settings.keyMode === 'kafka' ? [...left, ...fields] : [...fields, ...left];
  if (all.length === 0) throw new DataError('no field of the record is written: fields.whitelist or the filters leave out all of them.');
  return all;
}

function rowFields({ stringColumn }: FieldSettings, row: unknown, schema: Schema | null): FieldSpec[] {
  if (schema === null) return Object.keys(row as object).map((name) => fromObject(name, false));
  if (schema.type === 'string')
    return [{ name: stringColumn, schema: schemas.optionalString, isKey: false, read: (_record, value) => value }];
  return (schema.fields ?? []).map(({ name, index, schema: of }) => fromRow(name, index, of, false));
}

const fromRow = (name: string, index: number, schema: Schema, isKey: boolean): FieldSpec => ({
  name,
  schema,
  isKey,
  read: (_record, row) => (row as Struct).at(index),
});

const fromObject = (name: string, isKey: boolean): FieldSpec => ({
  name,
  schema: null,
  isKey,
  read: (_record, row) => (row as Record<string, unknown>)[name] ?? null,
});

function keyFields(settings: FieldSettings, record: SinkRecord, row: unknown, schema: Schema | null): FieldSpec[] {
  switch (settings.keyMode) {
    case 'none':
      return [];
    case 'kafka':
      return kafkaFields(settings);
    case 'record_key':
      return fromKey(settings, record);
    case 'record_value':
      return fromValue(settings, row, schema);
    case 'record_header':
      return fromHeaders(settings, record);
  }
}

/** Of the place where it stood first: a row that is there already is known again when its record is resubmitted. */
function kafkaFields({ keyFields: chosen }: FieldSettings): FieldSpec[] {
  const [topic, partition, offset] = chosen.length === 3 ? chosen : kafkaColumns;
  const field = (name: string, schema: Schema, read: FieldSpec['read']): FieldSpec => ({ name, schema, isKey: true, read });
  return [
    field(topic as string, schemas.string, (record) => record.resubmitted?.topic ?? originalTopic(record)),
    field(partition as string, schemas.int32, (record) => (record.resubmitted ?? record).partition),
    field(offset as string, schemas.int64, (record) => (record.resubmitted ?? record).offset),
  ];
}

function fromKey({ keyFields: chosen, keyNames }: FieldSettings, { key, keySchema }: SinkRecord): FieldSpec[] {
  const mode = `${keyNames.keyMode}=record_key`;
  if (key === null || key === undefined) {
    throw new DataError(`the record has no key, which ${mode} needs.`, { hint: 'Make one of the value with the transform ValueToKey.' });
  }
  if (isStruct(key)) {
    const names = chosen.length > 0 ? chosen : key.schema.fields.map(({ name }) => name);
    return names.map((name) => {
      const field = key.schema.fields.find((one) => one.name === name);
      if (field === undefined)
        throw missing(
          name,
          'key',
          mode,
          key.schema.fields.map((one) => one.name),
        );
      return { name, schema: field.schema, isKey: true, read: (record) => (record.key as Struct).at(field.index) };
    });
  }
  if (keySchema === null && typeof key === 'object' && !(key instanceof Uint8Array) && !Array.isArray(key)) {
    const names = chosen.length > 0 ? chosen : Object.keys(key);
    return names.map((name) => {
      if (!(name in key)) throw missing(name, 'key', mode, Object.keys(key));
      return { name, schema: null, isKey: true, read: (record) => (record.key as Record<string, unknown>)[name] ?? null };
    });
  }
  const [name] = chosen;
  if (name === undefined || chosen.length !== 1) {
    throw new DataError(`the record's key is a single value (${keySchema?.type ?? typeof key}), so one column must be named for it.`, {
      hint: `Set ${keyNames.keyMode.replace('mode', 'fields')} to the name of that column.`,
    });
  }
  return [{ name, schema: keySchema, isKey: true, read: (record) => record.key }];
}

function fromValue({ keyFields: chosen, keyNames }: FieldSettings, row: unknown, schema: Schema | null): FieldSpec[] {
  const mode = `${keyNames.keyMode}=record_value`;
  if (row === null || row === undefined) throw new DataError(`the record has no value, in which ${mode} looks for the key.`);
  if (schema === null) {
    const names = chosen.length > 0 ? chosen : Object.keys(row as object);
    return names.map((name) => {
      if (!(name in (row as object))) throw missing(name, 'value', mode, Object.keys(row as object));
      return fromObject(name, true);
    });
  }
  if (schema.type !== 'struct') throw new DataError(`${mode} needs a value with fields; this one is a ${schema.type}.`);
  const fields = schema.fields ?? [];
  const names = chosen.length > 0 ? chosen : fields.map(({ name }) => name);
  return names.map((name) => {
    const field = fields.find((one) => one.name === name);
    if (field === undefined)
      throw missing(
        name,
        'value',
        mode,
        fields.map((one) => one.name),
      );
    return fromRow(name, field.index, field.schema, true);
  });
}

function fromHeaders({ keyFields: chosen, keyNames }: FieldSettings, { headers }: SinkRecord): FieldSpec[] {
  const names = chosen.length > 0 ? chosen : [...new Set(headers.map(({ key }) => key))];
  if (names.length === 0) throw new DataError(`the record has no headers, in which ${keyNames.keyMode}=record_header looks for the key.`);
  return names.map((name) => {
    const header = headers.findLast(({ key }) => key === name);
    if (header === undefined)
      throw missing(
        name,
        'headers',
        `${keyNames.keyMode}=record_header`,
        headers.map(({ key }) => key),
      );
    return {
      name,
      schema: header.schema,
      isKey: true,
      read: (record) => record.headers.findLast(({ key }) => key === name)?.value ?? null,
    };
  });
}

const missing = (name: string, part: string, mode: string, there: readonly string[]): DataError =>
  new DataError(`the record's ${part} has no field "${name}", which ${mode} needs; it has ${there.join(', ') || 'none'}.`);
