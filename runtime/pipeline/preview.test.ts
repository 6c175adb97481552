import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataError, noHeaders, schemas } from '../api/index.ts';
import type { Converter, HeaderConverter, RawConfig, SourceRecord, Transform } from '../api/index.ts';
import { previewPipeline } from './preview.ts';
import { StageError } from './stage-error.ts';

const refusing = (text: string): Converter => ({
  write(_topic, _schema, value, out) {
    if (value === text) throw new DataError(`${text} is refused`);
    if (value === null) return false;
    out.text(String(value));
    return true;
  },
  read: () => ({ schema: null, value: null }),
});
const headerConverter: HeaderConverter = {
  writeHeader: (_topic, _key, _schema, value) => (value === null ? null : Buffer.from(String(value))),
  readHeader: () => ({ schema: null, value: null }),
};
const chain = (<R extends SourceRecord>(record: R): R | null => {
  if (record.value === 'broken') throw new StageError('TRANSFORMATION', new Error('it is broken'), 'org.example.Transform');
  return record.value === 'dropped' ? null : record;
}) as Transform;

function pipeline(config: RawConfig = {}, maxRecordBytes = 1_000_000) {
  const converterClasses = { key: 'org.example.Key', value: 'org.example.Value', header: 'org.example.Header' };
  const converters = { keyConverter: refusing('no key'), valueConverter: refusing('no value'), headerConverter, converterClasses };
  return previewPipeline(chain, { ...converters, maxRecordBytes }, config);
}

const record = (value: string | null, more: Partial<SourceRecord> = {}): SourceRecord => ({
  topic: 't',
  partition: null,
  keySchema: schemas.string,
  key: 'k',
  valueSchema: schemas.string,
  value,
  timestamp: null,
  headers: noHeaders,
  sourcePartition: {},
  sourceOffset: {},
  ...more,
});

test('a record is shown as it would stand in the log', () => {
  const headers = [
    { key: 'h', schema: schemas.string, value: 'ä' },
    { key: 'none', schema: null, value: null },
  ];
  assert.deepEqual(pipeline().show(record('v', { partition: 7, timestamp: 5, headers })), {
    topic: 't',
    partition: 7,
    timestamp: 5,
    key: { bytes: new Uint8Array(Buffer.from('k')) },
    value: { bytes: new Uint8Array(Buffer.from('v')) },
    headers: [
      { key: 'h', value: { bytes: new Uint8Array(Buffer.from('ä')) } },
      { key: 'none', value: null },
    ],
  });
  assert.equal(pipeline().show(record('dropped')), undefined);
});

test('records follow each other, large ones cut', () => {
  const steps = pipeline({}, 4_000_000);
  const large = steps.show(record('x'.repeat(2_000_000)));
  assert.ok(large && 'value' in large);
  assert.deepEqual([large.value?.bytes.length, large.value?.cutFrom], [1024 * 1024, 2_000_000]);
  const next = steps.show(record(null));
  assert.ok(next && 'value' in next);
  assert.deepEqual([next.value, next.key?.bytes.buffer.byteLength], [null, 1]);
});

test('a record that fails is shown with where it does', () => {
  const failures = [record('broken'), record('v', { key: 'no key' }), record('no value')].map((each) => pipeline().show(each));
  assert.deepEqual(failures, [
    { topic: 't', error: { stage: 'TRANSFORMATION', class: 'org.example.Transform', message: 'it is broken', outcome: 'task fails' } },
    { topic: 't', error: { stage: 'KEY_CONVERTER', class: 'org.example.Key', message: 'no key is refused', outcome: 'task fails' } },
    { topic: 't', error: { stage: 'VALUE_CONVERTER', class: 'org.example.Value', message: 'no value is refused', outcome: 'task fails' } },
  ]);
  const large = pipeline({}, 20).show(record('twenty bytes and more'));
  assert.ok(large && 'error' in large);
  assert.equal(large.error.stage, 'KAFKA_PRODUCE');
});

test('… and with what the config makes of it', () => {
  const outcomeOf = (config: RawConfig): string => pipeline(config).outcome;
  const dead = { 'errors.deadletterqueue.topic.name': 'dead' };
  assert.equal(outcomeOf(dead), 'task fails');
  assert.equal(outcomeOf({ 'errors.tolerance': 'all' }), 'left out');
  assert.equal(outcomeOf({ 'errors.tolerance': 'ALL', ...dead }), 'dead letter');
});
