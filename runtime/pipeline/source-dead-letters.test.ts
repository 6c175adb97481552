import { deepEqual, equal } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Decimal, noHeaders, schemas, structOf, structSchema } from '../api/index.ts';
import type { Converter, SourceRecord } from '../api/index.ts';
import { BufferPool } from './buffer-pool.ts';
import { jsonText } from './json-text.ts';
import { RecordEncoder } from './record-encoder.ts';
import { sourceDeadLetters } from './source-dead-letters.ts';
import { TaskFigures } from './task-figures.ts';
import { failure, letterSettings, letterTopic, lettersOf } from './test/letters.ts';

const nothing: Converter = { write: () => false, read: () => ({ schema: null, value: null }) };
const headers = { writeHeader: () => null, readHeader: () => ({ schema: null, value: null }) };

const record: SourceRecord = {
  topic: 't',
  partition: null,
  keySchema: schemas.string,
  key: 'k',
  valueSchema: null,
  value: { a: 1n },
  timestamp: 7,
  headers: [{ key: 'h', schema: schemas.string, value: 'text' }],
  sourcePartition: { db: 'x' },
  sourceOffset: { at: 9 },
};

function encoderOf(maxRecordBytes: number): RecordEncoder {
  const pool = new BufferPool(1_000_000);
  const encoder = new RecordEncoder({
    keyConverter: nothing,
    valueConverter: nothing,
    headerConverter: headers,
    pool,
    maxRecordBytes,
    maxBatchBytes: 100_000,
    compression: 'none',
  });
  encoder.learn(letterTopic.name, 1);
  return encoder;
}

describe('dead letters of a source', () => {
  it('hold key, value and headers as text, and where in the source they stand', () => {
    const letters = sourceDeadLetters(letterSettings, letterTopic, new TaskFigures());
    letters.takeLetter(failure, record);
    const [forms = []] = letters.drain();
    deepEqual(letters.drain(), []);
    const encoder = encoderOf(10_000);
    equal(encoder.encodeLetter(letterTopic, forms[0] as (typeof forms)[number]), 'encoded');
    const [read] = lettersOf(encoder.cut());
    deepEqual([read?.key, read?.value, read?.timestamp, read?.headers['h']], ['"k"', '{"a":1}', 7, 'text']);
    deepEqual(
      ['topic', 'partition', 'offset'].map((name) => read?.headers[`__connect.errors.${name}`]),
      ['t', '-1', '-1'],
    );
    equal(read?.headers['__millrace.errors.source.partition'], '{"db":"x"}');
    equal(read?.headers['__millrace.errors.source.offset'], '{"at":9}');
  });

  it('go without what the log has no room for, and say so', () => {
    const letters = sourceDeadLetters({ ...letterSettings, contextHeaders: false }, letterTopic, new TaskFigures());
    letters.takeLetter(failure, { ...record, value: 'x'.repeat(20_000) });
    letters.takeLetter(failure, { ...record, key: 'x'.repeat(20_000), value: 'x'.repeat(20_000), headers: noHeaders });
    const encoder = encoderOf(10_000);
    for (const forms of letters.drain()) {
      equal(
        forms.some((form) => encoder.encodeLetter(letterTopic, form) === 'encoded'),
        true,
      );
    }
    deepEqual(
      lettersOf(encoder.cut()).map(({ key, value, headers: read }) => [key, value, read['__millrace.errors.value.left.out.bytes']]),
      [
        ['"k"', null, '20002'],
        [null, null, '20002'],
      ],
    );
  });
});

it('any value has a JSON text', () => {
  const point = structSchema([
    ['x', schemas.int64],
    ['name', schemas.optionalString],
  ]);
  const circle: unknown[] = [];
  circle.push(circle);
  const texts: readonly (readonly [value: unknown, text: string | null])[] = [
    [null, null],
    ['a"b', '"a\\"b"'],
    [9007199254740993n, '9007199254740993'],
    [Decimal.parse('12.30'), '12.30'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [Buffer.from([1, 2]), '"AQI="'],
    [structOf(point, { x: 1n }), '{"x":1,"name":null}'],
    [new Map<unknown, unknown>([[1, [true, null]]]), '{"1":[true,null]}'],
    [{ a: Number.NaN }, '{"a":null}'],
  ];
  for (const [value, text] of texts) equal(jsonText(value), text);
  equal(jsonText(circle)?.startsWith('"this value cannot be shown'), true);
});
