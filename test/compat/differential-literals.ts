/** Random literals of SQL, and what a kind of column is. */
import type { Random } from '../chaos/seed.ts';

/** An SQL expression. */
export type Literal = (random: Random) => string;

export interface Kind {
  readonly type: (random: Random) => string;
  readonly value: Literal;
  /** A value of several kilobytes, that PostgreSQL stores outside of the row. */
  readonly large?: string | undefined;
  readonly mayBeKey?: boolean;
  readonly mayHaveDefault?: boolean;
  /** A default that is a call of a function. */
  readonly call?: string;
  /** What Debezium bends: only where ours is to bend it, too. */
  readonly isBent?: boolean;
  /** Never NOT NULL. */
  readonly isOptional?: boolean;
  /** A type that the column may be given later. */
  readonly later?: string;
}

export const pick = <T>(random: Random, items: readonly T[]): T => items[random.between(0, items.length - 1)] as T;
export const chance = (random: Random, share: number): boolean => random.next() < share;

export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const unquoted =
  (value: Literal): Literal =>
  (random) =>
    value(random).slice(1, -1).replaceAll("''", "'");
export const any =
  (...items: readonly string[]): Literal =>
  (random) =>
    quote(pick(random, items));
export const plain = (type: string) => (): string => type;
export const precision = (name: string) => (random: Random) =>
  name.replace('()', pick(random, ['', '(0)', '(1)', '(2)', '(3)', '(4)', '(5)', '(6)']));

export const digits = (random: Random, count: number): string => {
  let text = '';
  while (text.length < count) text += String(random.between(0, 9));
  return text;
};
export const bits = (random: Random, count: number): string => Array.from({ length: count }, () => random.between(0, 1)).join('');
const two = (n: number): string => String(n).padStart(2, '0');

const words = [
  '',
  'a',
  'ok',
  'tëxt 😀',
  'line\nbreak\ttab "q" \\ back',
  "it's",
  'null',
  '{}',
  ' padded ',
  '\u0001\u007f',
  'ﬀ\u2028x',
  'A'.repeat(300),
];
export const text: Literal = (random) => pick(random, chance(random, 0.5) ? words : [`w${digits(random, 5)}`]);

export const date: Literal = (random) =>
  chance(random, 0.15)
    ? pick(random, ['infinity', '-infinity', '0044-03-15 BC', '1500-01-01', '9999-12-31', '0001-01-01', '1970-01-01', '1582-10-15'])
    : `${random.between(1600, 2400)}-${two(random.between(1, 12))}-${two(random.between(1, 28))}`;
export const time: Literal = (random) =>
  chance(random, 0.2)
    ? pick(random, ['00:00:00', '23:59:59.999999', '12:00:00.1', '12:00:00.000001'])
    : `${two(random.between(0, 23))}:${two(random.between(0, 59))}:${two(random.between(0, 59))}.${digits(random, random.between(1, 6))}`;
export const zone: Literal = (random) => pick(random, ['Z', '+02', '-05:30', '+14', '-12']);
export const stamp: Literal = (random) => {
  const day = date(random);
  if (day.endsWith('infinity')) return day;
  return day.endsWith(' BC') ? `${day.slice(0, -3)} ${time(random)} BC` : `${day} ${time(random)}`;
};
export const stampZone: Literal = (random) => {
  const at = stamp(random);
  if (at.endsWith('infinity')) return at;
  return at.endsWith(' BC') ? `${at.slice(0, -3)}${zone(random)} BC` : at + zone(random);
};
export const uuid: Literal = (random) =>
  `${digits(random, 8)}-${digits(random, 4)}-4${digits(random, 3)}-8${digits(random, 3)}-${digits(random, 12)}`;

export const integer =
  (size: number): Literal =>
  (random) => {
    const limit = 2n ** BigInt(size - 1);
    if (chance(random, 0.2)) return quote(String(pick(random, [-limit, limit - 1n, 0n, -1n])));
    return quote(String(random.between(-9_999, 9_999)));
  };
export const decimal =
  (whole: number, fraction: number): Literal =>
  (random) => {
    if (chance(random, 0.1)) return '0';
    const tail = fraction === 0 ? '' : `.${digits(random, fraction)}`;
    return `${chance(random, 0.4) ? '-' : ''}${digits(random, random.between(1, whole))}${tail}`;
  };

/** Several kilobytes. */
export const long = "(select string_agg(md5(i::text), '') from generate_series(1, 180) i)";
export const longArray = (item: string): string => `(select array_agg(${item}) from generate_series(1, 2500) i)`;
