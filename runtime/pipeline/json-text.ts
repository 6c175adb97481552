import { Decimal, isStruct } from '../api/index.ts';

/**
 * A value of the data model as JSON text, for people and programs that repair records; null for null. Structs and maps
 * become objects, decimals and 64-bit integers numbers with all their digits, dates ISO 8601, bytes base64. What cannot
 * be shown (a struct whose bytes are broken, a circle) says so, as a JSON string: never throws.
 */
export function jsonText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  try {
    return write(value);
  } catch (error) {
    return JSON.stringify(`this value cannot be shown: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function write(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'function' || typeof value === 'symbol') return 'null';
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'null' : JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')}"`;
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (isStruct(value)) return members(value.schema.fields.map((field) => [field.name, value.at(field.index)]));
  return members(value instanceof Map ? [...value] : Object.entries(value));
}

function members(entries: readonly (readonly [unknown, unknown])[]): string {
  return `{${entries.map(([key, item]) => `${JSON.stringify(typeof key === 'string' ? key : write(key))}:${write(item)}`).join(',')}}`;
}
