import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineSource } from '../api/index.ts';
import type { RawConfig, SourcePlugin } from '../api/index.ts';
import { exactlyOnceProblems, exactlyOnceWarnings } from './exactly-once-check.ts';
import { refusedSettings } from './refused-settings.ts';
import { sourceDelivery } from './source-delivery.ts';
import type { SourceDelivery } from './source-delivery.ts';

const plugin = (more: Partial<SourcePlugin> = {}): SourcePlugin =>
  defineSource({ version: '1', config: {}, start: () => Promise.reject(new Error('not here')), ...more });
const required: RawConfig = { 'exactly.once.support': 'Required' };
const byConnector: RawConfig = { 'transaction.boundary': ' CONNECTOR ' };
const messages = (raw: RawConfig, source: SourcePlugin, delivery: SourceDelivery): string[] =>
  exactlyOnceProblems(raw, source, delivery).map(({ message }) => message.slice(0, 60));

test('exactly.once.support=required needs a worker that has it and a connector that says so', () => {
  const supported = plugin({ exactlyOnceSupport: 'supported' });
  assert.deepEqual(messages(required, supported, 'transactions'), []);
  assert.deepEqual(messages(required, plugin({ exactlyOnceSupport: 'unsupported' }), 'transactions'), [
    'The connector does not support exactly-once semantics with t',
  ]);
  assert.deepEqual(messages(required, plugin(), 'plain'), [
    'This worker does not have exactly-once source support enable',
    'The connector does not implement the API required for prefli',
  ]);
  assert.deepEqual(messages({ 'exactly.once.support': 'requested' }, plugin(), 'plain'), []);
  assert.deepEqual(messages(required, plugin(), 'standalone'), []);
  assert.deepEqual(messages(required, supported, 'atomic'), []);
});

test('transaction.boundary=connector needs a connector that can, whether or not the worker has exactly-once', () => {
  const able = plugin({ canDefineTransactionBoundaries: true });
  for (const delivery of ['transactions', 'plain'] as const) {
    assert.deepEqual(messages(byConnector, able, delivery), []);
    assert.deepEqual(messages(byConnector, plugin(), delivery), ['The connector does not support connector-defined transaction']);
  }
  assert.deepEqual(messages(byConnector, plugin(), 'standalone'), []);
  assert.match(refusedSettings(byConnector, able, 'atomic')[0]?.message ?? '', /on the embedded log each write is a transaction/);
});

test('what has no effect is said', () => {
  const own: RawConfig = { 'offsets.storage.topic': 'o' };
  const interval: RawConfig = { 'transaction.boundary.interval.ms': '5' };
  const said = (raw: RawConfig, delivery: SourceDelivery): string => exactlyOnceWarnings(raw, delivery).join('\n');
  assert.match(
    said(required, 'standalone'),
    /^exactly.once.support=Required has no effect: a standalone worker on Kafka writes without transactions/,
  );
  assert.match(said(required, 'plain'), /exactly.once.source.support is not enabled/);
  assert.match(said(own, 'standalone'), /^offsets.storage.topic=o has no effect/);
  assert.equal(said({ ...own, ...required, ...byConnector }, 'transactions'), '');
  assert.equal(said({ ...own, 'transaction.boundary': 'poll' }, 'plain'), '');
  assert.match(said(interval, 'transactions'), /transaction.boundary is not interval/);
  assert.equal(said({ ...interval, 'transaction.boundary': 'interval' }, 'transactions'), '');
});

test('how a worker delivers', () => {
  const of = sourceDelivery;
  assert.equal(of({ log: 'embedded', mode: 'standalone', exactlyOnce: 'disabled' }), 'atomic');
  assert.equal(of({ log: 'kafka', mode: 'standalone', exactlyOnce: 'enabled' }), 'standalone');
  assert.equal(of({ log: 'kafka', mode: 'distributed', exactlyOnce: 'preparing' }), 'plain');
  assert.equal(of({ log: 'kafka', mode: 'distributed', exactlyOnce: 'enabled' }), 'transactions');
});
