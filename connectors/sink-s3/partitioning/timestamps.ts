/** Where a record's time comes from. Source: io.confluent.connect.storage.partitioner.TimestampExtractor. */
import { DataError, logical } from '@millrace/runtime/api';
import type { SinkRecord } from '@millrace/runtime/api';
import { fieldValue } from './field-value.ts';

/** Milliseconds since 1970. Throws a DataError for a record that tells no time. */
export type TimestampExtractor = (record: SinkRecord, nowMs: number) => number;

export function timestampExtractor(name: string, field: string): TimestampExtractor {
  if (name === 'Wallclock') return (_record, nowMs) => nowMs;
  if (name === 'Record') return recordTime;
  const path = field.split('.');
  return ({ value }) => timeOf(fieldValue(value, path), field);
}

export function recordTime({ timestamp }: SinkRecord): number {
  if (timestamp === null) throw new DataError('the record has no timestamp for timestamp.extractor=Record');
  return timestamp;
}

function timeOf({ schema, value }: ReturnType<typeof fieldValue>, field: string): number {
  if (value instanceof Date && (schema === null || schema.name === logical.timestamp)) return value.getTime();
  if (typeof value === 'string' && (schema === null || schema.type === 'string')) return timeOfText(value, field);
  if ((typeof value === 'number' || typeof value === 'bigint') && isWholeNumber(schema?.type)) return Math.trunc(Number(value));
  throw new DataError(
    `timestamp.field ${field} is ${value === null ? 'null' : (schema?.type ?? `a ${typeof value}`)}: a time is an int32, an int64, a timestamp or a text`,
  );
}

const isWholeNumber = (type: string | undefined): boolean => type === undefined || type === 'int32' || type === 'int64';

const iso = /^[+-]?\d{4,}(-\d{2}(-\d{2})?)?(T(\d{2}(:\d{2}(:\d{2}([.,]\d+)?)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$/;

function timeOfText(text: string, field: string): number {
  if (/^-?\d{1,19}$/.test(text)) return Number(text);
  const time = iso.test(text) ? Date.parse(normalised(text)) : Number.NaN;
  if (Number.isNaN(time)) throw new DataError(`timestamp.field ${field} is "${text}", which is neither a number nor an ISO 8601 time`);
  return time;
}

/** A time without zone is UTC, so that records go to the same folder wherever the worker runs. */
function normalised(text: string): string {
  const [date = '', rest] = text.split('T');
  const day = `${date}${'-01'.repeat(Math.max(0, 2 - (date.match(/(?<=\d)-\d{2}/g)?.length ?? 0)))}`;
  if (rest === undefined) return day;
  const [, time = '', zone = 'Z'] = /^([^Z+-]*)(.*)$/.exec(rest) ?? [];
  const clock = time.replace(',', '.').split(':');
  const whole = [clock[0] || '00', clock[1] ?? '00', clock[2] ?? '00'].join(':');
  return `${day}T${whole}${zone === '' ? 'Z' : zone.replace(/^([+-]\d{2}):?(\d{2})?$/, (_all, hours: string, minutes = '00') => `${hours}:${minutes}`)}`;
}
