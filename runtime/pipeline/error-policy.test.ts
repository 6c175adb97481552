import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataError, RetriableError, javaText, noHeaders, schemas } from '../api/index.ts';
import type { Logger, RawConfig, SinkRecord, SourceRecord } from '../api/index.ts';
import { errorPolicy } from './error-policy.ts';
import type { ErrorPolicy } from './error-policy.ts';
import { StageError } from './stage-error.ts';
import { TaskFigures } from './task-figures.ts';

const content = {
  keySchema: schemas.string,
  key: 'k',
  valueSchema: schemas.string,
  value: 'the value',
  timestamp: 7,
  headers: noHeaders,
};
const read: SinkRecord = { ...content, topic: 't', partition: 2, offset: 5n, timestampType: 'CreateTime' };
const polled: SourceRecord = { ...content, topic: 't', partition: null, sourcePartition: { db: 'x' }, sourceOffset: { at: 9 } };
const failure = new StageError('VALUE_CONVERTER', new DataError('bad bytes'), 'v.Converter');

function policy(config: RawConfig): { policy: ErrorPolicy; logged: string[]; count: (name: string) => number | undefined } {
  const logged: string[] = [];
  const write = (message: string): void => void logged.push(message);
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  const figures = new TaskFigures();
  return { policy: errorPolicy(config, 'c-0', log, figures), logged, count: (name) => figures.snapshot(Date.now())[name] };
}

describe('a record that fails', () => {
  it('fails the task, which says where it stands', () => {
    const { policy: strict, logged, count } = policy({});
    throws(() => strict.tolerate(failure, read), {
      message:
        /^Tolerance exceeded in error handler: task c-0, stage VALUE_CONVERTER, record \{topic='t', partition=2, offset=5, timestamp=7\}: .*bad bytes/,
    });
    throws(() => strict.tolerate(failure, polled), /sourcePartition=\{db=x\}, sourceOffset=\{at=9\}/);
    deepEqual([logged, count('total-record-failures'), count('total-records-skipped')], [[], 2, undefined]);
  });

  it('is skipped where that is wanted, counted, and logged without what is in it', () => {
    const { policy: lenient, logged, count } = policy({ 'errors.tolerance': 'ALL', 'errors.log.enable': 'true' });
    lenient.tolerate(failure, polled);
    deepEqual([count('total-records-skipped'), count('total-errors-logged')], [1, 1]);
    equal(logged[0], "Error encountered in task c-0. Executing stage 'VALUE_CONVERTER' with class 'v.Converter'.");
  });

  it('is logged as Connect does: where a sink read it, and all of what a source polled', () => {
    const { policy: lenient, logged } = policy({
      'errors.tolerance': 'all',
      'errors.log.enable': 'true',
      'errors.log.include.messages': 'true',
    });
    lenient.tolerate(failure, read);
    lenient.tolerate(failure, polled);
    match(logged[0] ?? '', /where consumed record is \{topic='t', partition=2, offset=5, timestamp=7, timestampType=CreateTime\}\.$/);
    match(logged[1] ?? '', /sourceOffset=\{at=9\}, timestamp=7, key=k, value=the value, headers=\[\]\}\.$/);
  });

  it('may be nested without end: that is said, and logging it is no failure of the task', () => {
    const { policy: lenient, logged } = policy({
      'errors.tolerance': 'all',
      'errors.log.enable': 'true',
      'errors.log.include.messages': 'true',
    });
    const endless: unknown[] = [];
    endless.push(endless);
    let overflow: unknown;
    try {
      javaText(null, endless);
    } catch (error) {
      overflow = error;
    }
    const deep = new StageError('VALUE_CONVERTER', overflow);
    match(deep.message, /^it is nested too deep/);
    lenient.tolerate(deep, { ...polled, valueSchema: null, value: endless });
    match(logged[0] ?? '', /value=\(cannot be shown: .*call stack.*\), headers/);
  });
});

describe('what may pass', () => {
  const retriable = new StageError('TRANSFORMATION', new RetriableError('later'));
  const { signal } = new AbortController();

  it('is tried again for as long as it is told', async () => {
    const { policy: patient, count } = policy({ 'errors.retry.timeout': '60000', 'errors.retry.delay.max.ms': '1' });
    equal(await patient.retry(retriable, 0, Date.now(), signal), true);
    equal(await patient.retry(retriable, 0, Date.now() - 60_000, signal), false);
    equal(await patient.retry(failure, 0, Date.now(), signal), false);
    equal(count('total-retries'), 1);
    equal(await policy({}).policy.retry(retriable, 0, Date.now(), signal), false);
  });

  it('is not given up when the task stops', async () => {
    const stopped = new AbortController();
    const waiting = policy({ 'errors.retry.timeout': '-1' }).policy.retry(retriable, 0, 0, stopped.signal);
    stopped.abort();
    await rejects(waiting, { name: 'AbortError' });
  });
});
