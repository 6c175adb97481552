import { DataError, Decimal, ValueStruct, bigintToBytes, decimalSchema, schemas, structSchema } from '@millrace/runtime/api';
import type { Schema, StructSchema } from '@millrace/runtime/api';

import { asciiText, structType, valueType } from './value-type.ts';
import type { Decode, ValueSettings, ValueType } from './value-type.ts';

export function decodeDouble(bytes: Uint8Array, start: number, end: number): number {
  const text = asciiText(bytes, start, end);
  const value = Number(text);
  if (Number.isNaN(value) && text !== 'NaN') throw new DataError(`"${text}" is not a number`);
  return value;
}

export const floatTypes = {
  float4: valueType(schemas.float32, 'other', decodeDouble, 0),
  float8: valueType(schemas.float64, 'other', decodeDouble, 0),
} satisfies Record<string, ValueType>;

/** io.debezium.data.VariableScaleDecimal: for numeric without a scale. */
export const variableScaleDecimal: StructSchema = structSchema(
  [
    ['scale', schemas.int32],
    ['value', schemas.bytes],
  ],
  { name: 'io.debezium.data.VariableScaleDecimal', version: 1, doc: 'Variable scaled decimal' },
);

/** A numeric column; `typmod` holds precision and scale (numerictypmodin in PostgreSQL's numeric.c), or is -1. */
export function numericType(typmod: number, settings: ValueSettings): ValueType {
  if (settings.decimals === 'double') return valueType(schemas.float64, 'other', decodeDouble, 0);
  if (settings.decimals === 'string') {
    const scale = typmod < 4 ? 0 : scaleOf(typmod);
    const zero = new Decimal(0n, scale).toString();
    const unavailable = settings.placeholder;
    return valueType(schemas.string, 'other', decodeDecimalText, zero, { unavailable, literal: withScale(scale) });
  }
  if (typmod < 4) return { ...variableType, cannotHold };
  const precision = ((typmod - 4) >> 16) & 0xffff;
  const scale = scaleOf(typmod);
  const schema = decimalSchema(scale, { parameters: { 'connect.decimal.precision': String(precision) } });
  return { ...valueType(schema, scale < 0 ? 'other' : 'decimal', decimalDecoder(scale), new Decimal(0n, scale)), cannotHold };
}

/** Eleven bits, signed since PostgreSQL 15. */
const scaleOf = (typmod: number): number => (((typmod - 4) & 0x7ff) ^ 0x400) - 0x400;

/** The number in a money value: `-1234.56`. */
export function moneyDigits(bytes: Uint8Array, start: number, end: number): string {
  const text = asciiText(bytes, start, end);
  const digits = text.replace(/[^0-9.]/g, '');
  return text.includes('-') || text.startsWith('(') ? `-${digits}` : digits;
}

/** Money is text in the locale of the session, which the connector sets to C: `-$1,234.56`. */
export function moneyType(settings: ValueSettings): ValueType {
  const scale = settings.moneyFractionDigits;
  const plain = moneyDigits;
  const { decimals } = settings;
  if (decimals === 'string') return valueType(schemas.string, 'other', plain, new Decimal(0n, scale).toString(), { generated: undefined });
  if (decimals === 'double') return valueType(schemas.float64, 'other', (b, s, e) => Number(plain(b, s, e)), 0, { generated: undefined });
  const schema: Schema = decimalSchema(scale);
  const decode: Decode = (bytes, start, end) => rescaled(Decimal.parse(plain(bytes, start, end)), scale);
  return valueType(schema, 'other', decode, new Decimal(0n, scale), { generated: undefined });
}

export function rescaled(value: Decimal, scale: number): Decimal {
  if (value.scale <= scale) return value.withScale(scale);
  const divisor = 10n ** BigInt(value.scale - scale);
  const half = value.unscaled < 0n ? -divisor / 2n : divisor / 2n;
  return new Decimal((value.unscaled + half) / divisor, scale);
}

export function decimalDecoder(scale: number): Decode {
  return (bytes, start, end) => {
    if (isSpecial(bytes, end)) return null;
    return parsed(bytes, start, end, scale);
  };
}

/** NaN and the infinities have no place in a decimal: the value is null, as Debezium has it. */
function isSpecial(bytes: Uint8Array, end: number): boolean {
  const last = bytes[end - 1];
  return last === undefined || last > 0x39;
}

const cannotHold = (bytes: Uint8Array, _start: number, end: number): boolean => isSpecial(bytes, end);

function parsed(bytes: Uint8Array, start: number, end: number, scale?: number): Decimal {
  const text = asciiText(bytes, start, end);
  try {
    return Decimal.parse(text, scale);
  } catch (cause) {
    throw new DataError(`"${text}" is not a decimal number of scale ${scale ?? 'any'}`, { cause });
  }
}

const variableType = structType(variableScaleDecimal, (schema) => ({
  zero: new ValueStruct(schema, [0, bigintToBytes(0n)]),
  decode(bytes, start, end) {
    if (isSpecial(bytes, end)) return null;
    let { unscaled, scale } = parsed(bytes, start, end);
    if (unscaled === 0n) scale = 0;
    for (; scale > 0 && unscaled % 10n === 0n; scale--) unscaled /= 10n;
    return new ValueStruct(schema, [scale, bigintToBytes(unscaled)]);
  },
}));

/** A literal default has the digits that it was written with: 5, which a column of scale 2 makes 5.00. */
const withScale =
  (scale: number): Decode =>
  (bytes, start, end) => {
    if (isSpecial(bytes, end)) return decodeDecimalText(bytes, start, end);
    const value = parsed(bytes, start, end);
    return (value.scale < scale ? value.withScale(scale) : value).toString();
  };

const specialNames: Record<string, string> = { NaN: 'NAN', Infinity: 'POSITIVE_INFINITY', '-Infinity': 'NEGATIVE_INFINITY' };

function decodeDecimalText(bytes: Uint8Array, start: number, end: number): string {
  const text = asciiText(bytes, start, end);
  return specialNames[text] ?? text;
}
