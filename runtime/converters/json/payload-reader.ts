/**
 * Reads a payload straight from its bytes into the values of its schema, where it is laid out as converters write it: all
 * fields in the schema's order, without spaces. That takes a third of what a parser takes which makes an object first. It
 * never judges: whatever it does not expect is left to the parser and the reader of values, errors above all.
 */
import { ValueStruct, logical } from '../../api/index.ts';
import type { Schema, StructSchema } from '../../api/index.ts';
import { skipNested, takeInteger, takeNumber, takeString, takes, unread } from './byte-cursor.ts';
import type { ByteCursor } from './byte-cursor.ts';
import { parseJson } from './parse.ts';
import { compileReader, holdsDecimals } from './schema-reader.ts';
import type { ValueReader } from './schema-reader.ts';

interface ReaderSettings {
  readonly replaceNull: boolean;
}

type Step = (cursor: ByteCursor) => unknown;

/** The value of `bytes[start, end)`, or {@link unread}. */
export type PayloadReader = (bytes: Buffer, start: number, end: number) => unknown;

/** Compiled once for each schema; the caller keeps it. */
export function compilePayloadReader(schema: Schema, settings: ReaderSettings): PayloadReader {
  const read = stepOf(schema, settings);
  return (bytes, start, end) => {
    const cursor: ByteCursor = { bytes, at: start, end };
    const value = read(cursor);
    return cursor.at === end ? value : unread;
  };
}

const nullBytes = Buffer.from('null');

function stepOf(schema: Schema, settings: ReaderSettings): Step {
  const read = valueStep(schema, settings);
  const fallback = (settings.replaceNull ? schema.defaultValue : null) ?? null;
  const isOptional = schema.optional || fallback !== null;
  return (cursor) => {
    if (cursor.bytes[cursor.at] !== 0x6e) return read(cursor);
    return isOptional && takes(cursor, nullBytes) ? fallback : unread;
  };
}

function valueStep(schema: Schema, settings: ReaderSettings): Step {
  switch (schema.name) {
    case logical.date:
      return dateStep(86_400_000);
    case logical.time:
    case logical.timestamp:
      return dateStep(1);
    case logical.decimal:
      return otherStep(schema, settings);
  }
  switch (schema.type) {
    case 'int8':
      return smallStep(0x7f);
    case 'int16':
      return smallStep(0x7fff);
    case 'int32':
      return smallStep(0x7fff_ffff);
    case 'int64':
      return (cursor) => {
        const value = takeInteger(cursor);
        return typeof value !== 'bigint' || BigInt.asIntN(64, value) === value ? value : unread;
      };
    case 'float32':
      return (cursor) => {
        const value = takeNumber(cursor);
        return value === unread ? unread : Math.fround(value);
      };
    case 'float64':
      return takeNumber;
    case 'boolean':
      return (cursor) => (takes(cursor, trueBytes) ? true : takes(cursor, falseBytes) ? false : unread);
    case 'string':
      return stringStep();
    case 'struct':
      return structStep(schema as StructSchema, settings);
    case 'bytes':
    case 'array':
    case 'map':
      return otherStep(schema, settings);
  }
}

const trueBytes = Buffer.from('true');
const falseBytes = Buffer.from('false');

const smallStep =
  (max: number): Step =>
  (cursor) => {
    const value = takeInteger(cursor);
    return typeof value === 'number' && value <= max && value >= -max - 1 ? value : unread;
  };

const dateStep =
  (unitMs: number): Step =>
  (cursor) => {
    const value = takeInteger(cursor);
    return typeof value === 'number' ? new Date(value * unitMs) : unread;
  };

/** Longer texts, quotes included, are hardly the same as the one before. */
const longestKnown = 34;

/** Many a field says the same for record after record: then the string of the one before is this one's too. */
function stringStep(): Step {
  const known = new Uint8Array(longestKnown);
  let length = 0;
  let text = '';
  return (cursor) => {
    const { at: start, bytes } = cursor;
    if (length > 0 && takes(cursor, known, length)) return text;
    const value = takeString(cursor);
    if (value === unread || cursor.at - start > longestKnown) return value;
    length = cursor.at - start;
    for (let i = 0; i < length; i++) known[i] = bytes[start + i] as number;
    text = value;
    return value;
  };
}

function structStep(schema: StructSchema, settings: ReaderSettings): Step {
  const fields = schema.fields.map(({ name, schema: of }, at) => ({
    opening: Buffer.from(`${at === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    read: stepOf(of, settings),
  }));
  if (fields.length === 0) return () => unread;
  return (cursor) => {
    const values = new Array<unknown>(fields.length);
    for (let i = 0; i < fields.length; i++) {
      const { opening, read } = fields[i] as (typeof fields)[number];
      if (!takes(cursor, opening)) return unread;
      const value = read(cursor);
      if (value === unread) return unread;
      values[i] = value;
    }
    if (cursor.bytes[cursor.at] !== 0x7d) return unread;
    cursor.at++;
    return new ValueStruct(schema, values);
  };
}

/** What needs no hurry: its text is cut out and parsed, and read as any. */
function otherStep(schema: Schema, settings: ReaderSettings): Step {
  const read: ValueReader = compileReader(schema, settings);
  const keepDecimals = holdsDecimals(schema);
  return (cursor) => {
    const json = takeAny(cursor, keepDecimals);
    if (json === unread) return unread;
    try {
      return read(json);
    } catch {
      return unread;
    }
  };
}

function takeAny(cursor: ByteCursor, keepDecimals: boolean): unknown {
  switch (cursor.bytes[cursor.at]) {
    case 0x22:
      return takeString(cursor);
    case 0x5b:
    case 0x7b: {
      const start = skipNested(cursor);
      try {
        return parseJson(cursor.bytes.subarray(start, cursor.at), keepDecimals);
      } catch {
        return unread;
      }
    }
  }
  return unread;
}
