import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noHeaders, schemas } from '../api/index.ts';
import type { ConnectRecord, Transform } from '../api/index.ts';
import { composeChain } from './transform-chain.ts';

const record: ConnectRecord = {
  topic: 't',
  partition: null,
  keySchema: null,
  key: null,
  valueSchema: schemas.string,
  value: 'v',
  timestamp: null,
  headers: noHeaders,
};

const suffix =
  (text: string): Transform =>
  (record) => ({ ...record, topic: record.topic + text });

test('links run in order; a predicate or its negation passes one over', () => {
  const chain = composeChain([
    { alias: 'a', class: 'a', transform: suffix('a'), negate: false },
    { alias: 'b', class: 'b', transform: suffix('b'), predicate: () => true, negate: true },
    { alias: 'c', class: 'c', transform: suffix('c'), predicate: (r) => r.topic === 'ta', negate: false },
    { alias: 'd', class: 'd', transform: suffix('d'), predicate: () => false, negate: true },
  ]);
  assert.equal(chain?.(record)?.topic, 'tacd');
});

test('a dropped record is not shown to later links', () => {
  const chain = composeChain([
    { alias: 'drop', class: 'drop', transform: () => null, negate: false },
    { alias: 'never', class: 'never', transform: () => assert.fail('reached'), negate: false },
  ]);
  assert.equal(chain?.(record), null);
});

test('no links, no chain', () => assert.equal(composeChain([]), undefined));
