import { equal, ok } from 'node:assert/strict';
import { it } from 'node:test';
import { withPart } from './docs-parts.ts';

const order = ['a', 'b', 'c'];
const target = (measured: string, met: boolean) => ({ figure: 'speed', target: '≥ 4×', measured, met });

it('a part replaces its own figures and targets, and nothing else', () => {
  const first = withPart('', order, 'c', { lines: ['## C', 'old'], targets: [target('5×', true)] });
  const both = withPart(first, order, 'a', { lines: ['## A'], targets: [target('3×', false)] });
  ok(both.indexOf('## A') < both.indexOf('## C'));
  const again = withPart(both, order, 'c', { lines: ['## C', 'new'], targets: [target('6×', true)] });
  equal(again, both.replace('old', 'new').replace('5×', '6×'));
  ok(again.includes('| a | speed | ≥ 4× | 3× | **missed** |'));
  equal(withPart(again, order, 'c', { lines: ['## C', 'new'], targets: [target('6×', true)] }), again);
});
