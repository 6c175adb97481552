import { ConfigError, DataError } from '../api/index.ts';

/** java.text.SimpleDateFormat in UTC, English: the letters that configs use. */
export interface DateFormat {
  format(date: Date): string;
  /** Throws a DataError for text that does not follow the pattern. */
  parse(text: string): Date;
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

interface Part {
  readonly print: (date: Date) => string;
  /** What the text of this part looks like, and what it says of the date. */
  readonly expression: string;
  readonly take: (text: string, fields: Fields) => void;
}

interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  afternoon: boolean | undefined;
  offsetMinutes: number;
}

/** Throws a ConfigError for a letter that it does not know. */
export function dateFormat(pattern: string): DateFormat {
  const parts = split(pattern);
  const expression = new RegExp(`^${parts.map((part) => `(${part.expression})`).join('')}$`, 'i');
  return {
    format: (date) => parts.map((part) => part.print(date)).join(''),
    parse(text) {
      const match = expression.exec(text);
      if (match === null)
        throw new DataError(`Could not parse timestamp: value (${text.slice(0, 100)}) does not match pattern (${pattern})`);
      const fields: Fields = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, ms: 0, afternoon: undefined, offsetMinutes: 0 };
      parts.forEach((part, i) => part.take(match[i + 1] ?? '', fields));
      const hour = fields.afternoon === undefined ? fields.hour : (fields.hour % 12) + (fields.afternoon ? 12 : 0);
      const date = new Date(0);
      date.setUTCFullYear(fields.year, fields.month - 1, fields.day);
      date.setUTCHours(hour, fields.minute - fields.offsetMinutes, fields.second, fields.ms);
      return date;
    },
  };
}

function split(pattern: string): Part[] {
  const parts: Part[] = [];
  for (const [token] of pattern.matchAll(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+|'/g)) {
    if (token.startsWith("'")) {
      if (token.length === 1) throw new ConfigError(`date pattern "${pattern}": a quote is not closed`);
      parts.push(literal(token === "''" ? "'" : token.slice(1, -1).replaceAll("''", "'")));
    } else if (/^[A-Za-z]/.test(token)) parts.push(letters(token, pattern));
    else parts.push(literal(token));
  }
  return parts;
}

function literal(text: string): Part {
  return { print: () => text, expression: text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), take: () => {} };
}

function digits(width: number, print: (date: Date) => number, set: (fields: Fields, value: number) => void): Part {
  return {
    print: (date) => String(print(date)).padStart(width, '0'),
    expression: width > 1 ? `\\d{${width}}` : '\\d+',
    take: (text, fields) => set(fields, Number(text)),
  };
}

function letters(token: string, pattern: string): Part {
  const width = token.length;
  switch (token[0]) {
    case 'y':
    case 'u':
      if (width === 2) {
        return digits(
          2,
          (date) => date.getUTCFullYear() % 100,
          (fields, value) => (fields.year = value + (value < 70 ? 2000 : 1900)),
        );
      }
      return digits(
        width,
        (date) => date.getUTCFullYear(),
        (fields, value) => (fields.year = value),
      );
    case 'M':
    case 'L':
      if (width >= 3)
        return names(
          months,
          width,
          (date) => date.getUTCMonth(),
          (fields, index) => (fields.month = index + 1),
        );
      return digits(
        width,
        (date) => date.getUTCMonth() + 1,
        (fields, value) => (fields.month = value),
      );
    case 'd':
      return digits(
        width,
        (date) => date.getUTCDate(),
        (fields, value) => (fields.day = value),
      );
    case 'D':
      return digits(
        width,
        (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / 86_400_000) + 1,
        (fields, value) => (fields.day = value),
      );
    case 'E':
      return names(
        days,
        width,
        (date) => date.getUTCDay(),
        () => {},
      );
    case 'H':
      return digits(
        width,
        (date) => date.getUTCHours(),
        (fields, value) => (fields.hour = value),
      );
    case 'k':
      return digits(
        width,
        (date) => date.getUTCHours() || 24,
        (fields, value) => (fields.hour = value % 24),
      );
    case 'h':
      return digits(
        width,
        (date) => date.getUTCHours() % 12 || 12,
        (fields, value) => (fields.hour = value),
      );
    case 'K':
      return digits(
        width,
        (date) => date.getUTCHours() % 12,
        (fields, value) => (fields.hour = value),
      );
    case 'm':
      return digits(
        width,
        (date) => date.getUTCMinutes(),
        (fields, value) => (fields.minute = value),
      );
    case 's':
      return digits(
        width,
        (date) => date.getUTCSeconds(),
        (fields, value) => (fields.second = value),
      );
    case 'S':
      return digits(
        width,
        (date) => date.getUTCMilliseconds(),
        (fields, value) => (fields.ms = value),
      );
    case 'a':
      return {
        print: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
        expression: 'am|pm',
        take: (text, fields) => (fields.afternoon = text.toLowerCase() === 'pm'),
      };
    case 'z':
      return zone('UTC');
    case 'Z':
      return zone('+0000');
    case 'X':
      return zone('Z');
    default:
      throw new ConfigError(`date pattern "${pattern}": "${token}" is not supported`);
  }
}

function names(all: readonly string[], width: number, print: (date: Date) => number, set: (fields: Fields, index: number) => void): Part {
  return {
    print: (date) => {
      const name = all[print(date)] ?? '';
      return width > 3 ? name : name.slice(0, 3);
    },
    expression: all.map((name) => `${name.slice(0, 3)}(?:${name.slice(3)})?`).join('|'),
    take: (text, fields) =>
      set(
        fields,
        all.findIndex((name) => name.slice(0, 3).toLowerCase() === text.slice(0, 3).toLowerCase()),
      ),
  };
}

function zone(utc: string): Part {
  return {
    print: () => utc,
    expression: 'UTC|GMT|Z|[+-]\\d{2}:?(?:\\d{2})?',
    take(text, fields) {
      const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(text);
      if (match === null) return;
      fields.offsetMinutes = (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3] ?? 0));
    },
  };
}
