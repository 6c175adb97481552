import { DataError, Decimal, javaText, logical } from '../api/index.ts';
import type { Schema } from '../api/index.ts';

export const castTypes = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'boolean', 'string'] as const;
export type CastType = (typeof castTypes)[number];

const bits = { int8: 8, int16: 16, int32: 32, int64: 64 } as const;

/** One value as another type, as the JVM's casts do it: whole types cut off high bits, text must be a number. Throws a DataError. */
export function castValue(schema: Schema | null, value: unknown, type: CastType): unknown {
  if (value === null || value === undefined) return null;
  const plain = value instanceof Date ? datePart(schema, value) : value;
  switch (type) {
    case 'string':
      if (value instanceof Uint8Array) return javaText(schema, value);
      return value instanceof Date ? value.toISOString() : javaText(schema, value);
    case 'boolean':
      return toBoolean(plain);
    case 'float32':
      return Math.fround(toNumber(plain));
    case 'float64':
      return toNumber(plain);
    default:
      return toWhole(plain, bits[type]);
  }
}

function datePart(schema: Schema | null, date: Date): number {
  return schema?.name === logical.date ? Math.floor(date.getTime() / 86_400_000) : date.getTime();
}

function toBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.toLowerCase() === 'true';
  return toNumber(value) !== 0;
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' || value instanceof Decimal) return Number(value.toString());
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'string') {
    const number = /^\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|NaN|Infinity)\s*$/.test(value) ? Number(value) : undefined;
    if (number !== undefined) return number;
  }
  throw unfit(value);
}

function toWhole(value: unknown, width: 8 | 16 | 32 | 64): number | bigint {
  const exact = wholeOf(value, width);
  if (typeof value === 'string' && BigInt.asIntN(width, exact) !== exact)
    throw new DataError(`Value out of range. Value:"${value}" does not fit into ${width} bits`);
  const cut = BigInt.asIntN(width, exact);
  return width === 64 && !Number.isSafeInteger(Number(cut)) ? cut : Number(cut);
}

const intMax = 2n ** 31n - 1n;
const longMax = 2n ** 63n - 1n;

/** A fraction is cut off towards zero; a float beyond the range sticks at its end, as (int) and (long) do. */
function wholeOf(value: unknown, width: number): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof Decimal) {
    return value.scale <= 0 ? value.withScale(0).unscaled : value.unscaled / 10n ** BigInt(value.scale);
  }
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value.trim())) throw unfit(value);
    return BigInt(value.trim().replace('+', ''));
  }
  if (typeof value !== 'number') throw unfit(value);
  if (Number.isNaN(value)) return 0n;
  const max = width === 64 ? longMax : intMax;
  if (!Number.isInteger(value) && value > Number(max)) return max;
  if (!Number.isInteger(value) && value < -Number(max)) return -max - 1n;
  return BigInt(Math.trunc(value));
}

function unfit(value: unknown): DataError {
  const shown = typeof value === 'string' ? `the text "${value.slice(0, 50)}"` : typeof value;
  return new DataError(`Unexpected value in Cast transformation: ${shown} is no number`);
}
