/** Random columns of all types, and literals for them. A column's name ends in its kind, by which differences are known. */
import type { Random } from '../chaos/seed.ts';

export interface Kind {
  readonly type: (random: Random) => string;
  /** An SQL expression. */
  readonly value: (random: Random) => string;
  /** A value of several kilobytes, that PostgreSQL stores outside of the row. */
  readonly large?: string;
  readonly mayBeKey?: boolean;
  readonly mayHaveDefault?: boolean;
}

export const pick = <T>(random: Random, items: readonly T[]): T => items[random.between(0, items.length - 1)] as T;
export const chance = (random: Random, share: number): boolean => random.next() < share;

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const any =
  (...items: readonly string[]) =>
  (random: Random): string =>
    quote(pick(random, items));
const digits = (random: Random, count: number): string => {
  let text = '';
  while (text.length < count) text += String(random.between(0, 9));
  return text;
};
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
const text = (random: Random): string => pick(random, chance(random, 0.5) ? words : [`w${digits(random, 5)}`]);
const date = (random: Random): string =>
  chance(random, 0.15)
    ? pick(random, ['infinity', '-infinity', '0044-03-15 BC', '1500-01-01', '9999-12-31', '0001-01-01', '1970-01-01', '1582-10-15'])
    : `${random.between(1600, 2400)}-${two(random.between(1, 12))}-${two(random.between(1, 28))}`;
const time = (random: Random): string =>
  chance(random, 0.2)
    ? pick(random, ['00:00:00', '23:59:59.999999', '12:00:00.1', '12:00:00.000001'])
    : `${two(random.between(0, 23))}:${two(random.between(0, 59))}:${two(random.between(0, 59))}.${digits(random, random.between(1, 6))}`;
const zone = (random: Random): string => pick(random, ['Z', '+02', '-05:30', '+14', '-12']);
const stamp = (random: Random): string => {
  const day = date(random);
  if (day.endsWith('infinity')) return day;
  return day.endsWith(' BC') ? `${day.slice(0, -3)} ${time(random)} BC` : `${day} ${time(random)}`;
};
const stampZone = (random: Random): string => {
  const at = stamp(random);
  if (at.endsWith('infinity')) return at;
  return at.endsWith(' BC') ? `${at.slice(0, -3)}${zone(random)} BC` : at + zone(random);
};
const uuid = (random: Random): string =>
  `${digits(random, 8)}-${digits(random, 4)}-4${digits(random, 3)}-8${digits(random, 3)}-${digits(random, 12)}`;
const integer =
  (bits: number) =>
  (random: Random): string => {
    const limit = 2n ** BigInt(bits - 1);
    if (chance(random, 0.2)) return quote(String(pick(random, [-limit, limit - 1n, 0n, -1n])));
    return quote(String(random.between(-9_999, 9_999)));
  };
const decimal =
  (whole: number, fraction: number) =>
  (random: Random): string => {
    if (chance(random, 0.1)) return '0';
    const tail = fraction === 0 ? '' : `.${digits(random, fraction)}`;
    return `${chance(random, 0.4) ? '-' : ''}${digits(random, random.between(1, whole))}${tail}`;
  };
const precision = (name: string) => (random: Random) =>
  name.replace('()', pick(random, ['', '(0)', '(1)', '(2)', '(3)', '(4)', '(5)', '(6)']));
const plain = (type: string) => (): string => type;
const bits = (random: Random, count: number): string => Array.from({ length: count }, () => random.between(0, 1)).join('');

