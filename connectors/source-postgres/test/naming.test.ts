import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { nameAdjuster } from '@millrace/runtime/api';
import type { AdjustmentMode, ConfigKey } from '@millrace/runtime/api';

import { config } from '../config/config.ts';
import { identityRules } from '../catalog/replica-identity.ts';
import { readSelectOverrides } from '../config/select-overrides.ts';
import { topicNaming } from '../config/topic-naming.ts';
import { configValues } from './harness.ts';

describe('names for Avro', () => {
  const cases: readonly [AdjustmentMode, 'schema' | 'field', name: string, adjusted: string][] = [
    ['none', 'schema', '1 é', '1 é'],
    ['avro', 'schema', 'shop.public.T Mixed-Case.Value', 'shop.public.T_Mixed_Case.Value'],
    ['avro', 'schema', '9a.b', '_9a.b'],
    ['avro', 'schema', '-a', '_a'],
    ['avro', 'field', 'a.b', 'a_b'],
    ['avro', 'field', '9x', '_9x'],
    ['avro', 'field', 'é', '_'],
    ['avro_unicode', 'schema', 'a_b.c-d', 'a_u005fb.c_u002dd'],
    ['avro_unicode', 'field', 'a.é', 'a_u002e_u00e9'],
    ['avro_unicode', 'field', '9x', '_u0039x'],
    ['avro_unicode', 'field', '価', '_u4fa1'],
    ['avro_unicode', 'field', 'ǵ', '_u1f5'],
  ];
  for (const [mode, what, name, adjusted] of cases) {
    test(`${mode}, ${what} ${name}`, () => assert.equal(nameAdjuster(mode, what)(name), adjusted));
  }
});

describe('topics', () => {
  const naming = (more: Record<string, string>) =>
    topicNaming(
      configValues({
        'topic.prefix': 'shop',
        ...more,
        'topic.naming.strategy': `io.debezium.schema.${more['strategy'] ?? 'Schema'}TopicNamingStrategy`,
      }),
    );
  const cases: readonly [string, Record<string, string>, string][] = [
    ['as usual', {}, 'shop.s_1.T_t'],
    ['another delimiter', { 'topic.delimiter': '_' }, 'shop_s_1_T_t'],
    ['without the schema', { strategy: 'Default' }, 'shop.T_t'],
    ['with codes', { strategy: 'SchemaUnicode' }, 'shop.s_u005f1.T_u0020t'],
    ['with codes and without the schema', { strategy: 'DefaultUnicode' }, 'shop.T_u0020t'],
    ['by expression', { strategy: 'SchemaRegex', 'topic.regex': '(.*)\\.s_\\d\\.(.*)', 'topic.replacement': '$1.all.$2' }, 'shop.all.T_t'],
    [
      'by expression, without the schema',
      { strategy: 'DefaultRegex', 'topic.regex': 'shop\\.(?<t>.*)', 'topic.replacement': '${t}' },
      'T_t',
    ],
    [
      'by an expression that does not match whole',
      { strategy: 'DefaultRegex', 'topic.regex': 'shop', 'topic.replacement': 'x' },
      'shop.T_t',
    ],
  ];
  for (const [name, more, topic] of cases) test(name, () => assert.equal(naming(more).dataTopic('s_1', 'T t'), topic));

  test('names are cut where Kafka ends', () => assert.equal(naming({}).dataTopic('s', 'x'.repeat(300)).length, 249));

  test('keys tell tables apart that share a topic', () => {
    const regex = { strategy: 'SchemaRegex', 'topic.regex': '(.*)\\d', 'topic.replacement': '$1' };
    assert.deepEqual(naming(regex).keyField('s', 't 1'), { name: '__dbz__physicalTableIdentifier', value: 'shop.s.t 1' });
    const shorter = { ...regex, 'topic.key.field.name': 'part', 'topic.key.field.regex': '.*(\\d)', 'topic.key.field.replacement': 'p$1' };
    assert.deepEqual(naming(shorter).keyField('s', 't1'), { name: 'part', value: 'p1' });
    assert.deepEqual(naming(shorter).keyField('s', 't'), { name: 'part', value: 'shop.s.t' });
    assert.equal(naming({ ...regex, 'topic.key.enforce.uniqueness': 'false' }).keyField('s', 't1'), undefined);
    assert.equal(naming({}).keyField('s', 't1'), undefined);
  });

  test('what a strategy needs', () => {
    assert.throws(() => naming({ strategy: 'DefaultRegex' }), /topic.regex is needed/);
    assert.throws(() => naming({ strategy: 'DefaultRegex', 'topic.regex': 'a' }), /topic.replacement must be non-empty/);
    assert.throws(() => naming({ strategy: 'DefaultRegex', 'topic.regex': '(', 'topic.replacement': 'b' }), /topic.regex/);
    assert.throws(() => naming({ strategy: 'My' }), /Java class/);
    const { rule } = config['topic.naming.strategy'] as ConfigKey;
    assert.match((rule?.kind === 'custom' ? rule.check('com.example.Mine') : '') ?? '', /is a Java class/);
  });
});

test('statements of a snapshot are found by table', () => {
  const key = 'snapshot.select.statement.overrides';
  const { statementOf, notes } = readSelectOverrides({
    [key]: 's.a, "s"."b.c" ,s.none',
    [`${key}.s.a`]: 'select 1;\n ',
    [`${key}."s"."b.c"`]: 'select 2',
    [`${key}.s.other`]: 'select 3',
  });
  assert.equal(statementOf('s', 'a'), 'select 1');
  assert.equal(statementOf('s', 'b.c'), 'select 2');
  assert.equal(statementOf('s', 'other'), undefined);
  assert.equal(statementOf('S', 'a'), undefined);
  assert.match(notes.join('\n'), /names s.none, but .*\n.*s.other has no effect/);
});

test('replica identities', () => {
  const rules = identityRules('s.a:full, s.(b|c):INDEX b_sku');
  assert.deepEqual(
    rules.map(({ identity, index }) => [identity, index]),
    [
      ['FULL', undefined],
      ['INDEX', 'b_sku'],
    ],
  );
  assert.equal(rules[1]?.tables.test('s.c'), true);
  assert.deepEqual(identityRules(null), []);
  assert.throws(() => identityRules('s.a:SOME'), /not of the form/);
});
