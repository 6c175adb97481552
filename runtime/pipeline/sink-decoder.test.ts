import { deepEqual, equal, rejects } from 'node:assert/strict';
import { it } from 'node:test';
import { batchOf } from '../../test/contract/log-fixture.ts';
import { RetriableError, noHeaders, schemas } from '../api/index.ts';
import type { Converter, SerializedForm, SinkRecord, Transform } from '../api/index.ts';
import { errorPolicy } from './error-policy.ts';
import { placeOf, SinkDecoder } from './sink-decoder.ts';
import type { DecoderParts } from './sink-decoder.ts';
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

function decoder(config: Record<string, string>, more: Partial<DecoderParts> = {}): SinkDecoder {
  const errors = errorPolicy({ 'errors.retry.delay.max.ms': '1', ...config }, 'c-0', quiet, new TaskFigures());
  return new SinkDecoder({
    keyConverter: nothing,
    valueConverter: nothing,
    headerConverter: headers,
    converterClasses,
    errors,
    traced: false,
    ...more,
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

it('only values are left in their bytes, and only where the sink asks for it', () => {
  const forms: (SerializedForm | 'read')[] = [];
  const valueConverter: Converter = {
    ...nothing,
    read: () => (forms.push('read'), { schema: null, value: 'read' }),
    readSerialized: (_topic, _bytes, form) => (forms.push(form), { schema: null, value: form }),
  };
  const batch = batchOf('t', 0, [{ key: 'k', value: 'v' }]);
  const run = { ...batch, position: 0n, nextPosition: 1n, highWatermark: 1n };
  for (const serialized of ['json', 'text', undefined] as const) {
    for (const traced of [false, true]) {
      const [read] = decoder({}, { keyConverter: { ...valueConverter, read: nothing.read }, valueConverter, serialized, traced }).decode(
        run,
      );
      deepEqual([read?.key, read?.value], [null, serialized ?? 'read']);
    }
  }
  deepEqual(forms, ['json', 'json', 'text', 'text', 'read', 'read']);
});

it('a dead letter that comes again is of the topic that it came from, and stands where it is read', () => {
  const headers = {
    own: '1',
    '__millrace.resubmitted.topic': 't',
    '__millrace.resubmitted.partition': '4',
    '__millrace.resubmitted.offset': '7',
  };
  const batch = batchOf('again', 0, [{ key: 'k', value: 'v', headers }]);
  const run = { ...batch, position: 0n, nextPosition: 1n, highWatermark: 1n };
  for (const traced of [false, true]) {
    const again = decoder({}, { resubmissionTopic: 'again', traced });
    const [read] = again.decode(run);
    const resubmitted = { topic: 't', partition: 4, offset: 7n };
    const places = (of: SinkRecord | null | undefined): unknown => [
      of?.topic,
      of?.originalTopic,
      of?.partition,
      of?.offset,
      of?.resubmitted,
    ];
    deepEqual(places(read), ['t', 'again', 0, 0n, resubmitted]);
    deepEqual(
      read?.headers.map(({ key }) => key),
      ['own'],
    );
    // Whether a transform copies the record, or makes one from nothing.
    for (const base of [read as SinkRecord, record]) {
      const mapped = again.transformed(read as SinkRecord, (() => ({ ...base, topic: 'u' })) as unknown as Transform, signal) as SinkRecord;
      deepEqual([mapped.topic, mapped.originalTopic, mapped.resubmitted], ['u', 'again', resubmitted]);
    }
    // Its next dead letter says both.
    if (traced) deepEqual([placeOf(read as SinkRecord).topic, placeOf(read as SinkRecord).raw?.headers.length], ['again', 4]);
  }
  deepEqual(
    decoder({})
      .decode(run)
      .map(({ topic, originalTopic }) => [topic, originalTopic]),
    [['again', undefined]],
  );
});
