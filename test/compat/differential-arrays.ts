/** Random columns of arrays. */
import type { Random } from '../chaos/seed.ts';
import {
  any,
  chance,
  date,
  decimal,
  digits,
  integer,
  longArray,
  pick,
  plain,
  quote,
  text,
  time,
  unquoted,
  uuid,
  zone,
} from './differential-literals.ts';
import type { Kind, Literal } from './differential-literals.ts';

/** Literals of an array; `null` is a null. */
const array =
  (item: Literal, nulls = true): Literal =>
  (random) => {
    const items = Array.from({ length: random.between(0, 4) }, () => (nulls && chance(random, 0.2) ? 'null' : escaped(item(random))));
    return quote(`{${items.join()}}`);
  };
const escaped = (item: string): string => `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

const arrayOf = (type: string, item: Literal, large?: string, nulls = true): Kind => ({
  type: plain(`${type}[]`),
  value: array(item, nulls),
  mayHaveDefault: true,
  ...(large === undefined ? {} : { large: `${large}::${type}[]` }),
});
/** What Debezium bends: only where ours is to bend it, too. */
const bent = (kind: Kind): Kind => ({ ...kind, isBent: true });
/** Where Debezium's task dies of a null that must not be one. */
const optional = (kind: Kind): Kind => ({ ...kind, isOptional: true });
const one =
  (...items: readonly string[]): Literal =>
  (random: Random) =>
    pick(random, items);
const recentDay: Literal = (random) => `20${digits(random, 2)}-02-0${random.between(1, 9)}`;
const recent: Literal = (random) => `2024-02-2${digits(random, 1)} ${time(random)}`;

export const arrayKinds: Readonly<Record<string, Kind>> = {
  a_bool: arrayOf('bool', one('t', 'f')),
  a_int2: arrayOf('int2', unquoted(integer(16)), longArray('i')),
  a_int4: arrayOf('int4', unquoted(integer(32)), longArray('i')),
  a_int8: arrayOf('int8', unquoted(integer(64)), longArray('i')),
  a_oid: arrayOf('oid', one('0', '4294967295')),
  a_text: arrayOf('text', text, longArray('i::text')),
  a_varchar: arrayOf('varchar', text, longArray('i::text')),
  a_varchar_n: arrayOf('varchar(400)', text, longArray('i::text')),
  a_char: arrayOf('char(5)', one('a', 'äö', '')),
  a_citext: arrayOf('citext', text, longArray('i::text')),
  a_numeric: arrayOf('numeric', decimal(9, 3), longArray('i / 7.0')),
  a_numeric_ps: arrayOf('numeric(10,2)', decimal(8, 2)),
  a_real: arrayOf('real', one('1.5', '-0', '1e-7')),
  a_double: arrayOf('float8', one('1.5', '1e21', '0.1'), longArray('i / 7.0')),
  a_date: arrayOf('date', recentDay, longArray("'2024-01-01'::date + i")),
  a_time: arrayOf('time', time),
  a_timetz: arrayOf('timetz', (random) => time(random) + zone(random)),
  a_ts: arrayOf('timestamp', recent, longArray("'2024-01-01'::timestamp")),
  a_ts_p: arrayOf('timestamp(3)', recent),
  a_tstz: arrayOf('timestamptz', (random) => `${recent(random)}+02`, longArray("'2024-01-01'::timestamptz")),
  a_uuid: arrayOf('uuid', uuid, longArray('md5(i::text)::uuid')),
  a_json: arrayOf('json', one('{"a" : 1}', 'null', '[]'), longArray('to_json(i)')),
  a_jsonb: arrayOf('jsonb', one('{"a": 1}', 'null', '[]'), longArray('to_jsonb(i)')),
  a_bytea: arrayOf('bytea', one('\\x00ff', '\\x'), longArray("'\\x00ff'::bytea")),
  a_inet: arrayOf('inet', one('10.0.0.1', '::1')),
  a_cidr: arrayOf('cidr', one('10.0.0.0/8')),
  a_macaddr: arrayOf('macaddr', one('08:00:2b:01:02:03')),
  // Without nulls, for which Debezium makes the whole array null, and dies where one must be.
  a_enum: arrayOf('mood', one('ok', 'sad'), undefined, false),
  a_ltree: arrayOf('ltree', one('Top.Science', 'a'), undefined, false),
  a_hstore: arrayOf('hstore', one('a=>1', '')),
  a_int4range: arrayOf('int4range', one('[1,5)', 'empty')),
  a_tsrange: arrayOf('tsrange', one('[2024-01-01 00:00,2024-01-02 00:00)', 'empty')),
  a_tsvector: arrayOf('tsvector', one('fat:2 cat:3A', ''), undefined, false),
  a_domain: { type: plain('days'), value: array(recentDay) },
  unknown_a_comp: arrayOf('comp', one('(1,x)', '(,)'), undefined, false),
  unknown_a_posint: arrayOf('posint', one('1', '7'), undefined, false),

  a_bit3: optional(bent(arrayOf('bit(3)', one('101', '000')))),
  a_money: bent(arrayOf('money', one('1.50', '-0.01'))),
  a_interval: bent(arrayOf('interval', one('1 day', '-1 mons'))),
  a_varbit: bent(arrayOf('varbit', one('101', ''))),
  a_xml: bent(arrayOf('xml', one('<x/>'))),
  a_point: bent(arrayOf('point', one('(1,2)'))),
  a_name: bent(arrayOf('name', one('n'))),
  a_a_int4: bent({ type: plain('int4[][]'), value: any('{{1,2},{3,null}}', '{}', '{1,2}', '{{{1}}}'), mayHaveDefault: true }),
  a_numeric_nan: optional(bent({ type: plain('numeric[]'), value: any('{1.5,NaN}', '{NaN}', '{2}') })),
  a_enum_null: optional(bent(arrayOf('mood', one('ok', 'sad')))),
  a_ltree_null: optional(bent(arrayOf('ltree', one('a')))),
  a_tsvector_null: optional(bent(arrayOf('tsvector', one('a')))),
  a_date_old: bent(arrayOf('date', date)),
};
