import { Decimal, isStruct, javaText } from '../../api/index.ts';
import type { Schema } from '../../api/index.ts';

const dayMs = 86_400_000;

/** A value as text (org.apache.kafka.connect.data.Values.convertToString): JSON-like, dates in ISO 8601, bytes in base64. */
export function simpleText(schema: Schema | null, value: unknown, embedded = false): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return embedded ? `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : value;
  if (embedded && value instanceof Uint8Array) return `"${javaText(schema, value)}"`;
  if (typeof value !== 'object' || value instanceof Decimal || value instanceof Uint8Array) return javaText(schema, value);
  if (value instanceof Date) return dateText(value);
  const items = schema?.valueSchema ?? null;
  if (Array.isArray(value)) return `[${value.map((item) => simpleText(items, item, true)).join(',')}]`;
  const pair = (name: unknown, item: unknown, itemSchema: Schema | null): string =>
    `${simpleText(schema?.keySchema ?? null, name, true)}:${simpleText(itemSchema, item, true)}`;
  if (isStruct(value)) return `{${value.schema.fields.map((field) => pair(field.name, value.at(field.index), field.schema)).join(',')}}`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries.map(([name, item]) => pair(name, item, items)).join(',')}}`;
}

/** Values.dateFormatFor: a time within the first day, a date at midnight, else both. */
function dateText(date: Date): string {
  const iso = date.toISOString();
  const ms = date.getTime();
  if (ms < dayMs) return iso.slice(11);
  return ms % dayMs === 0 ? iso.slice(0, 10) : iso;
}
