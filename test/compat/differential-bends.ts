/**
 * What Debezium makes of the values that it bends, told from what they are: so that a difference is known only where it
 * is exactly the one that docs/differences-from-debezium.md explains, and any other in the same column is found.
 */
import { createHash } from 'node:crypto';

import type { Config } from './differential-config.ts';

/** As the comparison has it: a text, null, a number as the text that it was, or a list. */
type Value = string | null | { readonly number: string } | readonly unknown[];
/** All that Debezium may write where this is right. */
export type Bend = (right: Value, config: Config) => readonly unknown[];

const dayMs = 86_400_000;
const numberOf = (value: Value): string | undefined =>
  value !== null && typeof value === 'object' && 'number' in value ? value.number : undefined;
const asNumber = (text: bigint | number): { readonly number: string } => ({ number: String(text) });

/** Days since 1970-01-01 of a day of the Julian calendar. */
function julianDays(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  return y * 365 + Math.floor(y / 4) + Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1 - 719_470;
}

/** A day before 1582-10-15, read as one of the Julian calendar. */
function shifted(days: number): number {
  const date = new Date(days * dayMs);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  return days < -141_427 ? julianDays(year, month, day) : days;
}

const isoYear = (year: number): string => `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}`;
const isoDay = (days: number): string => {
  const date = new Date(days * dayMs);
  return `${isoYear(date.getUTCFullYear())}${date.toISOString().replace(/^[+-]?\d+(-\d\d-\d\d)T.*$/, '$1')}`;
};

function daysOf(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime() / dayMs;
}

const onText = (text: string): unknown[] => {
  const [, year, month, day, clock] = /^(-?\d{4,6})-(\d\d)-(\d\d)(T.*)$/.exec(text) ?? [];
  return year === undefined ? [] : [isoDay(shifted(daysOf(Number(year), Number(month), Number(day)))) + clock];
};

/** Connect's Timestamp is a Date here, which reaches 275,760 years. */
const farTimestamps: Readonly<Record<string, string>> = {
  '8640000000000000': '9223372036825200',
  '-8640000000000000': '-9223372036832400',
};
export const infiniteTimestamp: Bend = (right) => {
  const far = farTimestamps[numberOf(right) ?? ''];
  return far === undefined ? [] : [asNumber(BigInt(far))];
};

/** timestamp and timestamptz, in a snapshot. */
export const oldTimestamp: Bend = (right, config) => {
  if (typeof right === 'string') return onText(right);
  const number = numberOf(right);
  if (number !== undefined && number in farTimestamps) return [asNumber(BigInt(farTimestamps[number] as string))];
  if (number === undefined) return [];
  const value = BigInt(number);
  if (config['time.precision.mode'] === 'nanoseconds') {
    // It runs over long before: what is left of the difference is whole days.
    const day = BigInt(dayMs) * 1_000_000n;
    return Array.from({ length: 20 }, (_, k) => asNumber(BigInt.asIntN(64, value + BigInt(k - 5) * day)));
  }
  const unit = BigInt(dayMs) * (value < -1_000_000_000_000_000n ? 1000n : 1n);
  const rest = ((value % unit) + unit) % unit;
  return [asNumber(BigInt(shifted(Number((value - rest) / unit))) * unit + rest)];
};

/** date in a snapshot: without its BC, and far off where it is infinite. */
export const oldDate: Bend = (right) => {
  if (typeof right === 'string') {
    const infinite = { infinity: '+292278994-08-16Z', '-infinity': '+292269055-12-02Z' }[right];
    const [, year, rest] = /^-(\d{4})(-.*)$/.exec(right) ?? [];
    return infinite !== undefined ? [infinite] : year === undefined ? [] : [isoYear(Number(year) + 1) + rest];
  }
  const number = Number(numberOf(right));
  const infinite = { '-2147472692': -622_191_234, '-2147472691': -625_821_272, '100000000': -622_191_234, '-100000000': -625_821_272 };
  const far = infinite[number as unknown as keyof typeof infinite];
  if (far !== undefined) return [asNumber(far)];
  const date = new Date(number * dayMs);
  const year = date.getUTCFullYear();
  return year > 0 ? [] : [asNumber(daysOf(1 - year, date.getUTCMonth() + 1, date.getUTCDate()))];
};

