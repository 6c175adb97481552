/** Connect's and Debezium's dates and times. Source: io.debezium.time.*, org.apache.kafka.connect.data.*. */
import { DataError, logical } from '@millrace/runtime/api';
import type { ByteSink, Schema } from '@millrace/runtime/api';

import type { Column } from '../catalog.ts';
import type { ValueSettings } from '../settings.ts';
import { dateText, splitMs, splitUs, timeText, timestampText, writeTimestamp, zoneOffset } from './civil.ts';
import { escaped, numberText, plain, writeNumber } from './value-text.ts';
import type { Encoder, ValueText, ValueWrite } from './value-text.ts';

const dayUs = 86_400_000_000;

// What Debezium streams for PostgreSQL's infinite dates and timestamps.
const infiniteDays: Readonly<Record<string, string>> = { '-2147472691': '-infinity', '-2147472692': 'infinity' };
const infiniteUs: Readonly<Record<string, string>> = { '-9223372036832400000': '-infinity', '9223372036825200000': 'infinity' };
const infiniteMs: Readonly<Record<string, string>> = { '-9223372036832400': '-infinity', '9223372036825200': 'infinity' };
const infiniteNs: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(infiniteUs).map(([us, side]) => [String(BigInt.asIntN(64, BigInt(us) * 1000n)), side]),
);
const infiniteDate = 8.64e15;

type Count = number | bigint;

/** Undefined for a schema that is no date or time. */
export function temporalEncoder(schema: Schema, column: Column, settings: ValueSettings): Encoder | undefined {
  const name = schema.name ?? '';
  if (!name.startsWith('io.debezium.time.') && name !== logical.date && name !== logical.time && name !== logical.timestamp)
    return undefined;
  // The column was made by somebody who knew no such types, or wants the number.
  if (column.category === 'N') return escaped((value) => String(value instanceof Date ? numberOf(name, value) : value));
  switch (name) {
    case logical.date:
      return plain(connectDate(settings));
    case logical.time:
      return plain(connectTime(settings));
    case logical.timestamp:
      return connectTimestamp(column, settings);
  }
  return debeziumEncoder(name.slice('io.debezium.time.'.length), column, settings);
}

const numberOf = (name: string, value: Date): number =>
  name === logical.date ? Math.floor(value.getTime() / 86_400_000) : value.getTime();

function connectDate({ dateZone, julian }: ValueSettings): (value: unknown) => string {
  const offset = zoneOffset(dateZone);
  return (value) => {
    const ms = msOf(value);
    if (Math.abs(ms) === infiniteDate) return ms > 0 ? 'infinity' : '-infinity';
    return dateText(splitMs(ms + offset(ms))[0], julian);
  };
}

function connectTime({ zone }: ValueSettings): (value: unknown) => string {
  const offset = zoneOffset(zone)(0);
  return (value) => timeText(splitMs(msOf(value) + offset)[1] * 1000);
}

/** Columns without a zone get the local time in the zone of the settings, others the moment itself. */
function connectTimestamp(column: Column, { zone, julian }: ValueSettings): Encoder {
  const offset = zoneOffset(column.base === 'timestamptz' ? 'UTC' : zone);
  const text: ValueText = (value) => {
    const ms = msOf(value);
    if (Math.abs(ms) === infiniteDate) return ms > 0 ? 'infinity' : '-infinity';
    const [days, rest] = splitMs(ms + offset(ms));
    return timestampText(days, rest * 1000, julian);
  };
  return plain(text, (value, out) => {
    const ms = msOf(value);
    if (Math.abs(ms) === infiniteDate) return out.text(text(value));
    const [days, rest] = splitMs(ms + offset(ms));
    writeTimestamp(days, rest * 1000, julian, out);
  });
}

function msOf(value: unknown): number {
  const ms = value instanceof Date ? value.getTime() : Number.NaN;
  if (Number.isNaN(ms)) throw new DataError('the value is no valid date');
  return ms;
}

