/** Names of tables: how they are written in configs, made from records, and quoted. */
import { DataError, isStruct } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';
import pg from 'pg';

import type { Settings } from './settings.ts';

/** A table as configs name it. */
export interface TableName {
  readonly schema: string | undefined;
  readonly table: string;
}

export const quoted = ({ schema, table }: TableName): string =>
  schema === undefined ? pg.escapeIdentifier(table) : `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;

export const describeTable = ({ schema, table }: TableName): string => (schema === undefined ? table : `${schema}.${table}`);

/**
 * `table`, `schema.table` or `database.schema.table`; a part in double quotes is taken as it is, another is folded to
 * lower case with `fold`. Throws a DataError for another database, or another form.
 */
export function parseTableName(text: string, database: string | null, fold: boolean): TableName {
  const parts = [...text.matchAll(/(?:^|\.)(?:"((?:[^"]|"")*)"|([^."]*))/g)].map(([, exact, plain = '']) =>
    exact === undefined ? (fold ? plain.toLowerCase() : plain) : exact.replaceAll('""', '"'),
  );
  const [table, schema, catalog] = parts.toReversed();
  const tooMany = parts.length > 3 || (catalog !== undefined && catalog !== (fold ? database?.toLowerCase() : database));
  if (table === undefined || table === '' || schema === '' || tooMany) {
    throw new DataError(`"${text}" does not name a table of this database.`, {
      hint: 'Set table.name.format to such as public.${source.table}, or rename the topic with the transform RegexRouter.',
    });
  }
  return { schema, table };
}

/** Throws a DataError where the record lacks what the format asks for. */
export type TableNamer = (record: SinkRecord) => string;

const placeholders = /\$\{(topic|source\.[^}]+)\}/g;

/** Debezium's DefaultCollectionNamingStrategy with `flattenTopic`, Confluent's way without. */
export function tableNamer({ tableFormat, flattenTopic }: Pick<Settings, 'tableFormat' | 'flattenTopic'>): TableNamer {
  const fromSource = tableFormat.includes('${source.');
  const named = (record: SinkRecord): string =>
    tableFormat.replaceAll(placeholders, (_match, name: string) => {
      if (name === 'topic') return flattenTopic ? record.topic.replaceAll('.', '_') : record.topic;
      return sourceField(record, name.slice('source.'.length));
    });
  if (fromSource) return named;
  const known = new Map<string, string>();
  return (record) => {
    let name = known.get(record.topic);
    if (name === undefined) {
      if (known.size >= 1000) known.clear();
      known.set(record.topic, (name = named(record)));
    }
    return name;
  };
}

function sourceField({ value, topic }: SinkRecord, field: string): string {
  const source = fieldIn(value, 'source');
  const found = fieldIn(source, field);
  if (found === null || found === undefined) {
    throw new DataError(`the table's name cannot be told: a record of topic ${topic} has no source.${field}.`, {
      hint: 'Only Debezium events have a source block. Name the table by ${topic}, or leave such records out with the transform Filter.',
    });
  }
  return String(found);
}

function fieldIn(value: unknown, name: string): unknown {
  if (isStruct(value)) return value.schema.fields.some((field) => field.name === name) ? value.get(name) : undefined;
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
