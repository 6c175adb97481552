import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ByteSink } from '@millrace/runtime/api';

import type { Plan } from './plan.ts';
import type { RowChange } from './planner.ts';
import { arrayText, copyChunks } from './rows-text.ts';
import { Rows } from './rows.ts';
import { timestampText, writeTimestamp } from './values/civil.ts';
import { writeDecimal } from './values/digits.ts';

const kept = Symbol('kept');

/** What `writeRow` does, for cells that are known. */
function write(rows: Rows, cells: readonly (string | null | typeof kept)[], isLine: boolean): number {
  const row = rows.begin(cells.length);
  const begin = rows.text.position;
  for (const [at, cell] of cells.entries()) {
    if (at > 0) rows.text.byte(0x09);
    const start = rows.text.position;
    if (typeof cell === 'string') {
      rows.text.text(cell);
      rows.setWritten(row, at, start);
    } else {
      if (cell === null) rows.setNull(row, at);
      else rows.setKept(row, at);
      rows.text.text('\\N');
    }
  }
  rows.text.byte(0x0a);
  if (isLine) rows.setLine(row, begin);
  return row;
}

const plan = { columns: [{ plain: true }, { plain: false }] } as unknown as Plan;
const item = (rows: Rows, row: number): RowChange => ({ rows, row }) as unknown as RowChange;
const copied = (items: readonly RowChange[], columns?: readonly number[]): string =>
  Buffer.concat([...copyChunks(plan, columns, items)]).toString();

test('lines go to COPY as they stand, others are escaped, in their order', () => {
  const rows = new Rows();
  const items = [
    item(rows, write(rows, ['1', 'a'], true)),
    item(rows, write(rows, ['2', null], true)),
    item(rows, write(rows, ['3', 'tab\t, line\n\r, \\'], false)),
    item(rows, write(rows, ['4', '\u00fc\u{1f600}'], true)),
  ];
  const [first, second, third, fourth] = ['1\ta\n', '2\t\\N\n', '3\ttab\\t, line\\n\\r, \\\\\n', '4\t\u00fc\u{1f600}\n'];
  assert.equal(copied(items), `${first}${second}${third}${fourth}`);
  assert.equal(copied(items.toReversed()), `${fourth}${third}${second}${first}`);
  assert.equal(copied(items.slice(0, 2), [1]), 'a\n\\N\n');
});

test('more lines than a chunk holds', () => {
  const rows = new Rows();
  const items = Array.from({ length: 5000 }, (_, id) => item(rows, write(rows, [String(id), 'x'.repeat(id % 100)], id % 7 !== 0)));
  const wanted = Array.from({ length: 5000 }, (_, id) => `${id}\t${'x'.repeat(id % 100)}\n`).join('');
  assert.ok([...copyChunks(plan, undefined, items)].length > 1);
  assert.equal(copied(items), wanted);
});

test('items of an array are quoted and escaped', () => {
  const rows = new Rows();
  const items = [
    ['1', 'a'],
    ['2', 'say "\\"'],
    [null, null],
    ['3', ''],
  ].map((cells) => item(rows, write(rows, cells, true)));
  assert.equal(arrayText(plan, 0, items), '{1,2,NULL,3}');
  assert.equal(arrayText(plan, 1, items), '{"a","say \\"\\\\\\"",NULL,""}');
});

test('a merged row has what the later one knows, and what the former one knew besides', () => {
  const rows = new Rows();
  const before = write(rows, ['1', 'old'], true);
  const after = write(rows, ['1', kept], false);
  const { row, sparse } = rows.merge(before, after, 2);
  assert.equal(sparse, false);
  assert.equal(copied([item(rows, row)]), '1\told\n');
  assert.equal(rows.merge(after, after, 2).sparse, true);
});

test('numbers and texts are written as they are shown', () => {
  const values = [0, -0, 7, -7, 999_999_999, 1_000_000_000, -1_234_567_890_123, Number.MAX_SAFE_INTEGER, 2 ** 53, 0.1, -1e300, Number.NaN];
  for (const value of values) {
    const out = new ByteSink();
    writeDecimal(out, value);
    assert.equal(Buffer.from(out.written()).toString(), String(value));
  }
  for (const text of ['', 'abc', 'h\u00e9llo', '\ud800 alone', '\u{1f600}'.repeat(20_000), 'x'.repeat(100_000)]) {
    const out = new ByteSink();
    out.text(text);
    assert.equal(Buffer.from(out.written()).toString(), Buffer.from(text).toString());
  }
});

test('moments are written as they are shown, whatever day came before', () => {
  const days = [0, 0, -141_428, 19_000, -719_529, 19_000, 2_932_897];
  for (const julian of [false, true]) {
    for (const day of days) {
      for (const us of [0, 1, 1000, 86_399_999_999, 43_200_000_000, 3_723_004_005]) {
        const out = new ByteSink();
        writeTimestamp(day, us, julian, out);
        assert.equal(Buffer.from(out.written()).toString(), timestampText(day, us, julian));
      }
    }
  }
});
