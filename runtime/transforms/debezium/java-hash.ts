/** Object.hashCode of the values that records hold, as Java computes it. */
import { DataError, Decimal } from '../../api/index.ts';
import type { Schema } from '../../api/index.ts';

/** A 32-bit integer. Throws a DataError for what has no hash code of its content in Java (bits), or is no plain value. */
export function javaHash(schema: Schema, value: unknown): number {
  switch (typeof value) {
    case 'string':
      return hashString(value);
    case 'boolean':
      return value ? 1231 : 1237;
    case 'bigint':
      return hashLong(value);
    case 'number':
      if (schema.type === 'int64') return hashLong(BigInt(value));
      if (schema.type === 'float64') return hashLong(bitsOf(value));
      if (schema.type === 'float32') return Number.isNaN(value) ? 0x7fc0_0000 : floatBits(value);
      return value | 0;
  }
  if (value instanceof Date) return hashLong(BigInt(value.getTime()));
  if (value instanceof Decimal) return (Math.imul(31, hashInteger(value.unscaled)) + value.scale) | 0;
  if (value instanceof Uint8Array && schema.name !== 'io.debezium.data.Bits') return hashBytes(value);
  throw new DataError(`a ${schema.name ?? schema.type} has no hash to choose a partition by`);
}

function hashString(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** ByteBuffer's, from the last byte on. */
function hashBytes(bytes: Uint8Array): number {
  let hash = 1;
  for (let i = bytes.length - 1; i >= 0; i--) hash = (Math.imul(hash, 31) + (((bytes[i] as number) << 24) >> 24)) | 0;
  return hash;
}

const hashLong = (value: bigint): number => Number(BigInt.asIntN(32, value ^ (BigInt.asUintN(64, value) >> 32n)));

const view = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  view.setFloat64(0, Number.isNaN(value) ? NaN : value);
  return view.getBigInt64(0);
}

function floatBits(value: number): number {
  view.setFloat32(0, value);
  return view.getInt32(0);
}

/** BigInteger's: its magnitude in words of 32 bits, from the highest on. */
function hashInteger(value: bigint): number {
  let hash = 0;
  const hex = (value < 0n ? -value : value).toString(16);
  const padded = hex.padStart(Math.ceil(hex.length / 8) * 8, '0');
  for (let i = 0; i < padded.length; i += 8) hash = (Math.imul(31, hash) + (Number.parseInt(padded.slice(i, i + 8), 16) | 0)) | 0;
  return value < 0n ? -hash | 0 : hash;
}
