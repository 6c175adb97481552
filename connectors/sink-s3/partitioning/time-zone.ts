/** Offsets of time zones, as Joda-Time's DateTimeZone knows them: by long name, UTC, or +01:00. */

/** Milliseconds to add to a UTC time to get the local one. */
export type ZoneOffset = (utcMs: number) => number;

export interface TimeZone {
  readonly id: string;
  readonly offsetAt: ZoneOffset;
}

const quarterMs = 15 * 60_000;
/** Offsets that are kept; more are a sign of records all over time. */
const mostKept = 10_000;

export function isTimeZone(id: string): boolean {
  try {
    timeZone(id);
    return true;
  } catch {
    return false;
  }
}

/** Throws a RangeError for a zone that is unknown. */
export function timeZone(id: string): TimeZone {
  const fixed = fixedOffset(id);
  return { id, offsetAt: fixed === undefined ? namedZone(id) : () => fixed };
}

function fixedOffset(id: string): number | undefined {
  if (id === 'UTC' || id === 'Z') return 0;
  const match = /^([+-])(\d{2})(?::?(\d{2}))?(?::?(\d{2}))?$/.exec(id);
  if (match === null) return undefined;
  const [, sign, hours, minutes = '0', seconds = '0'] = match;
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -size : size;
}

function namedZone(timeZoneId: string): ZoneOffset {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timeZoneId,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const exact = (utcMs: number): number => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(utcMs)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(utcMs / 1000) * 1000;
  };
  // Zones change at quarters of an hour: one question answers for all records of that quarter.
  const kept = new Map<number, number>();
  return (utcMs) => {
    const quarter = Math.floor(utcMs / quarterMs);
    let offset = kept.get(quarter);
    if (offset === undefined) {
      if (kept.size >= mostKept) kept.clear();
      offset = exact(quarter * quarterMs);
      kept.set(quarter, offset);
    }
    return offset;
  };
}

const dayMs = 24 * 3_600_000;

/** The next multiple of the interval since the local midnight; the next midnight where that comes first. */
export function nextScheduled(nowMs: number, intervalMs: number, { offsetAt }: TimeZone): number {
  const midnight = startOfDay(nowMs, offsetAt);
  // Noon of the next day, whatever the clocks do between; its midnight ends this day.
  const nextMidnight = startOfDay(midnight + 1.5 * dayMs, offsetAt);
  const next = midnight + (Math.floor((nowMs - midnight) / intervalMs) + 1) * intervalMs;
  return Math.min(next, nextMidnight);
}

function startOfDay(utcMs: number, offsetAt: ZoneOffset): number {
  const local = utcMs + offsetAt(utcMs);
  const localMidnight = local - (((local % dayMs) + dayMs) % dayMs);
  const guess = localMidnight - offsetAt(utcMs);
  return localMidnight - offsetAt(guess);
}
