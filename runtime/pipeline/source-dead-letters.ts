import type { SourceRecord } from '../api/index.ts';
import type { RawHeader } from '../batch/record-reader.ts';
import { shortened, withContext } from './dead-letter.ts';
import type { DeadLetter, DeadLetterSettings } from './dead-letter.ts';
import type { DeadLetterTopic } from './dead-letter-topic.ts';
import type { LetterTaker } from './error-policy.ts';
import { jsonText } from './json-text.ts';
import type { TaskFigures } from './task-figures.ts';

/**
 * The dead letters of a source task, which go to the log in the same batches as its records. Such a record has no
 * bytes yet: key, value and headers stand in its letter as JSON text, as they were polled.
 */
export interface SourceDeadLetters extends LetterTaker {
  readonly topic: DeadLetterTopic;
  /** What was taken since, each in its forms: the first that the log has room for is to be written. */
  drain(): readonly (readonly DeadLetter[])[];
}

const prefix = '__millrace.errors.';

export function sourceDeadLetters(settings: DeadLetterSettings, topic: DeadLetterTopic, figures: TaskFigures): SourceDeadLetters {
  let taken: DeadLetter[][] = [];
  return {
    topic,
    drain() {
      const drained = taken;
      if (drained.length > 0) taken = [];
      return drained;
    },
    takeLetter(failure, place) {
      if (!('sourceOffset' in place)) throw new TypeError('a record of a sink is no dead letter of a source');
      figures.add('deadletterqueue-produce-requests');
      const at = { topic: place.topic, partition: place.partition ?? -1, offset: -1n };
      const headers = headersOf(place);
      const value = bytesOf(place.value);
      const whole: DeadLetter = {
        key: bytesOf(place.key),
        value,
        headers: settings.contextHeaders ? [...withContext(headers, settings, at, failure), ...positionOf(place)] : headers,
        timestamp: place.timestamp ?? Date.now(),
      };
      const leftOut = { key: `${prefix}value.left.out.bytes`, value: Buffer.from(String(value?.length ?? 0)) };
      const withoutValue = shortened({ ...whole, value: null, headers: [...whole.headers, leftOut] });
      taken.push([whole, withoutValue, { ...withoutValue, key: null }]);
    },
  };
}

function bytesOf(value: unknown): Buffer | null {
  const text = jsonText(value);
  return text === null ? null : Buffer.from(text);
}

function headersOf({ headers }: SourceRecord): RawHeader[] {
  return headers.map(({ key, value }) => ({ key, value: typeof value === 'string' ? Buffer.from(value) : bytesOf(value) }));
}

/** Where in the source the record stands: what Connect has no header for. */
function positionOf({ sourcePartition, sourceOffset }: SourceRecord): RawHeader[] {
  return [
    { key: `${prefix}source.partition`, value: bytesOf(sourcePartition) },
    { key: `${prefix}source.offset`, value: bytesOf(sourceOffset) },
  ];
}
