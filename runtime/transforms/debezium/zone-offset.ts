/** Offsets of time zones, as java.time.zone.ZoneRules tells them. */

export interface ZoneOffsets {
  /** In ms, at a moment. */
  at(epochMs: number): number;
  /** In ms, for a wall clock's time (as ms since 1970, in UTC): the earlier of two; in a gap the one before it. */
  ofLocal(localMs: number): number;
}

const fixed = /^([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/;
const dayMs = 86_400_000;

/** Of `Europe/Paris` or `+08:00`; undefined for what is none. */
export function zoneOffsets(zone: string): ZoneOffsets | undefined {
  const parts = fixed.exec(zone);
  if (parts !== null) {
    const [, sign, hours, minutes, seconds = '0'] = parts;
    const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 * (sign === '-' ? -1 : 1);
    return { at: () => ms, ofLocal: () => ms };
  }
  const format = formatOf(zone);
  if (format === undefined) return undefined;
  const at = (epochMs: number): number => {
    const found = Object.fromEntries(format.formatToParts(epochMs).map(({ type, value }) => [type, Number(value)]));
    const wall = Date.UTC(found['year'] ?? 0, (found['month'] ?? 1) - 1, found['day'], found['hour'], found['minute'], found['second']);
    return wall - Math.floor(epochMs / 1000) * 1000;
  };
  return {
    at,
    ofLocal(localMs) {
      const [before, after] = [at(localMs - dayMs), at(localMs + dayMs)];
      if (before === after || at(localMs - before) === before) return before;
      return at(localMs - after) === after ? after : before;
    },
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    const number = 'numeric';
    return new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: number,
      month: number,
      day: number,
      hour: number,
      minute: number,
      second: number,
    });
  } catch {
    return undefined;
  }
}

/** `+02:00`, `Z` for none, seconds where there are any. */
export function offsetText(ms: number): string {
  if (ms === 0) return 'Z';
  const seconds = Math.abs(ms) / 1000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const text = `${ms < 0 ? '-' : '+'}${two(seconds / 3600)}:${two((seconds / 60) % 60)}`;
  return seconds % 60 === 0 ? text : `${text}:${two(seconds % 60)}`;
}