function debeziumEncoder(kind: string, column: Column, settings: ValueSettings): Encoder | undefined {
  switch (kind) {
    case 'Date':
      return plain((value) => infiniteDays[String(value)] ?? dateText(Number(value)));
    case 'Time':
      return plain((value) => timeText(Number(value) * 1000));
    case 'MicroTime':
      return plain((value) => timeText(Number(value)));
    case 'NanoTime':
      return plain((value) => timeText(Math.floor(Number(value) / 1000)));
    case 'Timestamp':
      return counted(
        (value) => infiniteMs[String(value)] ?? timestampText(...splitUs(BigInt(value as Count) * 1000n)),
        (value, out) => {
          const [days, ms] = splitMs(value);
          writeTimestamp(days, ms * 1000, false, out);
        },
      );
    case 'MicroTimestamp':
      return counted(
        (value) => infiniteUs[String(value)] ?? timestampText(...splitUs(value as Count)),
        (value, out) => {
          const [days, us] = splitUs(value);
          writeTimestamp(days, us, false, out);
        },
      );
    case 'NanoTimestamp':
      return plain((value) => infiniteNs[String(value)] ?? timestampText(...splitUs(floorDiv(BigInt(value as Count), 1000n))));
    case 'ZonedTimestamp':
    case 'IsoTimestamp':
      return zonedTimestamp(kind, column, settings);
    case 'ZonedTime':
      return escaped((value) => String(value));
    case 'IsoDate':
    case 'IsoTime':
      return escaped((value) => String(value).replace(/Z$/, ''));
    case 'Year':
      return plain(numberText, writeNumber);
    case 'MicroDuration':
      return plain((value) => `${numberText(value)} microseconds`);
    case 'NanoDuration':
      return plain((value) => `${floorDiv(BigInt(value as Count), 1000n)} microseconds`);
    case 'Interval':
      return escaped(String);
  }
  return undefined;
}

/** Counts that a number holds exactly need no bigints; the infinite ones are beyond these. */
function counted(text: ValueText, write: (value: number, out: ByteSink) => void): Encoder {
  const others: ValueWrite = (value, out) => out.text(text(value));
  return plain(text, (value, out) => (Number.isSafeInteger(value) ? write(value as number, out) : others(value, out)));
}

const floorDiv = (value: bigint, by: bigint): bigint => (value - (((value % by) + by) % by)) / by;

const isoMoment = /^([+-]?\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)$/;

/** Text with a zone: the moment, or where the column has none the local time in the zone of the settings; text as it is. */
function zonedTimestamp(kind: string, column: Column, { zone }: ValueSettings): Encoder {
  if (column.category === 'S') return escaped(String);
  const offset = zoneOffset(kind === 'IsoTimestamp' ? 'UTC' : zone);
  const zoneless = column.base === 'timestamp' || column.base === 'date';
  return escaped((value) => {
    const text = String(value);
    const match = isoMoment.exec(text);
    // Infinity, or a form that PostgreSQL may know better.
    if (match === null) return text;
    const [, year = '', month, day, hour, minute, second = '0', fraction = '', mark = 'Z'] = match;
    const start = new Date(0);
    start.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
    const days = start.getTime() / 86_400_000;
    const us = (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6));
    const utcUs = BigInt(days) * BigInt(dayUs) + BigInt(us) - BigInt(zoneMs(mark)) * 1000n;
    if (!zoneless) return timestampText(...splitUs(utcUs));
    return timestampText(...splitUs(utcUs + BigInt(offset(Number(utcUs / 1000n))) * 1000n));
  });
}

function zoneMs(mark: string): number {
  if (mark === 'Z') return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(mark) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** Fields of timestamp.fields.list: counts since 1970, as numbers or text. */
export function countedTimestamp(column: Column, { zone, timestampNanos }: ValueSettings): Encoder {
  const offset = zoneOffset(column.base === 'timestamptz' ? 'UTC' : zone);
  return plain((value) => {
    let count: bigint;
    try {
      count = BigInt(typeof value === 'string' ? value.trim() : (value as Count));
    } catch (cause) {
      throw new DataError(`"${String(value)}" does not count since 1970, as timestamp.fields.list says.`, { cause });
    }
    const us = timestampNanos ? floorDiv(count, 1000n) : count;
    return timestampText(...splitUs(us + BigInt(offset(Number(us / 1000n))) * 1000n));
  });
}
