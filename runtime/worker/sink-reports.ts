/** What a sink hands to the error path. Source: org.apache.kafka.connect.runtime.errors.WorkerErrantRecordReporter. */
import { ByteSink, plainValue } from '../api/index.ts';
import type { SinkRecord, SinkTaskContext } from '../api/index.ts';
import type { RawRecord } from '../batch/record-reader.ts';
import type { ErrorPolicy } from '../pipeline/error-policy.ts';
import { placeOf } from '../pipeline/sink-decoder.ts';
import { StageError } from '../pipeline/stage-error.ts';
import type { SinkParts } from '../plugins/pipeline-parts.ts';

/** What Connect names for a record that a task reports, whatever the task. */
const taskClass = 'org.apache.kafka.connect.sink.SinkTask';

/** `bytes`: dead letters need the record's; those of one that the task made itself are made by the converters. */
export function reportTo(errors: ErrorPolicy, parts: SinkParts, bytes: boolean): SinkTaskContext['report'] {
  return async (record, error) => {
    const failure = new StageError('TASK_PUT', error, taskClass);
    const place = placeOf(record);
    errors.tolerate(failure, bytes && place.raw === undefined ? { ...place, raw: made(record, parts) } : place);
  };
}

function made(record: SinkRecord, { keyConverter, valueConverter, headerConverter }: SinkParts): RawRecord {
  const { topic, offset, timestamp, timestampType } = record;
  return {
    offset,
    timestamp: timestamp ?? -1,
    timestampType: timestampType === 'LogAppendTime' ? timestampType : 'CreateTime',
    key: written((out) => keyConverter.write(topic, record.keySchema, record.key, out)),
    value: written((out) => valueConverter.write(topic, record.valueSchema, plainValue(record.value), out)),
    headers: record.headers.map(({ key, schema, value }) => {
      const bytes = headerConverter.writeHeader(topic, key, schema, value);
      return { key, value: bytes === null ? null : Buffer.from(bytes) };
    }),
  };
}

function written(write: (out: ByteSink) => boolean): Buffer | null {
  const out = new ByteSink(256);
  return write(out) ? Buffer.from(out.written()) : null;
}
