import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { readColumnRules } from '../config/column-rules.ts';
import { serializedString } from '../config/java-hash.ts';
import { sourceType } from '../values/source-type.ts';
import type { Phase, SourceType } from '../values/source-type.ts';
import type { TypeInfo } from '../values/resolve.ts';

const rules = (raw: Record<string, string>) => readColumnRules(raw, null, null);

/** What MaskStrings of Debezium 3.3.2 makes of the same. */
const hashes: readonly [key: string, value: string, hash: string][] = [
  ['column.mask.hash.SHA-256.with.salt.salt', 'hello', 'af5843a0f0e728ab0332c8888b6e1190bfb79e584f0d40538de8f10df6ef29c6'],
  ['column.mask.hash.MD5.with.salt.salt', 'world', '030f632140d9c9591b0d8c21098024b8'],
  ['column.mask.hash.v2.SHA-256.with.salt.salt', 'hello', 'cd31b3b98ece60cb739c0bf770b2de892ae0ad133f645513c3d83f08757a843a'],
  ['column.mask.hash.v2.MD5.with.salt.salt', 'hello', '06decc8b095724f80103712c235586be'],
  ['column.mask.hash.v2.SHA-256.with.salt.CzQMA0cB5K', 's3cret', '9e879c617c3aa71f979146b734d47196771dbd9125148ec2f0dfc79d11d8ddba'],
];

describe('rules of columns', () => {
  for (const [key, value, expected] of hashes) {
    test(`${key} of ${value}`, () => {
      const rewrite = rules({ [key]: 's.t.c' }).rewriteOf('s', 't', 'c');
      assert.ok(rewrite?.kind === 'hash');
      assert.equal(rewrite.hash(value), expected);
    });
  }

  test('names of algorithms are those of Java', () => {
    for (const algorithm of ['SHA', 'SHA-1', 'SHA-512', 'sha-384', 'SHA-512/256', 'SHA3-256', 'MD5']) {
      assert.equal(rules({ [`column.mask.hash.v2.${algorithm}.with.salt.x`]: 'a' }).rewriteOf('', '', '')?.kind, undefined, algorithm);
    }
    assert.throws(() => rules({ 'column.mask.hash.ROT13.with.salt.pepper': 'a' }), /no hash of that name/);
  });

  test('a salt stands in no message', () => {
    for (const raw of [{ 'column.mask.hash.v2.SHA-256.with.salt.pepper': '(' }, { 'column.mask.hash.ROT13.with.salt.pepper': 'a' }]) {
      assert.throws(
        () => rules(raw),
        (error: Error) => !`${error.message}${String(error.cause)}`.includes('pepper'),
      );
    }
  });

  test('names match whole and whatever their case; commas in patterns are escaped', () => {
    const { rewriteOf } = rules({ 'column.mask.with.0.chars': 's.t.(a|b), s.u.x{1\\,2}' });
    assert.deepEqual(rewriteOf('S', 'T', 'A'), { kind: 'mask', text: '' });
    assert.equal(rewriteOf('s', 't', 'ab'), undefined);
    assert.equal(rewriteOf('s', 'u', 'xx')?.kind, 'mask');
  });

  test('where rules meet, the one that hides more wins', () => {
    const { rewriteOf } = rules({
      'column.truncate.to.2.chars': '.*',
      'column.mask.hash.v2.MD5.with.salt.x': '.*\\.(b|c)',
      'column.mask.with.3.chars': '.*\\.c',
    });
    assert.deepEqual(
      ['a', 'b', 'c'].map((column) => rewriteOf('s', 't', column)?.kind),
      ['truncate', 'hash', 'mask'],
    );
  });

  test('a key that looks like a mask and is none is refused', () => {
    for (const key of ['column.mask.with.x.chars', 'column.mask.hash.SHA-256', 'column.truncate.to.chars']) {
      assert.throws(() => rules({ [key]: 'a' }), /no mask/, key);
    }
  });
});

test('strings as Java serialises them', () => {
  assert.equal(serializedString('a\u0000é😀').toString('hex'), 'aced000574000b61c080c3a9eda0bdedb880');
  const long = serializedString('x'.repeat(70_000));
  assert.equal(long.subarray(0, 13).toString('hex'), 'aced00057c0000000000011170');
  assert.equal(long.length, 70_013);
});

describe('types as JDBC tells them', () => {
  const info = (oid: number, name: string, more: Partial<TypeInfo> = {}): TypeInfo => ({
    oid,
    name,
    kind: 'b',
    item: 0,
    base: 0,
    baseTypmod: -1,
    baseDims: 0,
    labels: [],
    known: true,
    ...more,
  });
  const types = [
    info(1, 'int4'),
    info(2, 'numeric'),
    info(3, 'timestamptz'),
    info(4, 'varchar'),
    info(5, 'email', { kind: 'd', base: 4, baseTypmod: 124, known: false }),
    info(6, 'mood', { kind: 'e', known: false }),
    info(7, '_int4', { item: 1 }),
    info(8, 'jsonb'),
    info(9, 'text', { known: false }),
    info(10, 'price', { kind: 'd', base: 2, known: false }),
  ];
  const of = (oid: number, typmod = -1, phase: Phase = 'stream', defaultText: string | null = null): SourceType | undefined =>
    sourceType(oid, typmod, (wanted) => types.find((type) => type.oid === wanted), phase, defaultText);

  const cases: readonly [string, SourceType | undefined, SourceType | undefined][] = [
    [
      'serial, snapshot',
      of(1, -1, 'snapshot', "nextval('t_id_seq'::regclass)"),
      { name: 'serial', length: 10, scale: 0, character: false },
    ],
    ['serial, stream', of(1, -1, 'stream', "nextval('t_id_seq'::regclass)"), { name: 'int4', length: 10, scale: 0, character: false }],
    ['numeric, snapshot', of(2, -1, 'snapshot'), { name: 'numeric', length: 0, scale: undefined, character: false }],
    ['numeric, stream', of(2), { name: 'numeric', length: 131_089, scale: 0, character: false }],
    ['numeric(10,2)', of(2, ((10 << 16) | 2) + 4), { name: 'numeric', length: 10, scale: 2, character: false }],
    ['domain over numeric, snapshot', of(10, -1, 'snapshot'), { name: 'price', length: 131_089, scale: 0, character: false }],
    ['timestamptz(3)', of(3, 3), { name: 'timestamptz', length: 32, scale: 3, character: false }],
    ['varchar(5)', of(4, 9), { name: 'varchar', length: 5, scale: 0, character: true }],
    ['domain over varchar(120)', of(5), { name: 'email', length: 120, scale: 0, character: true }],
    ['enum', of(6), { name: 'mood', length: 2_147_483_647, scale: 0, character: true }],
    ['int4[]', of(7), { name: '_int4', length: 10, scale: 0, character: false }],
    ['jsonb', of(8), { name: 'jsonb', length: 2_147_483_647, scale: 0, character: false }],
    ['a type of one’s own that is named text', of(9), { name: 'text', length: 2_147_483_647, scale: 0, character: false }],
    ['a type that was dropped', of(99), undefined],
  ];
  for (const [name, found, expected] of cases) test(name, () => assert.deepEqual(found, expected));
});
