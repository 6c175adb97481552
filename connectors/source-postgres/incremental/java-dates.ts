/** Between PostgreSQL's text of dates and the milliseconds and nanoseconds of java.util.Date. */

export interface Instant {
  /** Since 1970, whole seconds' worth and the fraction's milliseconds, as Java's `getTime`. */
  readonly ms: bigint;
  /** The fraction of the second. */
  readonly nanos: number;
}

// PGStatement.DATE_POSITIVE_INFINITY and its counterpart.
const infinityMs = 9_223_372_036_825_200_000n;
const minusInfinityMs = -9_223_372_036_832_400_000n;

/** Throws a TypeError for what is no date. */
export function instantOf(text: string): Instant {
  if (text === 'infinity') return { ms: infinityMs, nanos: 0 };
  if (text === '-infinity') return { ms: minusInfinityMs, nanos: 0 };
  const match = /^(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:\+00(?::?00)?)?)?( BC)?$/.exec(text);
  if (match === null) throw new TypeError(`"${text}" is not a date in UTC`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', bc] = match;
  const date = new Date(0);
  date.setUTCFullYear(bc === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const nanos = Number(fraction.padEnd(9, '0'));
  return { ms: BigInt(date.getTime() + Math.floor(nanos / 1e6)), nanos };
}

/** A timestamp in UTC; the zone is told, and left out of account where the column has none. */
export function timestampText({ ms, nanos }: Instant): string {
  const infinite = infinityText(ms);
  if (infinite !== undefined) return infinite;
  const date = new Date(Number(ms));
  const fraction = String(Math.floor(nanos / 1000)).padStart(6, '0');
  return `${datePart(date)} ${date.toISOString().slice(-13, -5)}.${fraction}+00${era(date)}`;
}

/** A java.sql.Date is midnight where its JVM ran: the nearest one in UTC tells the day. */
export function dateText(ms: bigint): string {
  const infinite = infinityText(ms);
  if (infinite !== undefined) return infinite;
  const date = new Date(Number(ms) + 43_200_000 - 1);
  return `${datePart(date)}${era(date)}`;
}

const infinityText = (ms: bigint): string | undefined => (ms >= infinityMs ? 'infinity' : ms <= minusInfinityMs ? '-infinity' : undefined);

function datePart(date: Date): string {
  const year = date.getUTCFullYear();
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(year > 0 ? year : 1 - year).padStart(4, '0')}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
}

const era = (date: Date): string => (date.getUTCFullYear() > 0 ? '' : ' BC');
