import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { DataError } from '../api/index.ts';
import { partitionForKey } from '../batch/partitioner.ts';
import { letterBatches } from './dead-letter-batches.ts';
import { withContext } from './dead-letter.ts';
import type { DeadLetter, LetterPlace } from './dead-letter.ts';
import { StageError } from './stage-error.ts';
import { failure, letterSettings, letterTopic, lettersOf } from './test/letters.ts';

const place: LetterPlace = { topic: 't', partition: 4, offset: 17n };
const letter = (value: Buffer | null, extra: Partial<DeadLetter> = {}): DeadLetter & LetterPlace => ({
  ...place,
  key: null,
  value,
  headers: [],
  timestamp: 1234,
  ...extra,
});

describe('a dead letter', () => {
  it('is the record as it was, byte for byte', () => {
    const value = Buffer.from([0xff, 0, 0xfe]);
    const [read] = lettersOf(letterBatches(letterTopic, [letter(value, { key: Buffer.from('k'), headers: [{ key: 'h', value: null }] })]));
    deepEqual(read, { key: 'k', value: value.toString(), timestamp: 1234, headers: { h: null } });
    equal(lettersOf(letterBatches(letterTopic, [letter(null)]))[0]?.value, null);
  });

  it('says where it stood and why it failed', () => {
    const headers = withContext([{ key: 'own', value: Buffer.from('1') }], letterSettings, place, failure);
    const [read] = lettersOf(letterBatches(letterTopic, [letter(Buffer.from('v'), { headers })]));
    const { '__connect.errors.exception.stacktrace': stack, ...rest } = read?.headers ?? {};
    deepEqual(rest, {
      own: '1',
      '__connect.errors.topic': 't',
      '__connect.errors.partition': '4',
      '__connect.errors.offset': '17',
      '__connect.errors.connector.name': 'c',
      '__connect.errors.task.id': '3',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'v.Converter',
      '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
      '__connect.errors.exception.message': 'bad bytes',
    });
    match(stack ?? '', /bad bytes\n +at /);
  });

  it('that was one before keeps what was said of it first', () => {
    const before = [{ key: '__connect.errors.topic', value: Buffer.from('first') }];
    const headers = withContext(before, letterSettings, place, failure);
    deepEqual(
      headers.filter(({ key }) => key === '__connect.errors.topic').map(({ value }) => String(value)),
      ['first'],
    );
  });

  it('names errors that are not Connect’s by their own name', () => {
    const headers = withContext([], letterSettings, place, new StageError('TASK_PUT', new RangeError('r', { cause: new DataError('d') })));
    const of = (name: string): string => String(headers.find(({ key }) => key === `__connect.errors.${name}`)?.value);
    equal(of('exception.class.name'), 'RangeError');
    match(of('exception.stacktrace'), /RangeError: r[^]*Caused by: DataError: d/);
  });

  it('goes where its key says, or with those of its partition', () => {
    const wide = { ...letterTopic, partitions: 5 };
    const key = Buffer.from('some key');
    const batches = letterBatches(wide, [letter(Buffer.from('a'), { key }), letter(Buffer.from('b')), letter(Buffer.from('c'), { key })]);
    deepEqual(
      batches.map(({ partition, records }) => [partition, records]).toSorted(),
      [
        [4, 1],
        [partitionForKey(key, 5), 2],
      ].toSorted(),
    );
  });

  it('that is nearly as large as the topic takes is compressed, then its stack trace cut', () => {
    const topic = { ...letterTopic, maxBatchBytes: 10_000 };
    const stack = { key: '__connect.errors.exception.stacktrace', value: randomBytes(9_000) };
    const value = randomBytes(7_000);
    const one = (extra: Partial<DeadLetter>): number[] => letterBatches(topic, [letter(value, extra)]).map(({ length }) => length);
    equal((one({})[0] ?? 0) > 7_000, true);
    const [compressed] = letterBatches(topic, [letter(Buffer.alloc(50_000, 'x'))]);
    equal(lettersOf([compressed as NonNullable<typeof compressed>])[0]?.value?.length, 50_000);
    equal((one({ headers: [stack] })[0] ?? Infinity) <= 10_000, true);
    throws(
      () => letterBatches(topic, [letter(randomBytes(20_000))]),
      /topic "t", partition 4, offset 17 has 20.*Raise max.message.bytes of topic "dlq"/,
    );
  });

  it('leaves the order of its partition alone, however large', () => {
    const sizes = [10, 600_000, 20, 300_000, 300_000, 30];
    const batches = letterBatches(
      letterTopic,
      sizes.map((size) => letter(Buffer.alloc(size, 'x'))),
    );
    deepEqual(
      lettersOf(batches).map(({ value }) => value?.length),
      sizes,
    );
    equal(
      batches.every(({ length }) => length <= letterTopic.maxBatchBytes),
      true,
    );
  });
});
