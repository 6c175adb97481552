import { DataError, schemas } from '@millrace/runtime/api';

import { asciiText, valueType } from './value-type.ts';
import type { ValueType } from './value-type.ts';

/** A decimal integer in ASCII: a number where that is exact, else a bigint. */
export function decodeInteger(bytes: Uint8Array, start: number, end: number): number | bigint {
  const negative = bytes[start] === 0x2d;
  const first = negative ? start + 1 : start;
  if (first === end) throw notAnInteger(bytes, start, end);
  if (end - first > 15) return bigInteger(bytes, start, end);
  let value = 0;
  for (let i = first; i < end; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) throw notAnInteger(bytes, start, end);
    value = value * 10 + digit;
  }
  return negative ? -value || 0 : value;
}

function bigInteger(bytes: Uint8Array, start: number, end: number): number | bigint {
  const text = asciiText(bytes, start, end);
  if (!/^-?\d+$/.test(text)) throw notAnInteger(bytes, start, end);
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

const notAnInteger = (bytes: Uint8Array, start: number, end: number): DataError =>
  new DataError(`"${asciiText(bytes, start, end)}" is not an integer`);

export function decodeBoolean(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0x74;
}

export const integerTypes = {
  int2: valueType(schemas.int16, 'integer', decodeInteger, 0),
  int4: valueType(schemas.int32, 'integer', decodeInteger, 0),
  int8: valueType(schemas.int64, 'integer', decodeInteger, 0),
  oid: valueType(schemas.int64, 'integer', decodeInteger, 0, { generated: undefined }),
  bool: valueType(schemas.boolean, 'boolean', decodeBoolean, false),
} satisfies Record<string, ValueType>;
