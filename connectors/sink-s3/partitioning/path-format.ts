/** Folders from times: patterns as Joda-Time's DateTimeFormat reads them, in which YYYY is the year of the era. */
import type { TimeZone } from './time-zone.ts';

/** `localMs`: the local time, as if it were UTC. */
export type PathFormat = (localMs: number, offsetMs: number) => string;

type Piece = (date: Date, localMs: number, offsetMs: number) => string;

const dayMs = 86_400_000;

/** Throws a RangeError that says which letter of the pattern has no meaning. */
export function pathFormat(pattern: string, locale: string, zone: TimeZone): PathFormat {
  const pieces = tokens(pattern).map(({ letter, text }) => (letter ? piece(text, locale, zone) : () => text));
  return (localMs, offsetMs) => {
    const date = new Date(localMs);
    let path = '';
    for (const each of pieces) path += each(date, localMs, offsetMs);
    return path;
  };
}

function tokens(pattern: string): { letter: boolean; text: string }[] {
  const found: { letter: boolean; text: string }[] = [];
  for (const [token] of pattern.matchAll(/'(?:[^']|'')*'?|([A-Za-z])\1*|[^A-Za-z']+/g)) {
    if (token === "''") found.push({ letter: false, text: "'" });
    else if (token.startsWith("'")) found.push({ letter: false, text: token.replace(/^'|'$/g, '').replaceAll("''", "'") });
    else found.push({ letter: /^[A-Za-z]/.test(token), text: token });
  }
  return found;
}

function piece(token: string, locale: string, zone: TimeZone): Piece {
  const count = token.length;
  const number =
    (value: (date: Date) => number): Piece =>
    (date) =>
      padded(value(date), count);
  const name = (options: Intl.DateTimeFormatOptions): Piece => {
    const format = new Intl.DateTimeFormat(localeTag(locale), { ...options, timeZone: 'UTC' });
    return (date) => format.format(date);
  };
  const width = count >= 4 ? 'long' : 'short';
  switch (token[0]) {
    case 'Y':
    case 'y':
      return count === 2 ? number((date) => mod(date.getUTCFullYear(), 100)) : number((date) => date.getUTCFullYear());
    case 'x':
      return count === 2 ? number((date) => mod(isoWeek(date).year, 100)) : number((date) => isoWeek(date).year);
    case 'w':
      return number((date) => isoWeek(date).week);
    case 'C':
      return number((date) => Math.trunc(date.getUTCFullYear() / 100));
    case 'G':
      return () => 'AD';
    case 'M':
      return count >= 3 ? name({ month: width }) : number((date) => date.getUTCMonth() + 1);
    case 'D':
      return number((date) => Math.floor((startOfUtcDay(date) - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs) + 1);
    case 'd':
      return number((date) => date.getUTCDate());
    case 'E':
      return name({ weekday: width });
    case 'e':
      return number((date) => mod(date.getUTCDay() - 1, 7) + 1);
    case 'a':
      return (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM');
    case 'H':
      return number((date) => date.getUTCHours());
    case 'k':
      return number((date) => date.getUTCHours() || 24);
    case 'K':
      return number((date) => date.getUTCHours() % 12);
    case 'h':
      return number((date) => date.getUTCHours() % 12 || 12);
    case 'm':
      return number((date) => date.getUTCMinutes());
    case 's':
      return number((date) => date.getUTCSeconds());
    case 'S':
      return (date) => padded(date.getUTCMilliseconds(), 3).padEnd(count, '0').slice(0, count);
    case 'Z':
      return count >= 3 ? () => zone.id : (_date, _local, offsetMs) => offsetText(offsetMs, count === 2 ? ':' : '');
    case 'z':
      return zoneName(locale, zone, width);
    default:
      throw new RangeError(`Illegal pattern component: ${token}`);
  }
}

function zoneName(locale: string, zone: TimeZone, width: 'long' | 'short'): Piece {
  const format = new Intl.DateTimeFormat(localeTag(locale), { timeZone: zone.id, timeZoneName: width });
  return (_date, localMs, offsetMs) =>
    format.formatToParts(localMs - offsetMs).find(({ type }) => type === 'timeZoneName')?.value ?? zone.id;
}

function offsetText(offsetMs: number, colon: string): string {
  const minutes = Math.trunc(Math.abs(offsetMs) / 60_000);
  return `${offsetMs < 0 ? '-' : '+'}${padded(Math.trunc(minutes / 60), 2)}${colon}${padded(minutes % 60, 2)}`;
}

/** The week of the ISO 8601 calendar, and the year that it belongs to. */
function isoWeek(date: Date): { year: number; week: number } {
  const thursday = new Date(startOfUtcDay(date) + (3 - mod(date.getUTCDay() - 1, 7)) * dayMs);
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * dayMs)) + 1 };
}

const startOfUtcDay = (date: Date): number => Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());

const mod = (value: number, by: number): number => ((value % by) + by) % by;

function padded(value: number, digits: number): string {
  const text = String(Math.abs(value)).padStart(digits, '0');
  return value < 0 ? `-${text}` : text;
}

/** Java's `en_US` is `en-US` elsewhere; what no locale has falls back to English, as Java's root locale does. */
function localeTag(locale: string): string {
  try {
    return Intl.getCanonicalLocales(locale.replaceAll('_', '-'))[0] ?? 'en';
  } catch {
    return 'en';
  }
}
