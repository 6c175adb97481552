/** docs/source-postgres.md and the code say the same of every key. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import type { ConfigKey } from '@millrace/runtime/api';

import { isColumnRule } from '../config/column-rules.ts';
import { config } from '../config/config.ts';
import { isSelectOverride } from '../config/select-overrides.ts';
import { unsupportedKeys } from '../config/unsupported.ts';

interface Row {
  readonly key: string;
  readonly standard: string;
  readonly state: string;
  readonly tests: readonly string[];
}

const plain = (cell: string | undefined): string => (cell ?? '').trim().replaceAll('`', '');
const rows: readonly Row[] = readFileSync(new URL('../../../docs/source-postgres.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\| `[a-z][A-Za-z.]*[^`]*` \|/.test(line))
  .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
  .filter((cells) => cells.length === 3 || cells.length === 5)
  .map((cells) => ({
    key: plain(cells[0]),
    standard: plain(cells[1]),
    state: plain(cells.length === 3 ? cells[2] : cells[3]),
    tests: plain(cells[4])
      .replace(/\([^)]*\)/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && name !== '—'),
  }));

/** Debezium's keys whose names are patterns, as the docs have them. */
const written = (key: string): string => key.replace('([^.]+)', 'ALGORITHM').replace('(.+)', 'SALT').replace('(d+)', 'N');
/** A key that one could write. */
const sample = (key: string): string => key.replace(/\.N\./, '.3.').replace('ALGORITHM', 'SHA-256');
const own = config as Record<string, ConfigKey>;
const debezium = readFileSync(new URL('./fixtures/config-defaults.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => line.split('\t'));
const ofConnect = /^(Common|Transforms|Predicates|Error Handling|Topic Creation|Exactly Once Support|offsets\.topic)$/;
const groups = new Map(debezium.map(([group = '', key = '']) => [written(key), group]));
const defaults = new Map(debezium.map(([, key = '', , standard = '']) => [written(key), standard]));

function stateOf(key: string): string {
  if (ofConnect.test(groups.get(key) ?? '')) return 'worker';
  if (key in own) return own[key]?.noEffect === undefined ? 'works' : 'ignored';
  if (isColumnRule(sample(key)) || isSelectOverride(key)) return 'works';
  return unsupportedKeys({ [key]: 'set' }).refused.length > 0 ? 'refused' : 'ignored';
}

function defaultOf(key: string): string | undefined {
  const standard = own[key]?.default;
  if (key in own) return standard === undefined ? 'required' : standard === null ? (defaults.get(key) ?? '') : String(standard);
  return defaults.get(key);
}

test('every key stands in the docs, once', () => {
  const named = rows.map(({ key }) => key);
  assert.deepEqual(
    [...groups.keys(), ...Object.keys(own)].filter((key) => !named.includes(key)),
    [],
    'add a row for these',
  );
  assert.deepEqual(
    named.filter((key, at) => named.indexOf(key) !== at),
    [],
  );
});

test('each with the state and the default that the code has', () => {
  const wrong = rows.flatMap(({ key, state, standard }) => {
    const found = stateOf(key);
    const said = state.split(',')[0] === 'alias' ? 'works' : state.split(',')[0];
    const usual = defaultOf(key);
    return [
      ...(said === found ? [] : [`${key}: the docs say "${state}", the code "${found}"`]),
      ...(usual === undefined || usual === standard ? [] : [`${key}: the docs say default "${standard}", the code "${usual}"`]),
    ];
  });
  assert.deepEqual(wrong, []);
});

test('tests that are named are there', () => {
  const named = new Set(rows.flatMap(({ tests }) => tests));
  assert.deepEqual(
    [...named].filter((name) => !existsSync(new URL(`./${name}.test.ts`, import.meta.url))),
    [],
  );
});
