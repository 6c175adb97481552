import { dateSchema, schemaOf, timeSchema, timestampSchema } from '@millrace/runtime/api';

import {
  dateText,
  dayMs,
  dayUs,
  infinityOf,
  readDate,
  readDays,
  readTime,
  readTimestamp,
  readUs,
  readZoneAt,
  timeText,
  toUtc,
} from './civil.ts';
import { asciiText, valueType } from './value-type.ts';
import type { Decode, ValueSettings, ValueType } from './value-type.ts';

// What Debezium streams for PostgreSQL's infinite dates and timestamps.
const infiniteDays = [-2_147_472_691, 0, -2_147_472_692];
const infiniteUs = [-9_223_372_036_832_400_000n, 0n, 9_223_372_036_825_200_000n];
const infiniteTimes = ['-290308-12-21T19:59:27.6Z', '', '+294247-01-10T04:00:25.2Z'];
const infiniteDates = [new Date(-8.64e15), new Date(0), new Date(8.64e15)];

const int32 = (name: string) => schemaOf('int32', { name: `io.debezium.time.${name}`, version: 1 });
const int64 = (name: string) => schemaOf('int64', { name: `io.debezium.time.${name}`, version: 1 });
const text = (name: string) => schemaOf('string', { name: `io.debezium.time.${name}`, version: 1 });

export function dateType({ times }: ValueSettings): ValueType {
  if (times === 'connect') {
    return valueType(
      dateSchema(),
      'other',
      (bytes, start, end) => {
        const infinity = infinityOf(bytes, start);
        if (infinity !== 0) return infiniteDates[infinity + 1];
        readDate(bytes, start, end);
        return new Date(readDays * dayMs);
      },
      new Date(0),
    );
  }
  if (times === 'isostring') {
    return valueType(
      text('IsoDate'),
      'other',
      (bytes, start, end) => {
        if (infinityOf(bytes, start) !== 0) return asciiText(bytes, start, end);
        readDate(bytes, start, end);
        return `${dateText(readDays)}Z`;
      },
      '1970-01-01Z',
    );
  }
  return valueType(
    int32('Date'),
    'other',
    (bytes, start, end) => {
      const infinity = infinityOf(bytes, start);
      if (infinity !== 0) return infiniteDays[infinity + 1];
      readDate(bytes, start, end);
      return readDays;
    },
    0,
  );
}

/** `typmod` is the number of fraction digits, or -1 for six. */
export function timeType(typmod: number, { times }: ValueSettings): ValueType {
  const coarse = typmod >= 0 && typmod <= 3;
  switch (times) {
    case 'connect':
      return valueType(
        timeSchema(),
        'other',
        time(() => new Date(Math.floor(readUs / 1000))),
        new Date(0),
      );
    case 'isostring':
      return valueType(
        text('IsoTime'),
        'other',
        time(() => `${timeText(readUs % dayUs, 'trim')}Z`),
        '00:00:00Z',
      );
    case 'nanoseconds':
      return valueType(
        int64('NanoTime'),
        'other',
        time(() => readUs * 1000),
        0,
      );
    case 'adaptive':
      if (coarse)
        return valueType(
          int32('Time'),
          'other',
          time(() => Math.floor(readUs / 1000)),
          0,
        );
  }
  return valueType(
    int64('MicroTime'),
    'other',
    time(() => readUs),
    0,
  );
}

function time(value: () => unknown): Decode {
  return (bytes, start, end) => {
    readTime(bytes, start, end);
    return value();
  };
}

/** As for {@link timeType}. */
export function timestampType(typmod: number, { times }: ValueSettings): ValueType {
  const coarse = typmod >= 0 && typmod <= 3;
  switch (times) {
    case 'connect':
      return valueType(
        timestampSchema(),
        'other',
        timestamp(
          () => new Date(readMs()),
          (side) => infiniteDates[side],
        ),
        new Date(0),
      );
    case 'isostring':
      return valueType(
        text('IsoTimestamp'),
        'other',
        timestamp(
          () => `${dateText(readDays)}T${timeText(readUs, 'trim')}Z`,
          (side) => infiniteTimes[side],
        ),
        '1970-01-01T00:00:00Z',
      );
    case 'nanoseconds':
      return valueType(
        int64('NanoTimestamp'),
        'other',
        timestamp(nanoseconds, (side) => BigInt.asIntN(64, (infiniteUs[side] as bigint) * 1000n)),
        0,
      );
    case 'adaptive':
    case 'adaptive_time_microseconds':
      if (coarse)
        return valueType(
          int64('Timestamp'),
          'other',
          timestamp(readMs, (side) => (infiniteUs[side] as bigint) / 1000n),
          0,
        );
  }
  return valueType(
    int64('MicroTimestamp'),
    'other',
    timestamp(microseconds, (side) => infiniteUs[side]),
    0,
  );
}

