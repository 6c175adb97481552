import { equal, rejects } from 'node:assert/strict';
import { it } from 'node:test';
import { RetriableError, noHeaders, schemas } from '../api/index.ts';
import type { Converter, SinkRecord, Transform } from '../api/index.ts';
import { errorPolicy } from './error-policy.ts';
import { SinkDecoder } from './sink-decoder.ts';
import { TaskFigures } from './task-figures.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const nothing: Converter = { write: () => false, read: () => ({ schema: null, value: null }) };
const headers = { writeHeader: () => null, readHeader: () => ({ schema: null, value: null }) };
const converterClasses = { key: 'k.Converter', value: 'v.Converter', header: 'h.Converter' };
const record: SinkRecord = {
  topic: 't',
  partition: 0,
  offset: 1n,
  keySchema: null,
  key: null,
  valueSchema: schemas.string,
  value: 'v',
  timestamp: 1,
  timestampType: 'CreateTime',
  headers: noHeaders,
};

function decoder(config: Record<string, string>): SinkDecoder {
  const errors = errorPolicy({ 'errors.retry.delay.max.ms': '1', ...config }, 'c-0', quiet, new TaskFigures());
  return new SinkDecoder({
    keyConverter: nothing,
    valueConverter: nothing,
    headerConverter: headers,
    converterClasses,
    errors,
    traced: false,
  });
}

function failing(times: number): Transform {
  let left = times;
  return (input) => {
    if (left-- > 0) throw new RetriableError('later');
    return input;
  };
}

const { signal } = new AbortController();

it('a transform that may pass is tried again, in the time there is', async () => {
  equal(await decoder({ 'errors.retry.timeout': '60000' }).transformed(record, failing(3), signal), record);
  await rejects(
    async () => decoder({}).transformed(record, failing(1), signal),
    /stage TRANSFORMATION, record \{topic='t', partition=0, offset=1/,
  );
  equal(await decoder({ 'errors.tolerance': 'all' }).transformed(record, failing(1), signal), null);
});

it('a transform that works costs no promise', () => {
  equal(decoder({}).transformed(record, failing(0), signal), record);
});