/** date in the stream. */
export const infiniteDate: Bend = (right) => {
  const far = { infinity: '-5877611-06-21Z', '-infinity': '-5877611-06-22Z' };
  if (typeof right === 'string') return right in far ? [far[right as keyof typeof far]] : [];
  // Connect's Date is a Date here, which reaches 275,760 years.
  const number = numberOf(right);
  return number === '100000000' ? [asNumber(-2_147_472_692)] : number === '-100000000' ? [asNumber(-2_147_472_691)] : [];
};

/** As Java prints a double. */
export function javaNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e7))
    return Number.isInteger(value) ? `${Object.is(value, -0) ? '-0' : value}.0` : String(value);
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

/** money in a snapshot, which goes through a double. */
export const moneyThroughDouble: Bend = (right, config) => {
  if (typeof right === 'string' && /^-?\d+\.\d+$/.test(right)) return [javaNumber(Number(right))];
  const scale = Number(config['money.fraction.digits'] ?? '2');
  const number = numberOf(right);
  const unscaled = (value: string): bigint => {
    const [whole = '', fraction = ''] = value.split('.');
    return BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
  };
  const through = (exact: bigint): bigint => unscaled(plain(Number(exact) / 10 ** scale));
  if (number !== undefined) {
    const bent = String(through(unscaled(number)))
      .replace('-', '')
      .padStart(scale + 1, '0');
    return [{ number: `${number.startsWith('-') ? '-' : ''}${bent.slice(0, -scale)}.${bent.slice(-scale)}` }];
  }
  return typeof right === 'string' ? [base64Of(through(unscaledOf(right)))] : [];
};

const plain = (value: number): string => value.toLocaleString('en', { useGrouping: false, maximumSignificantDigits: 17 });
const unscaledOf = (base64: string): bigint => {
  const bytes = Buffer.from(base64, 'base64');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x0${bytes.toString('hex')}`));
};
function base64Of(value: bigint): string {
  let length = 1;
  while (BigInt.asIntN(length * 8, value) !== value) length++;
  return Buffer.from(
    BigInt.asUintN(length * 8, value)
      .toString(16)
      .padStart(length * 2, '0'),
    'hex',
  ).toString('base64');
}

/** An item of a time[] or timetz[]. */
export const coarseTime: Bend = (right, config) => {
  if (typeof right === 'string') return [right.replace(/\.\d+/, ''), right.replace(/(\.\d{3})\d+/, '$1'), trimmed(right)];
  const number = numberOf(right);
  const unit = config['time.precision.mode'] === 'nanoseconds' ? 1_000_000n : 1000n;
  return number === undefined ? [] : [asNumber((BigInt(number) / unit) * unit)];
};
const trimmed = (text: string): string => text.replace(/(\.\d{3})\d+/, '$1').replace(/\.?0+Z$/, 'Z');

/** What column.mask.hash.v2 makes of a value. */
export const isHashOf = (hash: unknown, value: unknown, salt: string): boolean =>
  typeof value === 'string' && hash === createHash('sha256').update(salt).update(value).digest('hex');

const encodings: readonly BufferEncoding[] = ['base64', 'base64url', 'hex'];
/** The text of a line, in whatever binary.handling.mode makes of bytes. */
export const lineNumbers: Bend = (right) =>
  typeof right !== 'string'
    ? []
    : encodings.flatMap((encoding) => {
        const text = Buffer.from(right, encoding).toString('latin1');
        const bent = text.replaceAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, (number) => javaNumber(Number(number)));
        // Padded here, since base64url-safe of Java's keeps the padding.
        return text.startsWith('{') ? ['base64', 'hex'].map((one) => Buffer.from(bent, 'latin1').toString(one as BufferEncoding)) : [];
      });