function timestamp(value: () => unknown, infinite: (side: number) => unknown): Decode {
  return (bytes, start, end) => {
    const infinity = infinityOf(bytes, start);
    if (infinity !== 0) return infinite(infinity + 1);
    readTimestamp(bytes, start, end);
    return value();
  };
}

const readMs = (): number => readDays * dayMs + Math.floor(readUs / 1000);

function microseconds(): number | bigint {
  const value = readDays * dayUs + readUs;
  return Number.isSafeInteger(value) ? value : BigInt(readDays) * BigInt(dayUs) + BigInt(readUs);
}

const nanoseconds = (): bigint => BigInt.asIntN(64, BigInt(microseconds()) * 1000n);

/** io.debezium.time.ZonedTimestamp: in UTC, with as many fraction digits as the column has. */
export function timestamptzType(typmod: number): ValueType {
  const digits = typmod < 0 ? 6 : typmod;
  const decode: Decode = (bytes, start, end) => {
    if (infinityOf(bytes, start) !== 0) return asciiText(bytes, start, end);
    readTimestamp(bytes, start, end);
    toUtc();
    return `${dateText(readDays)}T${timeText(readUs, digits)}Z`;
  };
  const generated = `1970-01-01T${timeText(0, digits)}Z`;
  // Debezium reads no infinite default.
  const literal: Decode = (bytes, start, end) => {
    if (infinityOf(bytes, start) !== 0) return null;
    readTimestamp(bytes, start, end);
    toUtc();
    // It has not gone through the column: digits beyond its are still there.
    const time = timeText(readUs, 6);
    const spare = new RegExp(`${digits === 0 ? '\\.?' : ''}0{0,${6 - digits}}$`);
    return `${dateText(readDays)}T${time.replace(spare, '')}Z`;
  };
  return valueType(text('ZonedTimestamp'), 'other', decode, '1970-01-01T00:00:00Z', { generated, literal });
}

/** io.debezium.time.ZonedTime: in UTC. */
export const timetzType: ValueType = valueType(
  text('ZonedTime'),
  'other',
  (bytes, start, end) => {
    readZoneAt(bytes, readTime(bytes, start, end), end);
    toUtc();
    return `${timeText(readUs % dayUs, 'trim')}Z`;
  },
  '00:00:00Z',
  // Debezium reads no defaults of it.
  { generated: undefined },
);

const monthUs = 2_629_800_000_000n; // 30.4375 days

/** Intervals in PostgreSQL's own style: `-1 years -2 mons +3 days -04:05:06.789`. */
export function intervalType({ intervals }: ValueSettings): ValueType {
  if (intervals === 'string') {
    return valueType(text('Interval'), 'other', (b, s, e) => isoInterval(asciiText(b, s, e)), 'P0Y0M0DT0H0M0S');
  }
  return valueType(
    int64('MicroDuration'),
    'other',
    (bytes, start, end) => {
      const { years, months, days, sign, hours, minutes, seconds, micros } = intervalParts(asciiText(bytes, start, end));
      const clock = sign * ((hours * 60n + minutes) * 60n + seconds) * 1_000_000n + sign * micros;
      const total = (years * 12n + months) * monthUs + days * BigInt(dayUs) + clock;
      const number = Number(total);
      return Number.isSafeInteger(number) ? number : total;
    },
    0,
  );
}

function isoInterval(value: string): string {
  const { years, months, days, sign, hours, minutes, seconds, micros } = intervalParts(value);
  const minus = sign < 0n && (seconds > 0n || micros > 0n) ? '-' : '';
  const fraction = micros === 0n ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
  return `P${years}Y${months}M${days}DT${sign * hours}H${sign * minutes}M${minus}${seconds}${fraction}S`;
}

function intervalParts(value: string) {
  const unit = (name: string): bigint => BigInt(new RegExp(`([+-]?\\d+) ${name}s?`).exec(value)?.[1]?.replace('+', '') ?? 0);
  const clock = /([+-]?)(\d+):(\d+):(\d+)(?:\.(\d+))?/.exec(value);
  const part = (index: number): bigint => BigInt(clock?.[index] ?? 0);
  return {
    years: unit('year'),
    months: unit('mon'),
    days: unit('day'),
    sign: clock?.[1] === '-' ? -1n : 1n,
    hours: part(2),
    minutes: part(3),
    seconds: part(4),
    micros: BigInt((clock?.[5] ?? '').padEnd(6, '0')),
  };
}