/** Literals of an array; `null` is a null. */
const array =
  (item: (random: Random) => string, nulls = true) =>
  (random: Random): string => {
    const items = Array.from({ length: random.between(0, 4) }, () =>
      nulls && chance(random, 0.2) ? 'null' : `"${item(random).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
    );
    return quote(`{${items.join()}}`);
  };
const long = "(select string_agg(md5(i::text), '') from generate_series(1, 180) i)";
const longArray = (item: string): string => `(select array_agg(${item}) from generate_series(1, 2500) i)`;
const unquoted = (value: (random: Random) => string) => (random: Random) => value(random).slice(1, -1).replaceAll("''", "'");
const arrayOf = (type: string, item: (random: Random) => string, large?: string, nulls = true): Kind => ({
  type: plain(`${type}[]`),
  value: array(item, nulls),
  ...(large === undefined ? {} : { large: `${large}::${type}[]` }),
});

export const kinds: Readonly<Record<string, Kind>> = {
  bool: { type: plain('bool'), value: any('t', 'f'), mayHaveDefault: true },
  int2: { type: plain('int2'), value: integer(16), mayBeKey: true, mayHaveDefault: true },
  int4: { type: plain('int4'), value: integer(32), mayBeKey: true, mayHaveDefault: true },
  int8: { type: plain('int8'), value: integer(64), mayBeKey: true, mayHaveDefault: true },
  oid: { type: plain('oid'), value: any('0', '1', '4294967295') },
  real: { type: plain('real'), value: any('0', '1.1', '-3.4028235e38', '1e-7', '16777217', 'NaN', 'Infinity', '-0'), mayHaveDefault: true },
  double: {
    type: plain('double precision'),
    value: any('0', '1.1', '1.7976931348623157e308', '1e-7', '1e21', 'NaN', '-Infinity', '123456789.123456789', '-0', '4.9e-324'),
    mayHaveDefault: true,
  },
  numeric: {
    type: plain('numeric'),
    value: (random) => quote(pick(random, ['100', '1e30', '123.4500', '0.000', '-0.0000001', decimal(25, random.between(0, 12))(random)])),
  },
  numeric_ps: {
    type: (random) => pick(random, ['numeric(10,2)', 'numeric(38,2)', 'numeric(12,2)']),
    value: (random) => quote(decimal(8, 2)(random)),
    mayBeKey: true,
    mayHaveDefault: true,
  },
  numeric_p: { type: plain('numeric(9)'), value: (random) => quote(decimal(9, 0)(random)), mayHaveDefault: true },
  numeric_scaled: { type: plain('numeric(38,10)'), value: (random) => quote(decimal(28, 10)(random)), mayHaveDefault: true },
  money: { type: plain('money'), value: (random) => quote(decimal(12, 2)(random)) },
  char: { type: (random) => pick(random, ['char', 'char(5)']), value: any('', 'a', 'ä', 'z'), mayHaveDefault: true },
  varchar: {
    type: (random) => pick(random, ['varchar', 'varchar(400)']),
    value: (random) => quote(text(random)),
    large: `left(${long}, 400)`,
    mayBeKey: true,
    mayHaveDefault: true,
  },
  text: { type: plain('text'), value: (random) => quote(text(random)), large: long, mayBeKey: true, mayHaveDefault: true },
  citext: { type: plain('citext'), value: (random) => quote(text(random)), large: long },
  qchar: { type: plain('"char"'), value: any('a', 'Z', '') },
  name: { type: plain('name'), value: any('n', 'some name') },
  bytea: { type: plain('bytea'), value: any('', '\\x00deadbeefff', '\\x61'), large: `decode(${long}, 'hex')` },
  bit1: { type: (random) => pick(random, ['bit', 'bit(1)']), value: any('0', '1'), mayHaveDefault: true },
  bit12: { type: plain('bit(12)'), value: (random) => `B'${bits(random, 12)}'`, mayHaveDefault: true },
  bit64: { type: plain('bit(64)'), value: (random) => `B'${bits(random, 64)}'` },
  varbit: { type: (random) => pick(random, ['varbit', 'varbit(20)']), value: (random) => `B'${bits(random, random.between(0, 20))}'` },
  date: { type: plain('date'), value: (random) => quote(date(random)), mayBeKey: true },
  time: { type: precision('time()'), value: (random) => quote(time(random)), mayHaveDefault: true },
  timetz: { type: precision('timetz()'), value: (random) => quote(time(random) + zone(random)) },
  ts: { type: precision('timestamp()'), value: (random) => quote(stamp(random)) },
  tstz: { type: precision('timestamptz()'), value: (random) => quote(stampZone(random)) },
  interval: {
    type: plain('interval'),
    value: any('0', '1 year 2 mons 3 days 04:05:06.789', '-1 mons', '-1 day 00:00:01', '36:00:00', '100 years', '-0.000001 s'),
  },
  uuid: { type: plain('uuid'), value: (random) => quote(uuid(random)), mayBeKey: true, mayHaveDefault: true },
  json: {
    type: plain('json'),
    value: any('{"a" : 1,  "b":[1, 2 ,"x"]}', 'null', '"s"', '[]', '{"ü":"😀\\u00e4"}'),
    large: `to_json(${long})`,
    mayHaveDefault: true,
  },
  jsonb: {
    type: plain('jsonb'),
    value: any('{"b":2,"a":1.50}', 'null', '1e5', '[1,"x",{}]'),
    large: `to_jsonb(${long})`,
    mayHaveDefault: true,
  },
  xml: { type: plain('xml'), value: any('<x/>', '<a b="1">x &amp; y</a>'), large: `('<x>' || ${long} || '</x>')::xml` },
  inet: { type: plain('inet'), value: any('192.168.1.5/24', '10.0.0.1', '::1', '2001:db8::/32') },
  cidr: { type: plain('cidr'), value: any('192.168.1.0/24', '10.0.0.1/32', '2001:db8::/32') },
  macaddr: { type: plain('macaddr'), value: any('08:00:2b:01:02:03') },
  macaddr8: { type: plain('macaddr8'), value: any('08:00:2b:01:02:03:04:05') },
  int4range: { type: plain('int4range'), value: any('[1,5)', 'empty', '(,)', '(1,5]') },
  numrange: { type: plain('numrange'), value: any('[1.5,2.5]', '(,5)') },
  tstzrange: { type: plain('tstzrange'), value: any('["2024-01-01 00:00+02",)', 'empty') },
  daterange: { type: plain('daterange'), value: any('[2024-01-01,2024-02-01)', '[,]') },
  tsvector: { type: plain('tsvector'), value: any('fat:2 cat:3A', '') },
  enum: { type: plain('mood'), value: any('sad', 'ok', "it's happy"), mayBeKey: true, mayHaveDefault: true },
  domain_int: { type: plain('posint'), value: any('1', '2147483647') },
  domain_text: { type: plain('email'), value: any('a@b.c', 'ä') },
  domain_numeric: { type: plain('amount'), value: any('1.50', '-0.01') },
  point: { type: plain('point'), value: any('(1.5,-2)', '(0,0)', '(1e300,1e-7)') },
  hstore: { type: plain('hstore'), value: any('a=>1, b=>NULL', '', '"c d"=>"q\\"uote"'), large: `hstore('k', ${long})` },
  ltree: { type: plain('ltree'), value: any('Top.Science.Astro', 'a') },
  unknown_line: { type: plain('line'), value: any('{1,2,3}') },
  unknown_composite: { type: plain('comp'), value: any('(1,"x y")', '(,)') },
  unknown_pg_lsn: { type: plain('pg_lsn'), value: any('16/B374D848') },
  unknown_multirange: { type: plain('int4multirange'), value: any('{[1,3),[5,7)}', '{}') },
  unknown_jsonpath: { type: plain('jsonpath'), value: any('$.a[*]') },
  a_bool: arrayOf('bool', (random) => pick(random, ['t', 'f'])),
  a_int2: arrayOf('int2', unquoted(integer(16)), longArray('i')),
  a_int4: arrayOf('int4', unquoted(integer(32)), longArray('i')),
  a_int8: arrayOf('int8', unquoted(integer(64)), longArray('i')),
  a_text: arrayOf('text', text, longArray('i::text')),
  a_varchar: arrayOf('varchar', text, longArray('i::text')),
  a_citext: arrayOf('citext', text, longArray('i::text')),
  a_numeric: arrayOf('numeric', decimal(9, 3), longArray('i / 7.0')),
  a_numeric_ps: arrayOf('numeric(10,2)', decimal(8, 2)),
  a_real: arrayOf('real', (random) => pick(random, ['1.5', '-0', '1e-7'])),
  a_double: arrayOf('float8', (random) => pick(random, ['1.5', '1e21', '0.1']), longArray('i / 7.0')),
  a_date: arrayOf('date', (random) => `20${digits(random, 2)}-02-0${random.between(1, 9)}`),
  a_time: arrayOf('time', time),
  a_ts: arrayOf('timestamp', (random) => `2024-02-2${digits(random, 1)} ${time(random)}`, longArray("'2024-01-01'::timestamp")),
  a_tstz: arrayOf('timestamptz', (random) => `2024-02-2${digits(random, 1)} ${time(random)}+02`, longArray("'2024-01-01'::timestamptz")),
  a_uuid: arrayOf('uuid', uuid, longArray('md5(i::text)::uuid')),
  a_jsonb: arrayOf('jsonb', (random) => pick(random, ['{"a": 1}', 'null', '[]']), longArray('to_jsonb(i)')),
  a_bytea: arrayOf('bytea', (random) => pick(random, ['\\x00ff', '\\x']), longArray("'\\x00ff'::bytea")),
  a_inet: arrayOf('inet', (random) => pick(random, ['10.0.0.1', '::1'])),
  // Without nulls, for which Debezium makes the whole array null, and dies where one must be.
  a_enum: arrayOf('mood', (random) => pick(random, ['ok', 'sad']), undefined, false),
  a_hstore: arrayOf('hstore', (random) => pick(random, ['a=>1', ''])),
  a_int4range: arrayOf('int4range', (random) => pick(random, ['[1,5)', 'empty'])),
};

/** What must be in a database before its tables. */
export const typeDefinitions = [
  'create extension citext',
  'create extension hstore',
  'create extension ltree',
  "create type mood as enum ('sad', 'ok', 'it''s happy')",
  'create type comp as (a int, b text)',
  'create domain posint as int check (value > 0)',
  'create domain email as varchar(120)',
  'create domain amount as numeric(12,2)',
];
