import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import type { ConfigKey } from '@millrace/runtime/api';

import { isColumnRule } from '../config/column-rules.ts';
import { config } from '../config/config.ts';
import { readSettings } from '../config/settings.ts';
import { unsupportedKeys } from '../config/unsupported.ts';
import { configValues } from './harness.ts';

const minimal = { 'topic.prefix': 'shop', 'database.hostname': 'h', 'database.user': 'u', 'database.dbname': 'd' };
const rows = readFileSync(new URL('./fixtures/config-defaults.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));

test('groups, types and defaults are those of Debezium', () => {
  for (const [group, key = '', type, standard, importance] of rows) {
    const mine = (config as Record<string, ConfigKey>)[key];
    if (mine === undefined) continue;
    assert.equal(mine.type.toUpperCase(), type, key);
    assert.equal(mine.group, group, key);
    assert.equal(mine.importance.toUpperCase(), importance, key);
    if (standard !== '') assert.equal(String(mine.default), standard, key);
  }
});

test("each of Debezium's keys is acted on, warned about, or refused", () => {
  // Those of Kafka Connect itself, of sources that are not PostgreSQL, and switches of the JVM.
  const elsewhere = /^(Common|Transforms|Predicates|Error Handling|Topic Creation|Exactly Once Support|offsets\.topic)$/;
  const left = rows
    .filter(([group = '', key = '']) => !elsewhere.test(group) && !(key in config))
    .map(([, key = '']) => key.replace(/\(\[\^\.\]\+\)|\(d\+\)|\(\.\+\)/g, '1'))
    .filter((key) => {
      const { refused, ignored } = unsupportedKeys({ [key]: 'set' });
      return refused.length + ignored.length === 0 && !isColumnRule(key);
    });
  assert.deepEqual(left, []);
});

test('values that make no difference pass in silence', () => {
  const raw = Object.fromEntries(
    rows.filter(([, key = '', , standard]) => !(key in config) && standard !== '').map(([, key = '', , standard = '']) => [key, standard]),
  );
  assert.deepEqual(unsupportedKeys(raw), { refused: [], ignored: [] });
});

test('what does not go together is refused', () => {
  const settings = (more: Record<string, string>) => readSettings(configValues({ ...minimal, ...more }), { ...minimal, ...more });
  assert.equal(settings({}).heartbeatTopicPrefix, '__debezium-heartbeat');
  assert.equal(settings({ 'topic.heartbeat.prefix': 'beat' }).heartbeatTopicPrefix, 'beat');
  assert.throws(() => settings({ 'skipped.operations': 'x' }), /skipped.operations: "x" is none of/);
  assert.throws(() => settings({ 'transaction.metadata.factory': 'x.Y' }), /transaction.metadata.factory is a Java class/);
  assert.throws(() => settings({ 'schema.include.list': 'a', 'schema.exclude.list': 'b' }), /both set/);
});

test('rules say what to write instead', () => {
  const complaint = (key: keyof typeof config, value: unknown): string | undefined => {
    const { rule } = config[key] as ConfigKey;
    return rule?.kind === 'custom' ? rule.check(value) : undefined;
  };
  assert.match(complaint('slot.name', 'Upper-Case') ?? '', /digits, lowercase characters and underscores/);
  assert.equal(complaint('slot.name', 'shop_1'), undefined);
  assert.match(complaint('snapshot.mode', 'never') ?? '', /write "no_data"/);
  assert.match(complaint('snapshot.mode', 'custom') ?? '', /not supported/);
  assert.match(complaint('topic.prefix', 'a b') ?? '', /may be in a topic name/);
});
