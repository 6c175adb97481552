import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { byteaType } from '../values/binary.ts';
import { defaultValue } from '../values/defaults.ts';
import { integerTypes } from '../values/integers.ts';
import { numericType } from '../values/numbers.ts';
import { dateType, timestamptzType } from '../values/temporal.ts';
import { enumType, textType } from '../values/text.ts';
import type { ValueType } from '../values/value-type.ts';
import { numeric, plain, standard } from './value-cases.ts';

describe('defaults of columns', () => {
  const text = textType('text', standard) as ValueType;
  const defaults: readonly [ValueType, string | null, unknown][] = [
    [integerTypes.int4, '42', 42],
    [integerTypes.int4, "'-5'::integer", -5],
    [integerTypes.int4, '(-5)', -5],
    [integerTypes.int4, '(1 + 2)', undefined],
    [integerTypes.int8, "nextval('t_id_seq'::regclass)", 0],
    [integerTypes.bool, 'true', true],
    [text, "'x''y'::text", "x'y"],
    [text, "E'a\\\\b'::text", 'a\\b'],
    [text, 'NULL::text', undefined],
    [text, "lower('X'::text)", ''],
    [text, "('a'::text || 'b'::text)", undefined],
    [text, null, undefined],
    [timestamptzType(-1), 'now()', '1970-01-01T00:00:00.000000Z'],
    [timestamptzType(-1), "'2020-02-03 02:05:06.789+00'::timestamp with time zone", '2020-02-03T02:05:06.789000Z'],
    [timestamptzType(0), "'1724-09-08 12:00:00.000001+00'::timestamp with time zone", '1724-09-08T12:00:00.000001Z'],
    [timestamptzType(0), "'2020-02-03 02:05:00+00'::timestamp with time zone", '2020-02-03T02:05:00Z'],
    [timestamptzType(2), "'2020-02-03 02:05:00.1+00'::timestamp with time zone", '2020-02-03T02:05:00.10Z'],
    [timestamptzType(-1), "'infinity'::timestamp with time zone", undefined],
    [dateType(standard), 'CURRENT_DATE', 0],
    [dateType(standard), "'2020-02-03'::date", 18295],
    [numericType(numeric(10, 2), standard), '12.34', '12.34'],
    [numericType(-1, standard), '1.5', undefined],
    [numericType(numeric(10, 2), { ...standard, decimals: 'string' }), '0', '0.00'],
    [numericType(numeric(10, 2), { ...standard, decimals: 'string' }), "'-1.5'::numeric", '-1.50'],
    [numericType(-1, { ...standard, decimals: 'string' }), '1.50', '1.50'],
    [enumType({ oid: 1, name: 'mood', labels: ['sad'] }, standard), "'sad'::mood", 'sad'],
    [enumType({ oid: 1, name: 'Mixed', labels: ['sad'] }, standard), '\'sad\'::odd."Mixed"', undefined],
    [textType('citext', standard) as ValueType, "'x'::citext", undefined],
    [byteaType(standard), "'\\xdeadbeef'::bytea", undefined],
  ];
  for (const [type, expression, expected] of defaults) {
    test(`default ${expression}`, () => assert.deepEqual(plain(defaultValue(type, expression, standard)), expected));
  }
});
