/** JSON from values of the data model, as the JVM's JsonConverter and Jackson write it, straight into bytes. */
import { DataError, Decimal, isStruct, javaDouble, javaFloat } from '@millrace/runtime/api';
import type { ByteSink } from '@millrace/runtime/api';

/** Deeper, writing would run out of stack; Elasticsearch itself takes no more than 1000. */
export const deepest = 1000;

export function writeString(out: ByteSink, text: string): void {
  const { length } = text;
  if (length < 80) {
    out.ensure(length + 2);
    const { bytes } = out;
    let at = out.position;
    bytes[at++] = 0x22;
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) break;
      bytes[at++] = code;
    }
    if (i === length) {
      bytes[at++] = 0x22;
      out.position = at;
      return;
    }
  }
  out.text(JSON.stringify(text));
}

/** A double with a fraction (`1.0`), since Elasticsearch guesses a field's type from the first one; NaN as text. */
export function writeFloating(out: ByteSink, value: number, single: boolean): void {
  const text = single ? javaFloat(value) : javaDouble(value);
  if (Number.isFinite(value)) out.text(text);
  else writeString(out, text);
}

export function writeBytes(out: ByteSink, value: Uint8Array): void {
  writeString(out, Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64'));
}

/** A value that has no schema: JSON as it is, bigints as numbers, maps with other keys than text as [[key, value]]. */
export function writePlain(out: ByteSink, value: unknown): void {
  if (isJson(value, 0)) out.text(JSON.stringify(value));
  else writeValue(out, value, 0);
}

/** Whether JSON.stringify gets it right. */
function isJson(value: unknown, depth: number): boolean {
  if (depth > deepest) throw tooDeep();
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const key in value) if (!isJson((value as Record<string, unknown>)[key], depth + 1)) return false;
  return true;
}

function writeValue(out: ByteSink, value: unknown, depth: number): void {
  if (depth > deepest) throw tooDeep();
  if (value === null || value === undefined) return out.text('null');
  if (typeof value === 'string') return writeString(out, value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return out.text(String(value));
  if (typeof value === 'number') return Number.isFinite(value) ? out.text(String(value)) : writeFloating(out, value, false);
  if (value instanceof Decimal) return out.text(value.toString());
  if (value instanceof Date) return out.text(String(value.getTime()));
  if (value instanceof Uint8Array) return writeBytes(out, value);
  if (Array.isArray(value)) {
    out.byte(0x5b);
    for (let i = 0; i < value.length; i++) {
      if (i > 0) out.byte(0x2c);
      writeValue(out, value[i], depth + 1);
    }
    return out.byte(0x5d);
  }
  if (typeof value !== 'object') throw new DataError(`a ${typeof value} cannot be written as JSON`);
  if (isStruct(value))
    return writeEntries(
      out,
      value.schema.fields.map(({ name, index }) => [name, value.at(index)] as const),
      depth,
    );
  if (!(value instanceof Map)) return writeEntries(out, Object.entries(value), depth);
  const entries = [...(value as Map<unknown, unknown>)];
  if (entries.every((entry): entry is [string, unknown] => typeof entry[0] === 'string')) return writeEntries(out, entries, depth);
  writeValue(out, entries, depth);
}

function writeEntries(out: ByteSink, entries: readonly (readonly [string, unknown])[], depth: number): void {
  out.byte(0x7b);
  entries.forEach(([key, item], i) => {
    if (i > 0) out.byte(0x2c);
    writeString(out, key);
    out.byte(0x3a);
    writeValue(out, item, depth + 1);
  });
  out.byte(0x7d);
}

export function tooDeep(): DataError {
  return new DataError(`the value is nested more than ${deepest} deep, which Elasticsearch takes no document of`);
}
