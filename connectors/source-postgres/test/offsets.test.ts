import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

import { createConfirmation } from '../slot/confirmation.ts';
import { formatLsn, lsnOf, parseLsn, storedLsn } from '../position/lsn.ts';
import { commitOffset, isBeyond, readOffset, snapshotOffset } from '../position/offsets.ts';
import { isWantedTable, keyRules, pattern, ruledKey } from '../config/filters.ts';

test('LSNs', () => {
  assert.equal(lsnOf(0x16, 0xb374d848), 0x16_b374_d848);
  assert.equal(lsnOf(0xffff_ffff, 1), 0xffff_ffff_0000_0001n);
  for (const text of ['0/0', '16/B374D848', 'FFFFFFFF/1']) assert.equal(formatLsn(parseLsn(text)), text);
  assert.throws(() => parseLsn('16'), TypeError);
  assert.equal(storedLsn(5n), 5);
  assert.equal(storedLsn('5'), undefined);
});

describe("offsets, Debezium's own among them", () => {
  const streaming = (offset: Record<string, number | string>) => readOffset(offset);
  test('none, or something else', () => {
    assert.deepEqual(readOffset(undefined), { phase: 'none' });
    assert.deepEqual(readOffset({ foo: 1 }), { phase: 'none' });
  });
  test('a snapshot, not done and done', () => {
    assert.deepEqual(readOffset(snapshotOffset(10, 1, 2, false)), { phase: 'snapshot' });
    assert.deepEqual(readOffset(snapshotOffset(10, 1, 2, true)), { phase: 'streaming', from: 10, lastCommit: undefined, last: undefined });
  });
  test('the first transaction, a later one, a row within one LSN', () => {
    const row = { lsn_proc: 50, messageType: 'INSERT', lsn: 50, txId: 7, ts_usec: 1 };
    const last = { txId: 7, lsn: 50, row: 0, part: 0 };
    assert.deepEqual(streaming(row), { phase: 'streaming', from: undefined, lastCommit: undefined, last });
    assert.deepEqual(streaming({ ...row, lsn_commit: 40 }), { phase: 'streaming', from: 40, lastCommit: 40, last });
    assert.deepEqual(streaming({ ...row, lsn_commit: 40, millrace_row: 3, millrace_part: 1 }), {
      phase: 'streaming',
      from: 40,
      lastCommit: 40,
      last: { ...last, row: 3, part: 1 },
    });
  });
  test('between transactions; without a snapshot', () => {
    // At 60 itself a row of an open transaction may stand, which Debezium would take for the one that was stored.
    assert.deepEqual(commitOffset(60, 7, 1), { lsn_proc: 60, messageType: 'COMMIT', lsn_commit: 60, lsn: 59, txId: 7, ts_usec: 1 });
    assert.deepEqual(readOffset(commitOffset(60, 7, 1)), { phase: 'streaming', from: 60, lastCommit: 60, last: undefined });
    assert.deepEqual(streaming({ lsn: 60, txId: 1, ts_usec: 1 }), { phase: 'streaming', from: 60, lastCommit: undefined, last: undefined });
  });
  test('each form that was recorded is understood', () => {
    const recorded = readFileSync(new URL('./fixtures/offsets.jsonl', import.meta.url), 'utf8')
      .trim()
      .split('\n');
    const found = recorded.map((line) => {
      const offset = JSON.parse((JSON.parse(line) as { value: string }).value) as Record<string, number | string>;
      const resume = readOffset(offset);
      if (resume.phase !== 'streaming') return resume.phase;
      return [
        offset['messageType'] ?? 'none',
        resume.last === undefined ? 'whole' : `after ${resume.last.txId === null ? 'a message' : 'a row'}`,
      ].join(': ');
    });
    assert.deepEqual(found, [
      'snapshot',
      'none: whole',
      'COMMIT: whole',
      'MESSAGE: after a message',
      'INSERT: after a row',
      'DELETE: after a row',
      'INSERT: after a row',
      'UPDATE: after a row',
      'TRUNCATE: after a row',
      'COMMIT: whole',
      'COMMIT: whole',
      'none: whole',
    ]);
  });
  test('a transaction of which the beginning was told, or some of the rows', () => {
    const begin = { lsn_proc: 50, messageType: 'BEGIN', lsn_commit: 40, lsn: 50, txId: 7, ts_usec: 1, transaction_id: '7' };
    assert.deepEqual(readOffset(begin), { phase: 'streaming', from: 40, lastCommit: 40, last: { txId: 7, lsn: 50, row: -1, part: 0 } });
    const row = readOffset({ ...begin, messageType: 'INSERT', 'transaction_data_collection_order_public.a': 3 });
    assert.deepEqual(row.phase === 'streaming' && row.last?.counts, new Map([['public.a', 3]]));
  });
  test('order within a transaction', () => {
    const place = { txId: 1, lsn: 10, row: 2, part: 1 };
    for (const [lsn, row, part, expected] of [
      [9, 9, 9, false],
      [10, 1, 9, false],
      [10, 2, 1, false],
      [10, 2, 2, true],
      [10, 3, 0, true],
      [11, 0, 0, true],
    ] as const) {
      assert.equal(isBeyond(lsn, row, part, place), expected);
    }
  });
});

