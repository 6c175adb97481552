import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { RawConfig } from '../../api/index.ts';
import type { FolderConnector } from './connector-folder.ts';
import { makePlan } from './plan.ts';
import type { PlanOptions } from './plan.ts';

const marker = 'millrace.apply.owner';
const ours = { [marker]: 'team' };
const file = (name: string, config: RawConfig = { a: '1' }): FolderConnector => ({ file: `${name}.json`, name, config });
const cluster = (configs: Readonly<Record<string, RawConfig>>): ReadonlyMap<string, RawConfig> =>
  new Map(Object.entries(configs).map(([name, config]) => [name, { ...config, name }]));
const options = (given: Partial<PlanOptions> = {}): PlanOptions => ({
  owner: { name: 'team', isDefault: true },
  prune: false,
  adopt: false,
  ...given,
});
const named = { owner: { name: 'team', isDefault: false } };

describe('makePlan', () => {
  test('what is new is made with the marker, which is no part of what is shown', () => {
    const { changes } = makePlan([file('x')], cluster({}), options());
    assert.deepEqual(changes, [
      { action: 'create', name: 'x', connector: file('x'), config: { a: '1', name: 'x', ...ours }, keys: [{ key: 'a', after: '1' }] },
    ]);
  });

  test('what is the same is not touched, whoever made it', () => {
    const { changes, unchanged, unowned } = makePlan(
      [file('x'), file('y')],
      cluster({ x: { a: '1', ...ours }, y: { a: '1' } }),
      options({ prune: true }),
    );
    assert.deepEqual([changes, unchanged.map(({ name }) => name), unowned], [[], ['x', 'y'], ['y']]);
  });

  test('a change keeps the marker, and does not put one where there was none', () => {
    const { changes, unowned } = makePlan(
      [file('x', { a: '2', c: '3' }), file('y', { a: '2' })],
      cluster({ x: { a: '1', b: '2', ...ours }, y: { a: '1' } }),
      options(),
    );
    const [x, y] = changes;
    assert.deepEqual(x?.action === 'change' && x.keys, [
      { key: 'a', before: '1', after: '2' },
      { key: 'b', before: '2' },
      { key: 'c', after: '3' },
    ]);
    assert.deepEqual(x?.action === 'change' && x.config, { a: '2', c: '3', name: 'x', ...ours });
    assert.deepEqual(y?.action === 'change' && y.config, { a: '2', name: 'y' });
    assert.deepEqual(unowned, ['y']);
  });

  test('pruning deletes what this folder made, first of all, and nothing else', () => {
    const there = cluster({ x: { a: '1', ...ours }, old: { ...ours }, hand: { a: '1' }, other: { [marker]: 'other' } });
    const kept = makePlan([file('x'), file('new')], there, options());
    assert.deepEqual([kept.leftOver, kept.changes.map(({ name }) => name)], [['old'], ['new']]);
    const pruned = makePlan([file('x'), file('new')], there, options({ prune: true }));
    assert.deepEqual(
      pruned.changes.map(({ action, name }) => [action, name]),
      [
        ['delete', 'old'],
        ['create', 'new'],
      ],
    );
    assert.deepEqual(pruned.leftOver, []);
  });

  test('another folder’s connector is a problem, until it is taken over', () => {
    const there = cluster({ x: { a: '1', [marker]: 'other' } });
    const { problems, changes } = makePlan([file('x')], there, options());
    assert.match(problems[0]?.reason ?? '', /belongs to "other", and this folder is "team"/);
    assert.deepEqual(changes, []);
    const adopted = makePlan([file('x')], there, options({ adopt: true }));
    assert.deepEqual(adopted.problems, []);
    assert.deepEqual(
      adopted.changes.map((change) => change.action === 'change' && change.keys),
      [[{ key: marker, before: 'other', after: 'team' }]],
    );
  });

  test('another folder of the same name is stopped at its first run, unless its name was chosen', () => {
    const there = cluster({ a: { z: '9', ...ours } });
    for (const given of [options(), options({ prune: true })])
      assert.match(makePlan([file('x')], there, given).problems[0]?.reason ?? '', /may be another folder of that name/);
    assert.deepEqual(makePlan([file('x')], there, options({ prune: true, ...named })).problems, []);
    // It has nothing to make, and so leaves no trace.
    assert.deepEqual(makePlan([file('x')], cluster({ x: { a: '1' }, b: ours }), options()).problems, []);
  });

  test('a folder whose only connector was renamed is still the same folder', () => {
    const { problems, changes } = makePlan([file('x2')], cluster({ x: { a: '1', ...ours } }), options({ prune: true }));
    assert.deepEqual([problems, changes.map(({ action }) => action)], [[], ['delete', 'create']]);
  });
});
