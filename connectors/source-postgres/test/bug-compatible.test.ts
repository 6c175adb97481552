import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { cutDefault, mangledName } from '../values/bug-compatible.ts';
import { javaDouble } from '../values/java-double.ts';
import { resolveType } from '../values/resolve.ts';
import type { TypeInfo } from '../values/resolve.ts';
import type { Phase, ValueType } from '../values/value-type.ts';
import { decode, numeric, standard } from './value-cases.ts';

const base = { kind: 'b', item: 0, base: 0, baseTypmod: -1, baseDims: 0, labels: [], known: true };
const named = (oid: number, name: string, more: Partial<TypeInfo> = {}): TypeInfo => ({ ...base, oid, name, ...more });
const names = ['date', 'timestamp', 'timestamptz', 'money', 'numeric', 'name', 'time', 'timetz', 'text', 'int4', 'box'];
const types = new Map(
  names.flatMap((name, at) => [
    [at + 1, named(at + 1, name)],
    [at + 101, named(at + 101, `_${name}`, { item: at + 1 })],
  ]),
);
const typeOf = (name: string, phase: Phase, typmod = -1, more = {}): ValueType => {
  const oid = names.indexOf(name.replace('[]', '')) + 1 + (name.endsWith('[]') ? 100 : 0);
  const settings = { ...standard, ...more, compatible: true, includeUnknown: true };
  return resolveType(oid, { typmod, phase, dims: 1 }, (wanted) => types.get(wanted), settings) as ValueType;
};

describe('values as Debezium writes them where it is wrong', () => {
  const cases: readonly [type: ValueType, text: string, expected: unknown][] = [
    [typeOf('date', 'snapshot'), '0044-03-15 BC', -703383],
    [typeOf('date', 'stream'), '0044-03-15 BC', -735160],
    [typeOf('date', 'snapshot'), '1500-01-01', -171664],
    [typeOf('date', 'snapshot'), '-infinity', -625821272],
    [typeOf('date', 'snapshot', -1, { times: 'isostring' }), 'infinity', '+292278994-08-16Z'],
    [typeOf('timestamp', 'snapshot', 3), '1500-01-01 00:00:00', -14830992000000],
    [typeOf('timestamp', 'snapshot', 3), '0001-01-01 00:00:00', -62135769600000],
    [typeOf('timestamp', 'snapshot', 3), '1582-10-15 00:00:00', -12219292800000],
    [typeOf('timestamp', 'snapshot', 3), '1582-10-04 00:00:00', -12219379200000],
    [typeOf('timestamptz', 'snapshot', 0), '0044-03-15 10:00:00+00 BC', '-0043-03-13T10:00:00Z'],
    [typeOf('money', 'snapshot', -1, { decimals: 'string' }), '$92,233,720,368,547,758.07', '9.223372036854776E16'],
    [typeOf('money', 'stream', -1, { decimals: 'string' }), '$1.00', '1.00'],
    [typeOf('name', 'stream'), 'x', null],
    [typeOf('name', 'snapshot'), 'x', 'x'],
    [typeOf('numeric[]', 'stream', numeric(5, 1)), '{1.5,NaN}', null],
    [typeOf('time[]', 'stream'), '{00:00:00.123456}', [123000]],
    [typeOf('timetz[]', 'stream'), '{00:00:00.5+00}', ['00:00:00Z']],
    [typeOf('text[]', 'stream'), '{{a},{b}}', ['[Ljava.lang.String;@0', '[Ljava.lang.String;@0']],
    [typeOf('int4[]', 'stream'), '{{1},{2}}', [null, null]],
    [typeOf('box', 'stream'), '(3,4),(1.5,-2)', Buffer.from('(3.0,4.0),(1.5,-2.0)').toString('hex')],
  ];
  for (const [type, text, expected] of cases) test(`${text} is ${String(expected)}`, () => assert.deepEqual(decode(type, text), expected));

  test('scales, defaults, names', () => {
    assert.equal(typeOf('numeric', 'stream', numeric(5, -2)).schema.parameters?.['scale'], '2046');
    assert.equal(cutDefault("'it''s'::text"), "'it'");
    assert.equal(mangledName('né'), 'n\uffc3\uffa9');
    assert.equal(mangledName('plain'), 'plain');
  });

  test('doubles as Java writes them', () => {
    for (const [value, text] of [
      [1, '1.0'],
      [-0, '-0.0'],
      [0.001, '0.001'],
      [1e-4, '1.0E-4'],
      [9999999, '9999999.0'],
      [1e7, '1.0E7'],
      [-1.5e300, '-1.5E300'],
      [NaN, 'NaN'],
      [-Infinity, '-Infinity'],
    ] as const)
      assert.equal(javaDouble(value), text);
  });
});
