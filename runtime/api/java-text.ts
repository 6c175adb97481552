/**
 * Values as the JVM prints them: what `String.valueOf` gives, which file sinks, string converters and casts write.
 * Sources: Double.toString, BigDecimal.toString, AbstractMap.toString, org.apache.kafka.connect.data.Struct.toString.
 */
import { Decimal } from './decimal.ts';
import type { Schema } from './schema.ts';
import { isStruct } from './struct.ts';

/** Double.toString: `1.0`, `1.0E-7`, `NaN`, `Infinity`. */
export function javaDouble(value: number): string {
  // Where one digit would do, the JVM takes the closest of two (4.9E-324).
  const closest = Math.abs(value) < 1e-300 && value !== 0 ? Number(value).toPrecision(2) : '';
  return javaFloating(value, closest !== '' && /^-?\de/.test(String(value)) ? closest : String(value));
}

/** Float.toString: the fewest digits that tell the float apart from its neighbours. */
export function javaFloat(value: number): string {
  const float = Math.fround(value);
  if (!Number.isFinite(float) || float === 0) return javaFloating(float, String(float));
  for (let digits = 2; digits < 9; digits++) {
    const shorter = float.toPrecision(digits);
    if (Math.fround(Number(shorter)) === float) return javaFloating(float, String(Number(shorter)));
  }
  return javaFloating(float, String(Number(float.toPrecision(9))));
}

function javaFloating(value: number, shortest: string): string {
  if (!Number.isFinite(value)) return shortest;
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-3 && magnitude < 1e7) return shortest.includes('.') ? shortest : `${shortest}.0`;
  const [mantissa = '', exponent = '0'] = (shortest.includes('e') ? shortest : Number(shortest).toExponential()).split('e');
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}

/** BigDecimal.toString: plain, or with an exponent where the number is tiny or its scale negative (`0E-10`, `1E+3`). */
export function javaDecimal({ unscaled, scale }: Decimal): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString();
  const adjusted = digits.length - 1 - scale;
  if (scale === 0) return sign + digits;
  if (scale > 0 && adjusted >= -6) return new Decimal(unscaled, scale).toString();
  const mantissa = digits.length === 1 ? digits : `${digits[0]}.${digits.slice(1)}`;
  return `${sign}${mantissa}E${adjusted < 0 ? '' : '+'}${adjusted}`;
}

/**
 * String.valueOf of a value of the data model. Bytes, which the JVM prints as an address, come as base64; a
 * number without schema prints as a long when it is whole.
 */
export function javaText(schema: Schema | null, value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return javaNumber(schema, value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof Decimal) return javaDecimal(value);
  if (value instanceof Date) return javaDate(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
  if (isStruct(value)) {
    const fields: string[] = [];
    for (const field of value.schema.fields) {
      const item = value.at(field.index);
      if (item !== null) fields.push(`${field.name}=${javaText(field.schema, item)}`);
    }
    return `Struct{${fields.join(',')}}`;
  }
  const items = schema?.valueSchema ?? null;
  if (Array.isArray(value)) return `[${value.map((item) => javaText(items, item)).join(', ')}]`;
  const entries: [unknown, unknown][] = value instanceof Map ? [...value] : Object.entries(value);
  const keys = schema?.keySchema ?? null;
  return `{${javaOrder(entries)
    .map(([key, item]) => `${javaText(keys, key)}=${javaText(items, item)}`)
    .join(', ')}}`;
}

function javaNumber(schema: Schema | null, value: number): string {
  if (schema?.type === 'float32') return javaFloat(value);
  if (schema?.type === 'float64' || !Number.isSafeInteger(value) || Object.is(value, -0)) return javaDouble(value);
  return String(value);
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** java.util.Date.toString, in UTC. */
function javaDate(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  const year = String(date.getUTCFullYear()).padStart(4, '0');
  return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${two(date.getUTCDate())} ${time} UTC ${year}`;
}

/** String.hashCode. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The order in which a java.util.HashMap filled with these entries gives them back; text keys only. */
function javaOrder(entries: [unknown, unknown][]): [unknown, unknown][] {
  if (entries.length < 2 || !entries.every(([key]) => typeof key === 'string')) return entries;
  let capacity = 16;
  while (entries.length > capacity * 0.75) capacity *= 2;
  const bucket = (key: unknown): number => {
    const hash = javaHash(key as string);
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return entries
    .map((entry) => ({ entry, bucket: bucket(entry[0]) }))
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ entry }) => entry);
}
