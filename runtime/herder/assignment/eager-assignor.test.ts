import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workOfSizes } from '../test/simulated-group.ts';
import { shareEagerly } from './eager-assignor.ts';

test('connectors, then tasks, are dealt in order, and the tasks go on where the connectors ended', () => {
  const { connectors, tasks } = workOfSizes([11, 1, 0]);
  const shares = shareEagerly(['b', 'a'], { connectors: connectors.toReversed(), tasks: tasks.toReversed() });
  assert.deepEqual([...shares.keys()], ['a', 'b']);
  assert.deepEqual(shares.get('a')!.connectors, ['c0', 'c2']);
  assert.deepEqual(shares.get('b')!.connectors, ['c1']);
  const numbers = (id: string) => shares.get(id)!.tasks.map(({ connector, task }) => `${connector}-${task}`);
  assert.deepEqual(numbers('b'), ['c0-0', 'c0-2', 'c0-4', 'c0-6', 'c0-8', 'c0-10']);
  assert.deepEqual(numbers('a'), ['c0-1', 'c0-3', 'c0-5', 'c0-7', 'c0-9', 'c1-0']);
});

test('a member for whom nothing is left is told so', () => {
  assert.deepEqual(
    [...shareEagerly(['x', 'y'], { connectors: ['only'], tasks: [] })],
    [
      ['x', { connectors: ['only'], tasks: [] }],
      ['y', { connectors: [], tasks: [] }],
    ],
  );
});
