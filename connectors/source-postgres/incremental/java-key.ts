/** A stored key of an incremental snapshot, back from Java. */
import { ConfigError } from '@millrace/runtime/api';

import { dateText, timestampText } from './java-dates.ts';
import { readJavaObject } from './java-reader.ts';
import type { JavaObject } from './java-reader.ts';
import type { Key, KeyValue } from './java-values.ts';

/** `field` names the offset's field in errors. Throws a ConfigError for what is no key. */
export function readKey(field: string, hex: string): Key | null {
  let object: unknown;
  try {
    object = readJavaObject(Buffer.from(hex, 'hex'));
  } catch (cause) {
    throw refused(field, (cause as Error).message, cause);
  }
  if (object === null) return null;
  const { items } = object as JavaObject;
  if (!Array.isArray(items)) throw refused(field, `found ${(object as JavaObject).className ?? typeof object}, not an Object[]`);
  return items.map((item: unknown) => value(field, item));
}

function value(field: string, item: unknown): KeyValue | null {
  if (item === null) return null;
  if (typeof item === 'string') return { type: 'string', text: item };
  const { className, fields, items, data } = item as JavaObject;
  const plain = String(fields['value']);
  switch (className) {
    case 'java.lang.Integer':
      return { type: 'integer', text: plain };
    case 'java.lang.Short':
      return { type: 'short', text: plain };
    case 'java.lang.Long':
      return { type: 'long', text: plain };
    case 'java.lang.Float':
      return { type: 'float', text: plain };
    case 'java.lang.Double':
      return { type: 'double', text: plain };
    case 'java.lang.Boolean':
      return { type: 'boolean', text: fields['value'] === true ? 't' : 'f' };
    case '[B':
      return { type: 'bytes', text: `\\x${(items as Buffer).toString('hex')}` };
    case 'java.util.UUID':
      return { type: 'uuid', text: uuidText(fields['mostSigBits'] as bigint, fields['leastSigBits'] as bigint) };
    case 'java.math.BigInteger':
      return { type: 'decimal', text: String(bigInteger(item as JavaObject)) };
    case 'java.math.BigDecimal':
      return { type: 'decimal', text: decimalText(item as JavaObject) };
    case 'io.debezium.data.SpecialValueDecimal':
      if (fields['decimalValue'] === null) throw refused(field, 'a number that is none (NaN or infinity) cannot be gone on from');
      return { type: 'decimal', text: decimalText(fields['decimalValue'] as JavaObject) };
    case 'java.sql.Date':
      return { type: 'date', text: dateText(data.readBigInt64BE(0)) };
    case 'java.util.Date':
    case 'java.sql.Timestamp': {
      const ms = data.readBigInt64BE(0);
      const nanos = (fields['nanos'] as number | undefined) ?? Number(((ms % 1000n) + 1000n) % 1000n) * 1_000_000;
      return { type: 'timestamp', text: timestampText({ ms, nanos }) };
    }
    case 'java.sql.Time':
      return { type: 'string', text: new Date(Number(data.readBigInt64BE(0))).toISOString().slice(11, 23) };
    case 'java.time.Ser':
      return javaTime(field, data);
    case 'org.postgresql.util.PGobject':
      return { type: 'pgobject', text: String(fields['value']), pgType: String(fields['type']) };
    default:
      throw refused(field, `a value of Java's class ${className} is not understood`);
  }
}

/** java.time's own form: kind, then the parts. */
function javaTime(field: string, data: Buffer): KeyValue {
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = (at: number): string =>
    `${String(data.readInt32BE(at)).padStart(4, '0')}-${two(data.readInt8(at + 4))}-${two(data.readInt8(at + 5))}`;
  switch (data[0]) {
    case 2:
      return {
        type: 'timestamp',
        text: timestampText({ ms: data.readBigInt64BE(1) * 1000n, nanos: data.readInt32BE(9) }),
      };
    case 3:
      return { type: 'date', text: date(1) };
    case 4:
      return { type: 'string', text: localTime(data, 1) };
    case 5:
      return { type: 'timestamp', text: `${date(1)} ${localTime(data, 7)}` };
    case 10: {
      const quarters = data.readInt8(data.length - 1);
      if (quarters !== 0) throw refused(field, 'a time with another offset than UTC is not understood');
      return { type: 'timestamp', text: `${date(1)} ${localTime(data, 7)}+00` };
    }
    default:
      throw refused(field, `a value of java.time of kind ${data[0]} is not understood`);
  }
}

/** Trailing parts that are zero are left out, and the last one that is there is inverted. */
function localTime(data: Buffer, start: number): string {
  const parts = [0, 0, 0, 0];
  for (let i = 0, at = start; i < 4; i++) {
    const part = i === 3 ? data.readInt32BE(at) : data.readInt8(at);
    parts[i] = part < 0 ? ~part : part;
    if (part < 0) break;
    at += 1;
  }
  const [hour = 0, minute = 0, second = 0, nanos = 0] = parts;
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(hour)}:${two(minute)}:${two(second)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}`;
}

function bigInteger({ fields }: JavaObject): bigint {
  const magnitude = (fields['magnitude'] as JavaObject).items as Buffer;
  const absolute = magnitude.length === 0 ? 0n : BigInt(`0x${magnitude.toString('hex')}`);
  return fields['signum'] === -1 ? -absolute : absolute;
}

function decimalText({ fields }: JavaObject): string {
  const unscaled = bigInteger(fields['intVal'] as JavaObject);
  const scale = fields['scale'] as number;
  if (scale <= 0) return String(unscaled * 10n ** BigInt(-scale));
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function uuidText(most: bigint, least: bigint): string {
  const hex = [most, least].map((half) => BigInt.asUintN(64, half).toString(16).padStart(16, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const refused = (field: string, why: string, cause?: unknown): ConfigError =>
  new ConfigError(`the stored offset's ${field} cannot be read: ${why}.`, {
    cause,
    hint: 'Remove the fields incremental_snapshot_* from the offset, and send the signal again.',
  });
