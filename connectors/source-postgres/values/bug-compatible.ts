/**
 * Types as Debezium 3.3 writes them where it is wrong, for `debezium.bug.compatible`. Each is what was recorded from
 * it; docs/differences-from-debezium.md tells them apart from ours. A snapshot comes through JDBC there, and a stream
 * as text, so some differ between the two; items of arrays come through JDBC in both.
 */
import { Decimal, decimalSchema, schemas } from '@millrace/runtime/api';

import { parseItems } from './array-text.ts';
import type { ArrayItem } from './array-text.ts';
import { unavailableArray } from './arrays.ts';
import { dateText, daysOf, infinityOf, readDate, readDay, readMonth, readYear } from './civil.ts';
import { javaDouble } from './java-double.ts';
import { decimalDecoder, moneyDigits, moneyType, numericType, rescaled } from './numbers.ts';
import { dateType, timestampType, timestamptzType } from './temporal.ts';
import { asciiText, utf8Text, valueType } from './value-type.ts';
import type { Decode, Phase, ValueSettings, ValueType } from './value-type.ts';

/** Undefined for types that Debezium writes as ours are. */
export function compatibleType(name: string, typmod: number, settings: ValueSettings, phase: Phase): ValueType | undefined {
  if (name === 'numeric') return typmod >= 4 && hasNegativeScale(typmod) ? hugeScale(typmod, settings) : undefined;
  if (name === 'date') return withDecode(dateType(settings), (decode) => dateThroughJdbc(decode, settings, phase));
  if (phase === 'stream') return name === 'name' ? noName : undefined;
  switch (name) {
    case 'money':
      return moneyThroughDouble(settings);
    case 'timestamp':
      return withDecode(timestampType(typmod, settings), julian);
    case 'timestamptz':
      return withDecode(timestamptzType(typmod), julian);
  }
  return undefined;
}

const withDecode = (type: ValueType, wrap: (decode: Decode) => Decode): ValueType => ({
  ...type,
  form: 'other',
  decode: wrap(type.decode),
});
const ofText = (decode: Decode, text: string): unknown => {
  const bytes = Buffer.from(text);
  return decode(bytes, 0, bytes.length);
};
const nothing: Decode = () => null;
/** Null, or an empty text where the column must not be null. */
const noName: ValueType = {
  ...valueType(schemas.string, 'other', nothing, '', { generated: undefined }),
  forSchema: ({ optional }) => (optional ? noName : { ...noName, decode: () => '' }),
};

const hasNegativeScale = (typmod: number): boolean => ((typmod - 4) & 0x400) !== 0;

/** The scale is taken for an unsigned one: 2046 for -2. */
function hugeScale(typmod: number, settings: ValueSettings): ValueType {
  const type = numericType(typmod, settings);
  const scale = (typmod - 4) & 0x7ff;
  if (settings.decimals === 'double') return type;
  if (settings.decimals === 'string') {
    const digits = (text: unknown): string => (/^-?\d+$/.test(String(text)) ? `${text}.${'0'.repeat(scale)}` : String(text));
    return withDecode(type, (decode) => (bytes, start, end) => digits(decode(bytes, start, end)));
  }
  const parameters = { 'connect.decimal.precision': String(((typmod - 4) >> 16) & 0xffff) };
  return {
    ...type,
    form: 'other',
    schema: decimalSchema(scale, { parameters }),
    decode: decimalDecoder(scale),
    zero: new Decimal(0n, scale),
  };
}

function moneyThroughDouble(settings: ValueSettings): ValueType {
  const type = moneyType(settings);
  const through = (bytes: Uint8Array, start: number, end: number): string => javaDouble(Number(moneyDigits(bytes, start, end)));
  if (settings.decimals === 'double') return type;
  if (settings.decimals === 'string') return withDecode(type, () => through);
  return withDecode(type, () => (b, s, e) => rescaled(Decimal.parse(through(b, s, e)), settings.moneyFractionDigits));
}

// java.sql.Date of PGStatement.DATE_NEGATIVE_INFINITY and DATE_POSITIVE_INFINITY, and what the stream makes of them.
const infiniteDates = {
  snapshot: { text: ['+292269055-12-02Z', '+292278994-08-16Z'], days: [-625_821_272, -622_191_234] },
  stream: { text: ['-5877611-06-22Z', '-5877611-06-21Z'], days: [-2_147_472_691, -2_147_472_692] },
} as const;

/** Infinity is a date far off, and a snapshot drops the era. */
function dateThroughJdbc(decode: Decode, { times }: ValueSettings, phase: Phase): Decode {
  const infinite = infiniteDates[phase];
  return (bytes, start, end) => {
    const infinity = infinityOf(bytes, start);
    // A Date does not reach so far.
    if (infinity !== 0 && times === 'connect') return decode(bytes, start, end);
    if (infinity !== 0) return times === 'isostring' ? infinite.text[infinity > 0 ? 1 : 0] : infinite.days[infinity > 0 ? 1 : 0];
    return phase === 'snapshot' && bytes[end - 1] === 0x43 ? decode(bytes, start, end - ' BC'.length) : decode(bytes, start, end);
  };
}

