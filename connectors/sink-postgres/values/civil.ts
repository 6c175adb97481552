/** Days and times as PostgreSQL reads them. */
import type { ByteSink } from '@millrace/runtime/api';

import { writeDigits } from './digits.ts';

const dayMs = 86_400_000;
/** 1582-10-15, the first day that Java's older classes count in the Gregorian calendar. */
const gregorianDay = -141_427;

const pairs = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));
const two = (value: number): string => pairs[value] as string;

/** Days since 1970 as `2020-01-31`, or `0044-03-15 BC` in two parts. Hinnant's civil_from_days. */
function civil(days: number, julian: boolean): { readonly date: string; readonly era: string } {
  let year: number;
  let month: number;
  let day: number;
  if (julian && days < gregorianDay) {
    // Richards' algorithm for the Julian calendar, from the Julian day number.
    const f = days + 2_440_588 + 1401;
    const e = 4 * f + 3;
    const h = 5 * Math.floor((((e % 1461) + 1461) % 1461) / 4) + 2;
    day = Math.floor((h % 153) / 5) + 1;
    month = ((Math.floor(h / 153) + 2) % 12) + 1;
    year = Math.floor(e / 1461) - 4716 + Math.floor((14 - month) / 12);
  } else {
    const z = days + 719_468;
    const era = Math.floor(z / 146_097);
    const doe = z - era * 146_097;
    const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
    const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
    const mp = Math.floor((5 * doy + 2) / 153);
    day = doy - Math.floor((153 * mp + 2) / 5) + 1;
    month = mp < 10 ? mp + 3 : mp - 9;
    year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  }
  const shown = year > 0 ? year : 1 - year;
  return { date: `${String(shown).padStart(4, '0')}-${two(month)}-${two(day)}`, era: year > 0 ? '' : ' BC' };
}

export function dateText(days: number, julian = false): string {
  const { date, era } = civil(days, julian);
  return date + era;
}

/** Microseconds of a day as `12:34:56.000001`; 24:00:00 is a time in PostgreSQL too. */
export function timeText(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  const fraction = us - seconds * 1_000_000;
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (fraction === 0) return clock;
  return fraction % 1000 === 0
    ? `${clock}.${String(1000 + fraction / 1000).slice(1)}`
    : `${clock}.${String(1_000_000 + fraction).slice(1)}`;
}

/** A day and the microseconds in it as `2020-01-31 12:34:56.5`. */
export function timestampText(days: number, us: number, julian = false): string {
  const { date, era } = civil(days, julian);
  return `${date} ${timeText(us)}${era}`;
}

/** The day that was written last: those of rows that follow each other are often the same. */
let lastDay = { days: Number.NaN, julian: false, ...civil(0, false) };

/** As `timestampText`, without making it. */
export function writeTimestamp(days: number, us: number, julian: boolean, out: ByteSink): void {
  if (days !== lastDay.days || julian !== lastDay.julian) lastDay = { days, julian, ...civil(days, julian) };
  out.text(lastDay.date);
  out.ensure(16);
  const seconds = Math.floor(us / 1_000_000);
  const fraction = us - seconds * 1_000_000;
  out.byte(0x20);
  writeDigits(out, Math.floor(seconds / 3600), 2);
  out.byte(0x3a);
  writeDigits(out, Math.floor(seconds / 60) % 60, 2);
  out.byte(0x3a);
  writeDigits(out, seconds % 60, 2);
  if (fraction > 0) {
    out.byte(0x2e);
    if (fraction % 1000 === 0) writeDigits(out, fraction / 1000, 3);
    else writeDigits(out, fraction, 6);
  }
  out.text(lastDay.era);
}

/** Milliseconds since 1970 into days and the milliseconds of the day. */
export function splitMs(ms: number): readonly [days: number, ms: number] {
  const days = Math.floor(ms / dayMs);
  return [days, ms - days * dayMs];
}

/** Microseconds since 1970 into days and the microseconds of the day; exact for bigints. */
export function splitUs(us: number | bigint): readonly [days: number, us: number] {
  const dayUs = dayMs * 1000;
  if (typeof us === 'number' && Number.isSafeInteger(us)) {
    const days = Math.floor(us / dayUs);
    return [days, us - days * dayUs];
  }
  const whole = BigInt(us);
  const rest = ((whole % BigInt(dayUs)) + BigInt(dayUs)) % BigInt(dayUs);
  return [Number((whole - rest) / BigInt(dayUs)), Number(rest)];
}

const quarterHourMs = 900_000;

/** The offset of a zone from UTC at a moment, in ms; remembered for each quarter of an hour, in which it cannot change. */
export function zoneOffset(zone: string): (ms: number) => number {
  if (zone === 'UTC' || zone === 'Z' || zone === 'GMT' || zone === 'Etc/UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const known = new Map<number, number>();
  return (ms) => {
    const quarter = Math.floor(ms / quarterHourMs);
    let offset = known.get(quarter);
    if (offset === undefined) {
      const at = quarter * quarterHourMs;
      const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
      const part = (name: string): number => Number(parts[name] ?? 0);
      const year = parts['era'] === 'BC' ? 1 - part('year') : part('year');
      const local = new Date(0);
      local.setUTCFullYear(year, part('month') - 1, part('day'));
      local.setUTCHours(part('hour'), part('minute'), part('second'));
      offset = local.getTime() - at;
      if (known.size >= 10_000) known.clear();
      known.set(quarter, offset);
    }
    return offset;
  };
}