describe('what may be confirmed', () => {
  const row = (lsn: number, commit: number) => ({ lsn, lsn_commit: commit, messageType: 'INSERT', txId: 1 });
  test('nothing before something is stored, then the commit before it; never back', () => {
    const confirmation = createConfirmation('shop', 0);
    assert.equal(confirmation.confirmable, undefined);
    confirmation.stored(row(50, 40));
    assert.equal(confirmation.confirmable, 40);
    confirmation.stored(row(30, 20));
    assert.equal(confirmation.confirmable, 40);
  });
  test('to where the stream has come is stored first', () => {
    const confirmation = createConfirmation('shop', 0);
    confirmation.stored(row(50, 40));
    assert.equal(confirmation.position(undefined, 1, 2), undefined, 'within a transaction');
    assert.equal(confirmation.position(40, 1, 2), undefined, 'it is stored already');
    const position = confirmation.position(90, 1, 2);
    assert.deepEqual(position, { partition: { server: 'shop' }, offset: commitOffset(90, 1, 2) });
    assert.equal(confirmation.confirmable, 40);
    assert.equal(confirmation.position(90, 1, 2), undefined, 'it is on its way already');
    confirmation.stored(position?.offset ?? {});
    assert.equal(confirmation.confirmable, 90);
  });
  test('a position is not stored more often than it has to be', () => {
    const confirmation = createConfirmation('shop', 3_600_000);
    assert.notEqual(confirmation.position(90, null, null), undefined);
    assert.equal(confirmation.position(100, null, null), undefined);
  });
});

describe('lists', () => {
  const lists = (include: string[], exclude: string[] = []) => ({
    schemas: { include: [], exclude: [] },
    tables: { include: include.map((text) => pattern('k', text)), exclude: exclude.map((text) => pattern('k', text)) },
    columns: { include: [], exclude: [] },
  });
  test('patterns match whole names, whatever their case', () => {
    assert.equal(isWantedTable(lists(['public.orders']), 'public', 'ORDERS'), true);
    assert.equal(isWantedTable(lists(['public.orders']), 'public', 'orders_old'), false);
    assert.equal(isWantedTable(lists(['public\\.(a|b)']), 'public', 'b'), true);
    assert.equal(isWantedTable(lists([], ['public\\.a.*']), 'public', 'abc'), false);
    assert.equal(isWantedTable(lists([]), 'pg_catalog', 'pg_class'), false);
  });
  test('keys of other columns', () => {
    const columns = ['id', 'region', 'item_a', 'item_b'];
    const key = (text: string, table: string): string[] => ruledKey(keyRules(text), 'shop', table, columns);
    assert.deepEqual(key('Shop.Orders:region, id ; ', 'orders'), ['region', 'id']);
    assert.deepEqual(key('shop.orders:id', 'items'), []);
    assert.deepEqual(key('shop.(.*):item_.*;shop.items:id,item_b', 'items'), ['item_a', 'item_b', 'id'], 'all rules count');
    assert.throws(() => keyRules('orders'), /not of the form/);
  });
});
