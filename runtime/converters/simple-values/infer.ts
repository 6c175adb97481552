import {
  Decimal,
  arraySchema,
  dateSchema,
  decimalSchema,
  mapSchema,
  sameSchema,
  schemas,
  timeSchema,
  timestampSchema,
} from '../../api/index.ts';
import type { Schema, SchemaAndValue } from '../../api/index.ts';

const nothing: SchemaAndValue = { schema: null, value: null };
const date = dateSchema();
const time = timeSchema();
const timestamp = timestampSchema();

/**
 * The value that a text stands for (org.apache.kafka.connect.data.Values.parseString): null, a boolean, the smallest
 * number type that holds it, a date, time or timestamp, a quoted string, a list or a map; any other text is itself, and so
 * are lists and maps nested deeper than 1000.
 */
export function inferValue(text: string): SchemaAndValue {
  const trimmed = text.trim();
  const first = trimmed[0];
  if (first === '[' || first === '{' || first === '"') {
    const cursor = { text: trimmed, at: 0, depth: 0 };
    const found = parsePart(cursor);
    return found !== undefined && cursor.at === trimmed.length ? found : { schema: schemas.string, value: text };
  }
  return scalar(trimmed) ?? { schema: schemas.string, value: text };
}

function scalar(token: string): SchemaAndValue | undefined {
  if (token === 'null') return nothing;
  if (token === 'true' || token === 'false') return { schema: schemas.boolean, value: token === 'true' };
  return temporal(token) ?? number(token);
}

function temporal(token: string): SchemaAndValue | undefined {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(token);
  const isTime = /^\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(token);
  const isTimestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(token);
  if (!isDate && !isTime && !isTimestamp) return undefined;
  const value = new Date(isTime ? `1970-01-01T${token}` : token);
  if (Number.isNaN(value.getTime())) return undefined;
  return { schema: isDate ? date : isTime ? time : timestamp, value };
}

const wholeTypes = [
  [schemas.int8, 2n ** 7n],
  [schemas.int16, 2n ** 15n],
  [schemas.int32, 2n ** 31n],
  [schemas.int64, 2n ** 63n],
] as const;

function number(token: string): SchemaAndValue | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$/.test(token)) return undefined;
  const decimal = Decimal.parse(token);
  const whole = wholeOf(decimal);
  if (whole !== undefined) {
    for (const [schema, limit] of wholeTypes) {
      if (whole >= limit || whole < -limit) continue;
      return { schema, value: schema === schemas.int64 && !Number.isSafeInteger(Number(whole)) ? whole : Number(whole) };
    }
    return { schema: decimalSchema(0), value: new Decimal(whole, 0) };
  }
  const value = Number(token);
  if (Number.isFinite(Math.fround(value))) return { schema: schemas.float32, value: Math.fround(value) };
  if (Number.isFinite(value)) return { schema: schemas.float64, value };
  return { schema: decimalSchema(decimal.scale), value: decimal };
}

function wholeOf(decimal: Decimal): bigint | undefined {
  try {
    return decimal.withScale(0).unscaled;
  } catch {
    return undefined;
  }
}

/** As deep as JSON may be: the stack has an end. */
const maxDepth = 1000;

interface Cursor {
  readonly text: string;
  at: number;
  depth: number;
}

/** One part of a list or map; undefined where the text is none, and the whole is then taken as a string. */
function parsePart(cursor: Cursor): SchemaAndValue | undefined {
  skipSpace(cursor);
  const found = parseBare(cursor);
  skipSpace(cursor);
  return found;
}

function parseBare(cursor: Cursor): SchemaAndValue | undefined {
  switch (cursor.text[cursor.at]) {
    case '"':
      return parseQuoted(cursor);
    case '[':
      return parseList(cursor);
    case '{':
      return parseMap(cursor);
    default: {
      const token = /^[^,:[\]{}"]*/.exec(cursor.text.slice(cursor.at))?.[0] ?? '';
      const dated = /^(\d{4}-\d{2}-\d{2}T)?\d{2}:\d{2}:\d{2}\.\d{3}Z/.exec(cursor.text.slice(cursor.at))?.[0] ?? token;
      cursor.at += dated.length;
      return scalar(dated.trim());
    }
  }
}

function parseQuoted(cursor: Cursor): SchemaAndValue | undefined {
  const match = /^"((?:[^"\\]|\\.)*)"/s.exec(cursor.text.slice(cursor.at));
  if (match === null) return undefined;
  cursor.at += match[0].length;
  return { schema: schemas.string, value: (match[1] ?? '').replace(/\\(.)/gs, '$1') };
}

function parseList(cursor: Cursor): SchemaAndValue | undefined {
  const items = parseParts(cursor, ']', parsePart);
  if (items === undefined) return undefined;
  const item = commonSchema(items);
  return { schema: item === null ? null : arraySchema(item), value: items.map(({ value }) => value) };
}

function parseMap(cursor: Cursor): SchemaAndValue | undefined {
  const entries = parseParts(cursor, '}', (inner) => {
    const key = parsePart(inner);
    if (key === undefined || inner.text[inner.at] !== ':') return undefined;
    inner.at++;
    const value = parsePart(inner);
    return value === undefined ? undefined : { key, value };
  });
  if (entries === undefined) return undefined;
  const keys = commonSchema(entries.map(({ key }) => key));
  const values = commonSchema(entries.map(({ value }) => value));
  const map = new Map(entries.map(({ key, value }) => [key.value, value.value]));
  return { schema: keys === null || values === null ? null : mapSchema(keys, values), value: map };
}

function parseParts<T>(cursor: Cursor, end: string, parse: (cursor: Cursor) => T | undefined): T[] | undefined {
  const parts: T[] = [];
  cursor.at++;
  if (++cursor.depth > maxDepth) return undefined;
  skipSpace(cursor);
  if (cursor.text[cursor.at] === end) return (cursor.at++, cursor.depth--, parts);
  for (;;) {
    const part = parse(cursor);
    if (part === undefined) return undefined;
    parts.push(part);
    const after = cursor.text[cursor.at++];
    if (after === end) return (cursor.depth--, parts);
    if (after !== ',') return undefined;
  }
}

function skipSpace(cursor: Cursor): void {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++;
}

const numberTypes = [schemas.int8, schemas.int16, schemas.int32, schemas.int64, schemas.float32, schemas.float64];

/** The schema that all parts have, or the widest of numbers; null where there is none. */
function commonSchema(parts: readonly SchemaAndValue[]): Schema | null {
  let common: Schema | null = null;
  for (const { schema } of parts) {
    if (schema === null) continue;
    if (common === null || sameSchema(common, schema)) common = schema;
    else {
      const wider = Math.max(numberTypes.indexOf(common), numberTypes.indexOf(schema));
      if (!numberTypes.includes(common) || !numberTypes.includes(schema)) return null;
      common = numberTypes[wider] ?? null;
    }
  }
  return common;
}
