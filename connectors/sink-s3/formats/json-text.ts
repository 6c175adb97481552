/**
 * Connect's data as JSON, without schemas in it: what JsonConverter writes with schemas.enable=false for a struct,
 * and what Jackson writes for a plain value. Sources: JsonConverter.convertToJson, JsonRecordWriterProvider.
 */
import { ByteSink, DataError, Decimal, isStruct, javaDecimal, javaDouble, javaFloat, logical } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

export type DecimalFormat = 'BASE64' | 'NUMERIC';
type Write = (value: unknown, out: ByteSink) => void;

const mostDeep = 1000;

export interface JsonText {
  /** Throws a DataError for a value that is none of the model, or nested too deep. */
  write(schema: Schema | null, value: unknown, out: ByteSink): void;
}

export function jsonText(decimals: DecimalFormat): JsonText {
  const compiled = new WeakMap<Schema, Write>();
  const decimal: Write = (value, out) => {
    if (!(value instanceof Decimal)) throw new DataError(`a decimal field holds ${describe(value)}`);
    if (decimals === 'NUMERIC') out.text(javaDecimal(value));
    else base64(value.toBytes(), out);
  };

  function writerOf(schema: Schema): Write {
    const known = compiled.get(schema);
    if (known !== undefined) return known;
    // A schema may hold itself: what refers to it while it is compiled asks again later.
    compiled.set(schema, (value, out) => (compiled.get(schema) as Write)(value, out));
    const write = required(schema);
    const whole: Write = (value, out) => {
      if (value !== null && value !== undefined) return write(value, out);
      if (schema.defaultValue !== undefined && schema.defaultValue !== null) return write(schema.defaultValue, out);
      if (!schema.optional) throw new DataError('null where the schema allows none');
      out.text('null');
    };
    compiled.set(schema, whole);
    return whole;
  }

  function required(schema: Schema): Write {
    if (schema.name === logical.decimal) return decimal;
    switch (schema.type) {
      case 'struct':
        return struct(schema);
      case 'array': {
        const item = itemWriter(schema.valueSchema);
        return (value, out) => {
          if (!Array.isArray(value)) throw new DataError(`an array field holds ${describe(value)}`);
          list(value, out, item);
        };
      }
      case 'map':
        return map(schema);
      case 'bytes':
        return (value, out) => {
          if (!(value instanceof Uint8Array)) throw new DataError(`a bytes field holds ${describe(value)}`);
          base64(value, out);
        };
      case 'float32':
        return (value, out) => floating(value, out, javaFloat);
      case 'float64':
        return (value, out) => floating(value, out, javaDouble);
      case 'string':
        return (value, out) => {
          if (typeof value !== 'string') throw new DataError(`a string field holds ${describe(value)}`);
          out.text(JSON.stringify(value));
        };
      case 'boolean':
        return (value, out) => {
          if (typeof value !== 'boolean') throw new DataError(`a boolean field holds ${describe(value)}`);
          out.text(value ? 'true' : 'false');
        };
      default:
        return schema.name === logical.date ? days : integer;
    }
  }

  const itemWriter = (schema: Schema | undefined): Write =>
    schema === undefined ? (value, out) => plain(value, out, 0) : writerOf(schema);

  function struct(schema: Schema): Write {
    const fields = (schema.fields ?? []).map(({ name, index, schema: inner }) => ({
      prefix: `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
      index,
      write: writerOf(inner),
    }));
    return (value, out) => {
      if (!isStruct(value)) throw new DataError(`a struct field holds ${describe(value)}`);
      if (fields.length === 0) out.byte(0x7b);
      for (const { prefix, index, write } of fields) {
        out.text(prefix);
        write(value.at(index), out);
      }
      out.byte(0x7d);
    };
  }

  /** An object where keys are text, else a list of [key, value]. */
  function map({ keySchema, valueSchema }: Schema): Write {
    const keys = itemWriter(keySchema);
    const values = itemWriter(valueSchema);
    const asObject = keySchema?.type === 'string' && !keySchema.optional;
    return (value, out) => {
      if (!(value instanceof Map)) throw new DataError(`a map field holds ${describe(value)}`);
      const entries = [...(value as ReadonlyMap<unknown, unknown>)];
      if (asObject) return object(entries, out, values);
      list(entries, out, (entry, to) => {
        const [key, inner] = entry as readonly [unknown, unknown];
        to.byte(0x5b);
        keys(key, to);
        to.byte(0x2c);
        values(inner, to);
        to.byte(0x5d);
      });
    };
  }

  /** A value that no schema describes: as one text, since many small ones would each have to be encoded. */
  function plain(value: unknown, out: ByteSink, depth: number): void {
    out.text(plainText(value, depth));
  }

  function plainText(value: unknown, depth: number): string {
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value);
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : floatingText(value, javaDouble);
      case 'boolean':
      case 'bigint':
        return String(value);
      case 'undefined':
        return 'null';
      case 'object':
        return value === null ? 'null' : objectText(value, depth);
      default:
        throw new DataError(`${describe(value)} has no place in JSON`);
    }
  }

  function objectText(value: object, depth: number): string {
    if (isStruct(value)) return written((out) => writerOf(value.schema)(value, out));
    if (value instanceof Uint8Array) return base64Text(value);
    if (value instanceof Decimal) {
      return decimals === 'NUMERIC' || depth === 0 ? javaDecimal(value) : base64Text(value.toBytes());
    }
    if (value instanceof Date) return String(value.getTime());
    if (depth >= mostDeep) throw new DataError(`the value is nested more than ${mostDeep} deep`);
    let text = '';
    if (Array.isArray(value)) {
      for (const item of value as readonly unknown[]) text += `${text === '' ? '' : ','}${plainText(item, depth + 1)}`;
      return `[${text}]`;
    }
    const entries: Iterable<readonly [unknown, unknown]> =
      value instanceof Map ? (value as ReadonlyMap<unknown, unknown>) : Object.entries(value);
    for (const [key, item] of entries) text += `${text === '' ? '' : ','}${keyText(String(key))}${plainText(item, depth + 1)}`;
    return `{${text}}`;
  }

  return {
    write(schema, value, out) {
      if (schema !== null && (isStruct(value) || schema.type === 'struct')) writerOf(schema)(value, out);
      else if (typeof value === 'number' && schema?.type === 'float64') floating(value, out, javaDouble);
      else if (typeof value === 'number' && schema?.type === 'float32') floating(value, out, javaFloat);
      else plain(value, out, 0);
    },
  };
}

const integer: Write = (value, out) => {
  if (value instanceof Date) return out.text(String(value.getTime()));
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw new DataError(`an integer field holds ${describe(value)}`);
  out.text(String(value));
};

/** A Connect Date is the number of days since 1970. */
const days: Write = (value, out) => {
  if (value instanceof Date) return out.text(String(Math.floor(value.getTime() / 86_400_000)));
  integer(value, out);
};

/** JSON has no NaN: Jackson writes it as text. */
function floating(value: unknown, out: ByteSink, text: (value: number) => string): void {
  if (typeof value !== 'number') throw new DataError(`a floating-point field holds ${describe(value)}`);
  out.text(floatingText(value, text));
}

const floatingText = (value: number, text: (value: number) => string): string => (Number.isFinite(value) ? text(value) : `"${value}"`);

function base64(bytes: Uint8Array, out: ByteSink): void {
  out.text(base64Text(bytes));
}

const base64Text = (bytes: Uint8Array): string => `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')}"`;

const mostKeys = 10_000;
const keyTexts = new Map<string, string>();

/** With its colon; the same names come again and again. */
function keyText(key: string): string {
  let text = keyTexts.get(key);
  if (text !== undefined) return text;
  if (keyTexts.size >= mostKeys) keyTexts.clear();
  text = `${JSON.stringify(key)}:`;
  keyTexts.set(key, text);
  return text;
}

function written(write: (out: ByteSink) => void): string {
  const out = new ByteSink();
  write(out);
  return Buffer.from(out.written()).toString();
}

function list(items: readonly unknown[], out: ByteSink, item: Write): void {
  out.byte(0x5b);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) out.byte(0x2c);
    item(items[i], out);
  }
  out.byte(0x5d);
}

function object(entries: readonly (readonly [unknown, unknown])[], out: ByteSink, item: Write): void {
  out.byte(0x7b);
  for (let i = 0; i < entries.length; i++) {
    const [key, value] = entries[i] as readonly [unknown, unknown];
    out.text(`${i > 0 ? ',' : ''}${JSON.stringify(String(key))}:`);
    item(value, out);
  }
  out.byte(0x7d);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  return `a value of type ${typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value}`;
}
