/**
 * PostgreSQL's ISO dates and times, read from bytes without a string between. What was read stands in module
 * variables rather than in an object for each value; a reader takes it at once.
 */
import { DataError } from '@millrace/runtime/api';

import { asciiText } from './value-type.ts';

export const dayMs = 86_400_000;
export const dayUs = 86_400_000_000;

/** Days since 1970-01-01, proleptic Gregorian, of the date read last. */
export let readDays = 0;
/** Its year (0 is 1 BC), month and day. */
export let readYear = 0;
export let readMonth = 0;
export let readDay = 0;
/** Microseconds since midnight, of the time read last. */
export let readUs = 0;
/** Seconds east of Greenwich, of the zone read last. */
export let readZone = 0;

/** 1: `infinity`, -1: `-infinity`, 0: neither. */
export function infinityOf(bytes: Uint8Array, start: number): number {
  if (bytes[start] === 0x69) return 1;
  return bytes[start] === 0x2d && bytes[start + 1] === 0x69 ? -1 : 0;
}

/** `2024-02-29`, any number of year digits, with ` BC` at the end of the value for years before 1. */
export function readDate(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let year = 0;
  for (; at < end && bytes[at] !== 0x2d; at++) year = year * 10 + digit(bytes, at, start, end);
  const month = digit(bytes, at + 1, start, end) * 10 + digit(bytes, at + 2, start, end);
  const day = digit(bytes, at + 4, start, end) * 10 + digit(bytes, at + 5, start, end);
  if (bytes[end - 1] === 0x43) year = 1 - year;
  readYear = year;
  readMonth = month;
  readDay = day;
  readDays = daysOf(year, month, day);
  return at + 6;
}

/** `13:14:15.123456`; returns where it ends. */
export function readTime(bytes: Uint8Array, start: number, end: number): number {
  const hours = digit(bytes, start, start, end) * 10 + digit(bytes, start + 1, start, end);
  const minutes = digit(bytes, start + 3, start, end) * 10 + digit(bytes, start + 4, start, end);
  const seconds = digit(bytes, start + 6, start, end) * 10 + digit(bytes, start + 7, start, end);
  let at = start + 8;
  let micros = 0;
  if (at < end && bytes[at] === 0x2e) {
    let unit = 100_000;
    for (at++; at < end; at++, unit /= 10) {
      const byte = (bytes[at] as number) - 0x30;
      if (byte < 0 || byte > 9) break;
      micros += byte * unit;
    }
  }
  readUs = (hours * 3600 + minutes * 60 + seconds) * 1_000_000 + micros;
  return at;
}

/** `2024-02-29 13:14:15.123456`, perhaps with a zone, perhaps ` BC`. */
export function readTimestamp(bytes: Uint8Array, start: number, end: number): void {
  const at = readTime(bytes, readDate(bytes, start, end) + 1, end);
  readZoneAt(bytes, at, end);
}

/** `+02`, `-05:30`, `+00:19:32`, or nothing. */
export function readZoneAt(bytes: Uint8Array, start: number, end: number): void {
  const sign = bytes[start];
  readZone = 0;
  if (start >= end || (sign !== 0x2b && sign !== 0x2d)) return;
  let unit = 3600;
  for (let at = start + 1; at + 1 < end && unit >= 1; at += 3, unit /= 60) {
    readZone += (digit(bytes, at, start, end) * 10 + digit(bytes, at + 1, start, end)) * unit;
    if (bytes[at + 2] !== 0x3a) break;
  }
  if (sign === 0x2d) readZone = -readZone;
}

/** Takes the zone off what was read: days and time are in UTC then. */
export function toUtc(): void {
  if (readZone === 0) return;
  readUs -= readZone * 1_000_000;
  while (readUs < 0) {
    readUs += dayUs;
    readDays--;
  }
  while (readUs >= dayUs) {
    readUs -= dayUs;
    readDays++;
  }
}

function digit(bytes: Uint8Array, at: number, start: number, end: number): number {
  const value = at < end ? (bytes[at] as number) - 0x30 : -1;
  if (value >= 0 && value <= 9) return value;
  throw new DataError(`"${asciiText(bytes, start, end)}" is not a date or time in PostgreSQL's ISO format`);
}

/** Howard Hinnant's days_from_civil. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** The same day as `2024-02-29`, as Java's ISO formatter writes it: `-0043-03-15`, `+20000-01-01`. */
export function dateText(days: number): string {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const day = doy - Math.floor((153 * mp + 2) / 5) + 1;
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const digits = String(Math.abs(year)).padStart(4, '0');
  const sign = year < 0 ? '-' : year > 9999 ? '+' : '';
  return `${sign}${digits}-${two(month)}-${two(day)}`;
}

/** `13:14:15` and so many fraction digits; 'trim' drops trailing zeros. */
export function timeText(us: number, digits: number | 'trim'): string {
  const seconds = Math.floor(us / 1_000_000);
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = String(us % 1_000_000).padStart(6, '0');
  const shown = digits === 'trim' ? fraction.replace(/0+$/, '') : fraction.slice(0, digits);
  return shown === '' ? clock : `${clock}.${shown}`;
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));
