/**
 * Whole numbers that a double may not hold, kept whole through the platform's JSON parser: they go in as texts with
 * a mark, and come out as bigints. That takes a quarter less time than a parser of our own; a reviver takes more than
 * twice as long.
 */

/** A control character that texts hardly hold; its escape has one spelling only. */
const mark = '\u0080';
const escapedMark = '\\u0080';

/** The shortest run of digits that a double may not hold: 2^53 is 9007199254740992. */
const longRun = 16;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** A run of digits that is 2^53 or more, however it is used; microseconds since 1970 have 16 digits too, and fit. */
const isLong = (text: string, start: number, end: number): boolean =>
  end - start > longRun || (end - start === longRun && text.charCodeAt(start) === 0x39);

/**
 * The text with each long whole number that stands where a value may stand put in quotes, with a mark; the very same
 * text where there is none, undefined where the mark itself occurs. A number within a string may be quoted too: the
 * result is no JSON then, since after the string's new end comes the mark. It looks at every 16th character only,
 * since each such run covers one of these.
 */
export function markLongNumbers(text: string): string | undefined {
  const { length } = text;
  let marked = '';
  let copied = 0;
  for (let probe = longRun - 1; probe < length;) {
    let end = probe;
    while (end < length && isDigit(text.charCodeAt(end))) end++;
    if (end === probe) {
      probe += longRun;
      continue;
    }
    let start = probe;
    while (start > copied && isDigit(text.charCodeAt(start - 1))) start--;
    if (isLong(text, start, end)) {
      if (text.charCodeAt(start - 1) === 0x2d) start--;
      if (mayBeValue(text, start, end)) {
        marked += `${text.slice(copied, start)}"${mark}${text.slice(start, end)}"`;
        copied = end;
      }
    }
    probe = end + longRun;
  }
  if (copied === 0) return text;
  return text.includes(mark) || text.includes(escapedMark) ? undefined : marked + text.slice(copied);
}

/** Whether the number at `start` is a JSON value of its own: no fraction, no exponent, no leading zero, no key. */
function mayBeValue(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start) === 0x2d ? start + 1 : start;
  if (text.charCodeAt(first) === 0x30) return false;
  // What stands before a value: nothing, or one of : , [ and spaces; after it nothing, or one of , ] } and spaces.
  const before = start === 0 ? 0x20 : text.charCodeAt(start - 1);
  if (before !== 0x3a && before !== 0x2c && before !== 0x5b && !isSpace(before)) return false;
  let next = end;
  while (next < text.length && isSpace(text.charCodeAt(next))) next++;
  const after = next === text.length ? 0x2c : text.charCodeAt(next);
  return after === 0x2c || after === 0x5d || after === 0x7d;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

/** What was marked, as bigints (as numbers where these hold them), in place. */
export function unmarkLongNumbers(json: unknown): unknown {
  if (typeof json === 'string') return json.charCodeAt(0) === 0x80 ? wholeOf(json) : json;
  if (typeof json === 'object' && json !== null) unmarkWithin(json);
  return json;
}

function unmarkWithin(json: object): void {
  if (Array.isArray(json)) unmarkItems(json);
  else unmarkFields(json as Record<string, unknown>);
}

function unmarkItems(items: unknown[]): void {
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (typeof item === 'string') {
      if (item.charCodeAt(0) === 0x80) items[i] = wholeOf(item);
    } else if (typeof item === 'object' && item !== null) unmarkWithin(item);
  }
}

/** Apart from arrays: once this loop has seen one, it is slow for all objects. */
function unmarkFields(fields: Record<string, unknown>): void {
  for (const name in fields) {
    const field = fields[name];
    if (typeof field === 'string') {
      if (field.charCodeAt(0) === 0x80) fields[name] = wholeOf(field);
    } else if (typeof field === 'object' && field !== null) unmarkWithin(field);
  }
}

function wholeOf(marked: string): number | bigint {
  const digits = marked.slice(1);
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}
