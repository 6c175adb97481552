/** Values with parts: arrays, JSON, hstore, geometries. */
import { DataError, Decimal, isStruct } from '@millrace/runtime/api';
import type { Struct } from '@millrace/runtime/api';

/** An array literal of texts: `{1,"a b",NULL}`. Items of inner arrays are arrays again. */
export function arrayLiteral(items: readonly unknown[], item: (value: unknown) => string, plain: boolean): string {
  const parts = items.map((value) => {
    if (value === null || value === undefined) return 'NULL';
    if (Array.isArray(value)) return arrayLiteral(value, item, plain);
    return plain ? item(value) : quotedItem(item(value));
  });
  return `{${parts.join(',')}}`;
}

const needsEscape = /["\\]/;

export function quotedItem(text: string): string {
  return needsEscape.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** Any value of the data model as JSON: structs and maps as objects, bytes in base64, 64-bit integers and decimals as numbers. */
export function jsonText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return Number.isFinite(value) ? String(value) : JSON.stringify(String(value));
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : objectJson(value);
  }
  return 'null';
}

function objectJson(value: object): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Map) return members([...value].map(([key, item]) => [String(key), item]));
  if (isStruct(value)) return members(value.schema.fields.map(({ name, index }) => [name, value.at(index)]));
  return members(Object.entries(value));
}

const members = (entries: readonly (readonly [string, unknown])[]): string =>
  `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${jsonText(value)}`).join(',')}}`;

/** hstore's own text, from a map, an object, or the JSON of one. */
export function hstoreText(value: unknown): string {
  const entries = value instanceof Map ? [...value] : Object.entries(typeof value === 'string' ? jsonObject(value) : (value as object));
  return entries.map(([key, item]) => `${quotedItem(String(key))}=>${item === null ? 'NULL' : quotedItem(String(item))}`).join(',');
}

function jsonObject(text: string): object {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Told below.
  }
  throw new DataError('an hstore column needs a map, or the JSON of an object');
}

/** Debezium's geometries: a native point where the column is one, else PostGIS's own text of WKB. */
export function geometryText(value: unknown, base: string): string {
  if (!isStruct(value)) throw new DataError('a geometry must be a struct');
  if (base === 'point') return `(${String(partOf(value, 'x'))},${String(partOf(value, 'y'))})`;
  if (base === 'json' || base === 'jsonb') return jsonText(value);
  const wkb = partOf(value, 'wkb');
  if (!(wkb instanceof Uint8Array)) {
    throw new DataError(`a geometry without its wkb field cannot be written into a column of type ${base}`, {
      hint: 'Use a column of type point, geometry, geography or json.',
    });
  }
  const hex = Buffer.from(wkb).toString('hex').toUpperCase();
  const srid = partOf(value, 'srid');
  return srid === null || srid === undefined ? hex : `SRID=${String(srid)};${hex}`;
}

function partOf(struct: Struct, name: string): unknown {
  return struct.schema.fields.some((field) => field.name === name) ? struct.get(name) : null;
}

/** pgvector's text, of Debezium's DoubleVector, FloatVector and SparseDoubleVector. */
export function vectorText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(String).join(',')}]`;
  if (!isStruct(value)) throw new DataError('a vector must be an array, or a struct of dimensions and vector');
  const entries = partOf(value, 'vector');
  const listed = entries instanceof Map ? [...entries].map(([index, item]) => `${String(index)}:${String(item)}`) : [];
  return `{${listed.join(',')}}/${String(partOf(value, 'dimensions'))}`;
}

/** Debezium's Bits, little-endian, as a bit string; `length` is that of the column, or undefined for any. */
export function bitText(value: unknown, length: number | undefined): string {
  if (!(value instanceof Uint8Array)) throw new DataError('bits must be bytes');
  let text = '';
  for (const byte of value) text = byte.toString(2).padStart(8, '0') + text;
  if (length === undefined) return text;
  return text.length > length ? text.slice(text.length - length) : text.padStart(length, '0');
}
