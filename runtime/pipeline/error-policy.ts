import type { Logger, RawConfig, Schema, SinkRecord, SourceRecord } from '../api/index.ts';
import { ConnectError, RetriableError, javaText } from '../api/index.ts';
import type { RawRecord } from '../batch/record-reader.ts';
import { StageError } from './stage-error.ts';
import type { TaskFigures } from './task-figures.ts';
import { backoffMs, sleep } from './backoff.ts';

/** Where a sink read a record, and its bytes, where dead letters need them. */
export type SinkPlace = Pick<SinkRecord, 'topic' | 'partition' | 'offset' | 'timestamp' | 'timestampType'> & {
  readonly raw?: RawRecord | undefined;
};

/** Where a record came from; a source's record itself, of which `errors.log.include.messages` shows all. */
export type RecordPlace = SourceRecord | SinkPlace;

/** Takes the records that are skipped. */
export interface LetterTaker {
  takeLetter(failure: StageError, place: RecordPlace): void;
}

/**
 * What happens to a record that fails: retried (`errors.retry.*`), then skipped and logged, or the task fails.
 * Source: org.apache.kafka.connect.runtime.errors.RetryWithToleranceOperator.
 */
export interface ErrorPolicy {
  /** Counts and logs the failure of one record, which is to be skipped then. Throws what is not tolerated. */
  tolerate(error: unknown, place: RecordPlace): void;
  /** Whether this error is to be tried again now, having waited; false when the time for retries is over. Throws the signal's reason when it is aborted meanwhile: a record that was not tried to the end is not to be skipped. */
  retry(error: unknown, attempt: number, sinceMs: number, signal: AbortSignal): Promise<boolean>;
  readonly toleratesAll: boolean;
}

export function errorPolicy(config: RawConfig, task: string, log: Logger, figures: TaskFigures, letters?: LetterTaker): ErrorPolicy {
  const toleratesAll = config['errors.tolerance']?.trim().toLowerCase() === 'all';
  const logs = config['errors.log.enable']?.trim().toLowerCase() === 'true';
  const logsMessages = config['errors.log.include.messages']?.trim().toLowerCase() === 'true';
  const timeoutMs = Number(config['errors.retry.timeout'] ?? 0);
  const delayMaxMs = Number(config['errors.retry.delay.max.ms'] ?? 60_000);
  return {
    toleratesAll,
    tolerate(error, place) {
      figures.add('total-record-failures');
      figures.add('total-record-errors');
      figures.set('last-error-timestamp', Date.now());
      const failure = error instanceof StageError ? error : new StageError('TASK_PUT', error);
      const { stage, executing } = failure;
      if (logs) {
        figures.add('total-errors-logged');
        const where = logsMessages ? `, where ${shown(place)}` : '';
        log.error(`Error encountered in task ${task}. Executing stage '${stage}' with class '${executing}'${where}.`, {
          error: messageOf(error),
        });
      }
      if (!toleratesAll) {
        const where = `task ${task}, stage ${stage}, record {${describe(place)}}`;
        throw new ConnectError(`Tolerance exceeded in error handler: ${where}: ${messageOf(error)}.`, {
          cause: causeOf(error),
          hint: 'Correct what the message names, or set errors.tolerance=all to leave out records that fail.',
        });
      }
      letters?.takeLetter(failure, place);
      figures.add('total-records-skipped');
    },
    async retry(error, attempt, sinceMs, signal) {
      if (!(causeOf(error) instanceof RetriableError)) return false;
      if (timeoutMs >= 0 && Date.now() - sinceMs >= timeoutMs) return false;
      figures.add('total-record-failures');
      figures.add('total-retries');
      await sleep(backoffMs(attempt, 300, delayMaxMs), signal);
      signal.throwIfAborted();
      return true;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}

function causeOf(error: unknown): unknown {
  return error instanceof StageError ? error.cause : error;
}

/** Of a sink's record, where it was read; of a source's, where in the source it stood. */
function describe(place: RecordPlace): string {
  const { topic, partition, timestamp } = place;
  const position =
    'offset' in place
      ? [`offset=${place.offset}`]
      : [`sourcePartition=${textOf(null, place.sourcePartition)}`, `sourceOffset=${textOf(null, place.sourceOffset)}`];
  return [`topic='${topic}'`, `partition=${partition}`, ...position, `timestamp=${timestamp}`].join(', ');
}

/** Source: org.apache.kafka.connect.runtime.errors.ProcessingContext#toString. */
function shown(place: RecordPlace): string {
  return 'offset' in place
    ? `consumed record is {${describe(place)}, timestampType=${place.timestampType}}`
    : `source record is {${describe(place)}${contentOf(place)}}`;
}

/** A source's record has no place in the log where it could be looked up, so it is shown whole, as Connect does. */
function contentOf(place: SourceRecord): string {
  const { keySchema, key, valueSchema, value, headers } = place;
  const shownHeaders = headers.map((header) => `${header.key}=${textOf(header.schema, header.value)}`);
  return `, key=${textOf(keySchema, key)}, value=${textOf(valueSchema, value)}, headers=[${shownHeaders.join(', ')}]`;
}

/** A value may be what the record fails on, such as one whose nesting has no end: never throws. */
function textOf(schema: Schema | null, value: unknown): string {
  try {
    return javaText(schema, value);
  } catch (error) {
    return `(cannot be shown: ${messageOf(error)})`;
  }
}
