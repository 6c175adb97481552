/** Random columns of all types, and literals for them. A column's name ends in its kind, by which differences are known. */
import type { Random } from '../chaos/seed.ts';
import { arrayKinds } from './differential-arrays.ts';
import {
  any,
  bits,
  chance,
  date,
  decimal,
  integer,
  long,
  pick,
  plain,
  precision,
  quote,
  stamp,
  stampZone,
  text,
  time,
  uuid,
  zone,
} from './differential-literals.ts';
import type { Literal } from './differential-literals.ts';

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
  /** A type that the column may be given later. */
  readonly later?: string;
}

export const kinds: Readonly<Record<string, Kind>> = {
  bool: { type: plain('bool'), value: any('t', 'f'), mayHaveDefault: true, later: 'text' },
  int2: { type: plain('int2'), value: integer(16), mayBeKey: true, mayHaveDefault: true, later: 'int8' },
  int4: { type: plain('int4'), value: integer(32), mayBeKey: true, mayHaveDefault: true, call: 'floor(random())::int4', later: 'numeric' },
  int8: { type: plain('int8'), value: integer(64), mayBeKey: true, mayHaveDefault: true, call: 'txid_current()', later: 'text' },
  serial: { type: (random) => pick(random, ['smallserial', 'serial', 'bigserial']), value: integer(16), mayBeKey: true },
  oid: { type: plain('oid'), value: any('0', '1', '4294967295'), mayHaveDefault: true },
  real: {
    type: plain('real'),
    value: any('0', '1.1', '-3.4028235e38', '1e-7', '16777217', 'NaN', 'Infinity', '-0'),
    mayHaveDefault: true,
    later: 'float8',
  },
  double: {
    type: plain('double precision'),
    value: any('0', '1.1', '1.7976931348623157e308', '1e-7', '1e21', 'NaN', '-Infinity', '123456789.123456789', '-0', '4.9e-324'),
    mayHaveDefault: true,
    call: 'random()',
  },
  numeric: {
    type: plain('numeric'),
    value: (random) => quote(pick(random, ['100', '1e30', '123.4500', '0.000', '-0.0000001', decimal(25, random.between(0, 12))(random)])),
    mayBeKey: true,
    mayHaveDefault: true,
    later: 'text',
  },
  numeric_ps: {
    type: (random) => pick(random, ['numeric(10,2)', 'numeric(38,2)', 'numeric(12,2)']),
    value: (random) => quote(decimal(8, random.between(0, 2))(random)),
    mayBeKey: true,
    mayHaveDefault: true,
    later: 'numeric(38,4)',
  },
  numeric_p: { type: plain('numeric(9)'), value: (random) => quote(decimal(9, 0)(random)), mayHaveDefault: true, later: 'numeric(20)' },
  numeric_scaled: { type: plain('numeric(38,10)'), value: (random) => quote(decimal(28, 10)(random)), mayHaveDefault: true },
  numeric_rough: { type: plain('numeric(5,-2)'), value: any('0', '100', '-12300'), isBent: true },
  numeric_small: { type: plain('numeric(3,5)'), value: any('0', '0.00123', '-0.00001'), mayHaveDefault: true },
  money: { type: plain('money'), value: (random) => quote(decimal(random.between(1, 16), 2)(random)), mayHaveDefault: true },
  char: { type: (random) => pick(random, ['char', 'char(5)']), value: any('', 'a', 'ä', 'z'), mayBeKey: true, mayHaveDefault: true, later: 'text' },
  varchar: {
    type: (random) => pick(random, ['varchar', 'varchar(400)']),
    value: (random) => quote(text(random)),
    large: `left(${long}, 400)`,
    mayBeKey: true,
    mayHaveDefault: true,
    call: "lower('X')",
    later: 'text',
  },
  text: { type: plain('text'), value: (random) => quote(text(random)), large: long, mayBeKey: true, mayHaveDefault: true, later: 'varchar' },
  citext: { type: plain('citext'), value: (random) => quote(text(random)), large: long, mayBeKey: true, mayHaveDefault: true },
  qchar: { type: plain('"char"'), value: any('a', 'Z', ''), mayHaveDefault: true },
  name: { type: plain('name'), value: any('n', 'some name'), mayHaveDefault: true },
  bytea: {
    type: plain('bytea'),
    value: any('', '\\x00deadbeefff', '\\x61'),
    large: `decode(${long}, 'hex')`,
    mayBeKey: true,
    mayHaveDefault: true,
  },
  bit1: { type: (random) => pick(random, ['bit', 'bit(1)']), value: (random) => `B'${bits(random, 1)}'`, mayHaveDefault: true },
  bit12: { type: plain('bit(12)'), value: (random) => `B'${bits(random, 12)}'`, mayHaveDefault: true, later: 'varbit' },
  bit64: { type: plain('bit(64)'), value: (random) => `B'${bits(random, 64)}'`, mayHaveDefault: true },
  varbit: {
    type: (random) => pick(random, ['varbit', 'varbit(20)']),
    value: (random) => `B'${bits(random, random.between(0, 20))}'`,
    mayHaveDefault: true,
  },
  date: { type: plain('date'), value: (random) => quote(date(random)), mayBeKey: true, mayHaveDefault: true, call: 'current_date', later: 'timestamp' },
  time: { type: precision('time()'), value: (random) => quote(time(random)), mayBeKey: true, mayHaveDefault: true, call: 'localtime', later: 'time' },
  timetz: { type: precision('timetz()'), value: (random) => quote(time(random) + zone(random)), mayHaveDefault: true, call: 'current_time' },
  ts: {
    type: precision('timestamp()'),
    value: (random) => quote(stamp(random)),
    mayBeKey: true,
    mayHaveDefault: true,
    call: 'localtimestamp',
    later: 'timestamp(3)',
  },
  tstz: {
    type: precision('timestamptz()'),
    value: (random) => quote(stampZone(random)),
    mayBeKey: true,
    mayHaveDefault: true,
    call: 'now()',
    later: 'timestamptz(1)',
  },
  interval: {
    type: (random) => pick(random, ['interval', 'interval', 'interval(3)', 'interval day to second']),
    value: any('0', '1 year 2 mons 3 days 04:05:06.789', '-1 mons', '-1 day 00:00:01', '36:00:00', '100 years', '-0.000001 s'),
    mayHaveDefault: true,
  },
  uuid: { type: plain('uuid'), value: (random) => quote(uuid(random)), mayBeKey: true, mayHaveDefault: true, call: 'gen_random_uuid()', later: 'text' },
  json: {
    type: plain('json'),
    value: any('{"a" : 1,  "b":[1, 2 ,"x"]}', 'null', '"s"', '[]', '{"ü":"😀\\u00e4"}'),
    large: `to_json(${long})`,
    mayHaveDefault: true,
    later: 'jsonb',
  },
  jsonb: {
    type: plain('jsonb'),
    value: any('{"b":2,"a":1.50}', 'null', '1e5', '[1,"x",{}]'),
    large: `to_jsonb(${long})`,
    mayHaveDefault: true,
    call: "jsonb_build_object('a', 1)",
  },
  xml: {
    type: plain('xml'),
    value: any('<x/>', '<a b="1">x &amp; y</a>'),
    large: `('<x>' || ${long} || '</x>')::xml`,
    mayHaveDefault: true,
  },
  inet: { type: plain('inet'), value: any('192.168.1.5/24', '10.0.0.1', '::1', '2001:db8::/32'), mayBeKey: true, mayHaveDefault: true },
  cidr: { type: plain('cidr'), value: any('192.168.1.0/24', '10.0.0.1/32', '2001:db8::/32'), mayHaveDefault: true },
  macaddr: { type: plain('macaddr'), value: any('08:00:2b:01:02:03'), mayBeKey: true, mayHaveDefault: true },
  macaddr8: { type: plain('macaddr8'), value: any('08:00:2b:01:02:03:04:05'), mayHaveDefault: true },
  int4range: { type: plain('int4range'), value: any('[1,5)', 'empty', '(,)', '(1,5]'), mayHaveDefault: true },
  int8range: { type: plain('int8range'), value: any('[1,5)', 'empty') },
  numrange: { type: plain('numrange'), value: any('[1.5,2.5]', '(,5)') },
  tsrange: { type: plain('tsrange'), value: any('["2024-01-01 00:00",)', 'empty') },
  tstzrange: { type: plain('tstzrange'), value: any('["2024-01-01 00:00+02",)', 'empty') },
  daterange: { type: plain('daterange'), value: any('[2024-01-01,2024-02-01)', '[,]') },
  tsvector: { type: plain('tsvector'), value: any('fat:2 cat:3A', ''), mayHaveDefault: true },
  enum: { type: plain('mood'), value: any('sad', 'ok', "it's happy"), mayBeKey: true, mayHaveDefault: true, later: 'text' },
  enum_odd: { type: plain('odd."Mixed Mood"'), value: any('A', 'b c'), mayBeKey: true, mayHaveDefault: true },
  domain_int: { type: plain('posint'), value: any('1', '2147483647'), mayHaveDefault: true, mayBeKey: true },
  domain_text: { type: plain('email'), value: any('a@b.c', 'ä'), mayHaveDefault: true },
  domain_numeric: { type: plain('amount'), value: any('1.50', '-0.01'), mayHaveDefault: true },
  domain_nested: { type: plain('odd.price'), value: any('1.50', '7'), mayHaveDefault: true },
  domain_ts: { type: plain('moment'), value: (random) => quote(`2024-02-03 ${time(random)}`) },
  point: { type: plain('point'), value: any('(1.5,-2)', '(0,0)', '(1e300,1e-7)'), mayHaveDefault: true },
  hstore: {
    type: plain('hstore'),
    value: any('a=>1, b=>NULL', '', '"c d"=>"q\\"uote"'),
    large: `hstore('k', ${long})`,
    mayHaveDefault: true,
  },
  ltree: { type: plain('ltree'), value: any('Top.Science.Astro', 'a'), mayBeKey: true, mayHaveDefault: true },
  isbn: { type: plain('isbn'), value: any('0-393-04002-X'), mayHaveDefault: true },
  unknown_line: { type: plain('line'), value: any('{1,2,3}') },
  unknown_box: { type: plain('box'), value: any('((1,2),(0,0.5))'), isBent: true },
  unknown_path: { type: plain('path'), value: any('[(1,2),(0,0.5)]', '((1,2),(1e-9,5))'), isBent: true },
  unknown_polygon: { type: plain('polygon'), value: any('((1,2),(0,0.5))'), isBent: true },
  unknown_circle: { type: plain('circle'), value: any('<(1,2),3>'), isBent: true },
  unknown_lseg: { type: plain('lseg'), value: any('[(1,2),(3,4.5)]'), isBent: true },
  unknown_composite: { type: plain('comp'), value: any('(1,"x y")', '(,)') },
  unknown_pg_lsn: { type: plain('pg_lsn'), value: any('16/B374D848') },
  unknown_multirange: { type: plain('int4multirange'), value: any('{[1,3),[5,7)}', '{}') },
  unknown_jsonpath: { type: plain('jsonpath'), value: any('$.a[*]') },
  unknown_tsquery: { type: plain('tsquery'), value: any('fat & rat', "'super':*") },
  unknown_xid: { type: plain('xid'), value: any('7') },
  unknown_regclass: { type: plain('regclass'), value: any('pg_class') },
  unknown_range: { type: plain('floats'), value: any('[1.5,2.5)', 'empty') },
  unknown_cube: { type: plain('cube'), value: any('(1,2),(3,4)', '(1)') },
  unknown_lquery: { type: plain('lquery'), value: any('*.Astro.*') },
  ...arrayKinds,
};

/** What must be in a database before its tables. */
export const typeDefinitions = [
  'create schema odd',
  ...['citext', 'hstore', 'ltree', 'isn', 'cube'].map((extension) => `create extension ${extension}`),
  "create type mood as enum ('sad', 'ok', 'it''s happy')",
  `create type odd."Mixed Mood" as enum ('A', 'b c')`,
  'create type comp as (a int, b text)',
  'create type floats as range (subtype = float8)',
  'create domain posint as int check (value > 0)',
  'create domain email as varchar(120)',
  'create domain amount as numeric(12,2)',
  'create domain odd.price as amount check (value > -5)',
  'create domain moment as timestamp(3)',
  'create domain days as date[]',
];
