import { DataError, Decimal, isStruct, javaDecimal } from '../../api/index.ts';
import type { ByteSink, Schema } from '../../api/index.ts';
import { writeBase64, writeDecimalBytes } from './bytes.ts';
import type { JsonSettings } from './settings.ts';
import { writeBigint, writeDouble, writeInteger, writeString } from './text.ts';

const maxDepth = 1000;

/** Writes data that has no schema: plain objects, arrays, maps, and the primitive values. */
export function writeSchemaless(
  value: unknown,
  out: ByteSink,
  settings: JsonSettings,
  writeWith: (schema: Schema, value: unknown, out: ByteSink) => void,
  depth = 0,
): void {
  switch (typeof value) {
    case 'string':
      return writeString(out, value);
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? writeInteger(out, value) : writeDouble(out, value);
    case 'bigint':
      return writeBigint(out, value);
    case 'boolean':
      return out.text(value ? 'true' : 'false');
    case 'undefined':
      return out.text('null');
    case 'object':
      break;
    default:
      throw new DataError(`a ${typeof value} has no place in JSON`);
  }
  if (value === null) return out.text('null');
  if (isStruct(value)) return writeWith(value.schema, value, out);
  if (value instanceof Uint8Array) return writeBase64(out, value);
  if (value instanceof Decimal) {
    return settings.decimalFormat === 'NUMERIC' ? out.text(javaDecimal(value)) : writeDecimalBytes(out, value.unscaled);
  }
  if (value instanceof Date) return writeInteger(out, value.getTime());
  if (depth >= maxDepth) throw new DataError(`the value is nested more than ${maxDepth} deep`);
  const item = (inner: unknown): void => writeSchemaless(inner, out, settings, writeWith, depth + 1);
  if (Array.isArray(value)) return writeList(value, out, item);
  if (value instanceof Map) return writeMap(value, out, item);
  writePairs(Object.entries(value), out, item);
}

function writeList(items: readonly unknown[], out: ByteSink, item: (value: unknown) => void): void {
  out.byte(0x5b);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) out.byte(0x2c);
    item(items[i]);
  }
  out.byte(0x5d);
}

function writePairs(pairs: readonly (readonly [string, unknown])[], out: ByteSink, item: (value: unknown) => void): void {
  out.byte(0x7b);
  for (let i = 0; i < pairs.length; i++) {
    if (i > 0) out.byte(0x2c);
    const [key, value] = pairs[i] as readonly [string, unknown];
    writeString(out, key);
    out.byte(0x3a);
    item(value);
  }
  out.byte(0x7d);
}

/** An object when all keys are strings, else a list of [key, value]. */
function writeMap(map: ReadonlyMap<unknown, unknown>, out: ByteSink, item: (value: unknown) => void): void {
  const pairs = [...map];
  if (pairs.every(([key]) => typeof key === 'string')) writePairs(pairs as [string, unknown][], out, item);
  else writeList(pairs, out, item);
}
