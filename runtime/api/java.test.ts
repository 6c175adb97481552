import { equal, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Decimal, javaDecimal, javaDouble, javaFloat, javaPattern } from './index.ts';

describe('numbers as the JVM prints them', () => {
  const doubles = [
    [0.001, '0.001'],
    [0.0001, '1.0E-4'],
    [9999999, '9999999.0'],
    [1e7, '1.0E7'],
    [1.25e21, '1.25E21'],
    [-0, '-0.0'],
    [5e-324, '4.9E-324'],
    [1.1, '1.1'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
  ] as const;
  for (const [value, text] of doubles) {
    it(`double ${text}`, () => equal(javaDouble(value), text));
  }
  const floats = [
    [0.1, '0.1'],
    [16777216, '1.6777216E7'],
    [3.4028234663852886e38, '3.4028235E38'],
    [1e-45, '1.4E-45'],
    [100, '100.0'],
  ] as const;
  for (const [value, text] of floats) it(`float ${text}`, () => equal(javaFloat(value), text));
  const decimals = [
    ['1.10', '1.10'],
    ['0.000001', '0.000001'],
    ['0.0000001', '1E-7'],
    ['-0.00000012', '-1.2E-7'],
    ['0E-10', '0E-10'],
    ['1e3', '1E+3'],
    ['12e3', '1.2E+4'],
    ['0', '0'],
  ] as const;
  for (const [parsed, text] of decimals) it(`decimal ${text}`, () => equal(javaDecimal(Decimal.parse(parsed)), text));
});

describe('java patterns', () => {
  it('match as a whole, and replace the first match', () => {
    const pattern = javaPattern('([^.]+)\\.([^.]+)\\.([^.]+)');
    equal(pattern.matches('a.b.c'), true);
    equal(pattern.matches('a.b.c.d'), false);
    equal(pattern.replaceFirst('shop.public.orders', '$3'), 'orders');
    equal(javaPattern('a|ab').matches('ab'), true);
    equal(javaPattern('(?<name>.*)').replaceFirst('x', 'to-${name}'), 'to-x');
  });

  it('take replacements as Java does', () => {
    equal(javaPattern('(a)(b)').replaceFirst('ab', '$12'), 'a2');
    equal(javaPattern('a').replaceFirst('a', '\\$1'), '$1');
    throws(() => javaPattern('a').replaceFirst('a', '$1'), { name: 'ConfigError' });
    throws(() => javaPattern('a').replaceFirst('a', '${x}'), { name: 'ConfigError' });
    throws(() => javaPattern('a').replaceFirst('a', '$'), { name: 'ConfigError' });
  });

  it('know what Java writes otherwise', () => {
    equal(javaPattern('(?i)ORDERS').matches('orders'), true);
    equal(javaPattern('\\Qa.b\\E.*').matches('a.bc'), true);
    equal(javaPattern('\\Qa.b\\E').matches('axb'), false);
    equal(javaPattern('\\p{Alpha}+\\d').matches('ab1'), true);
    equal(javaPattern('\\p{Lu}\\w').matches('Éa'), true);
    equal(javaPattern('\\Aab\\z').matches('ab'), true);
    throws(() => javaPattern('a++'), /possessive/);
    throws(() => javaPattern('('), { name: 'ConfigError' });
  });
});