/** Dates before 1582-10-15 are taken for ones of the Julian calendar, as java.util.GregorianCalendar does. */
const julian =
  (decode: Decode): Decode =>
  (bytes, start, end) => {
    if (infinityOf(bytes, start) !== 0) return decode(bytes, start, end);
    const at = readDate(bytes, start, end);
    if (readYear > 1582 || (readYear === 1582 && readMonth * 100 + readDay >= 1015)) return decode(bytes, start, end);
    const date = dateText(julianDays(readYear, readMonth, readDay));
    // Years before 1 are written with the era, as PostgreSQL does.
    const [, year, day] = /^(-?\d+)(-\d\d-\d\d)$/.exec(date) as unknown as [string, string, string];
    const clock = asciiText(bytes, at, end).replace(/ BC$/, '');
    const number = Number(year);
    return ofText(decode, `${String(number > 0 ? number : 1 - number).padStart(4, '0')}${day}${clock}${number > 0 ? '' : ' BC'}`);
  };

/** Days since 1970-01-01 of a date in the Julian calendar; year 0 is 1 BC. */
function julianDays(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  // 0000-03-01 of the Julian calendar is 0000-02-28 of the Gregorian.
  return daysOf(0, 2, 28) + y * 365 + Math.floor(y / 4) + dayOfYear;
}

/** An array of an item type that {@link compatibleType} has had its say on; undefined where Debezium leaves it out. */
export function compatibleArray(type: ValueType, item: ValueType, itemName: string, settings: ValueSettings): ValueType | undefined {
  if (noArrays.has(itemName)) return undefined;
  // bit(n)[] is described as bit(n), and has no value.
  if (itemName === 'bit') return { ...item, form: 'other', decode: nothing, unavailable: unavailableArray(itemName, item, settings) };
  return withDecode(type, (decode) => (bytes, start, end) => {
    const items = parseItems(utf8Text(bytes, start, end));
    if (Array.isArray(items[0])) return items.map(() => (objects.has(itemName) ? '[Ljava.lang.String;@0' : null));
    const values = decode(bytes, start, end) as readonly unknown[];
    // An item that cannot be had empties the whole array, as does a null of some types.
    const empties = (value: unknown, index: number): boolean =>
      value === null && ((items[index] as ArrayItem) !== null || item.itemsRequired === true || itemName === 'ltree');
    return values.some(empties) ? null : coarse(itemName, item, values);
  });
}

// Of these, Debezium has no arrays.
const noArrays = new Set(['money', 'interval', 'varbit', 'xml', 'point', 'name', 'refcursor']);
// Inner arrays of these come out as Java's name for them, with a hash that is different each time.
const objects = new Set(['text', 'varchar', 'bpchar', 'char', 'json', 'jsonb', 'citext']);

/** java.sql.Time holds milliseconds, and a time with a zone is cut to seconds. */
function coarse(itemName: string, item: ValueType, values: readonly unknown[]): readonly unknown[] {
  if (itemName === 'timetz') return values.map((value) => (typeof value === 'string' ? value.replace(/\.\d+/, '') : value));
  if (itemName !== 'time') return values;
  const unit = { 'io.debezium.time.MicroTime': 1000, 'io.debezium.time.NanoTime': 1_000_000 }[item.schema.name ?? ''];
  if (unit !== undefined) return values.map((value) => (typeof value === 'number' ? Math.floor(value / unit) * unit : value));
  return values.map((value) => (typeof value === 'string' ? value.replace(/(\.\d{3})\d+/, '$1') : value));
}

// pgjdbc makes objects of these, and writes their numbers as Java does.
const geometric = new Set(['line', 'lseg', 'box', 'path', 'polygon', 'circle']);

/** The bytes of an unknown type's text. */
export function compatibleUnknown(type: ValueType, name: string): ValueType {
  if (!geometric.has(name)) return type;
  return withDecode(type, (decode) => (bytes, start, end) => {
    const text = asciiText(bytes, start, end);
    return ofText(
      decode,
      text.replace(/-?(?:Infinity|NaN|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/g, (number) => javaDouble(Number(number))),
    );
  });
}

/** A default's first run of quoted text, up to the first quote, doubled or not. */
export const cutDefault = (expression: string): string => {
  const found = /'([^']*)'/.exec(expression);
  return found === null ? expression : `'${found[1]}'`;
};

/** As readString of its decoder leaves a name: each byte beyond ASCII a character of its own. */
export const mangledName = (name: string): string =>
  // oxlint-disable-next-line no-control-regex -- names of ASCII alone stay as they are
  /^[\x00-\x7f]*$/.test(name)
    ? name
    : [...Buffer.from(name)].map((byte) => String.fromCharCode(byte < 0x80 ? byte : 0xff00 + byte)).join('');
