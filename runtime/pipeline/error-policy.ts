import type { Logger, RawConfig } from '../api/index.ts';
import { ConnectError, RetriableError } from '../api/index.ts';
import { StageError } from './stage-error.ts';
import type { TaskFigures } from './task-figures.ts';
import { backoffMs, sleep } from './backoff.ts';

/** Where a record came from, for the log line; what `errors.log.include.messages` adds. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number | null;
  readonly offset?: bigint;
  readonly timestamp: number | null;
}

/**
 * What happens to a record that fails: retried (`errors.retry.*`), then skipped and logged, or the task fails.
 * Source: org.apache.kafka.connect.runtime.errors.RetryWithToleranceOperator.
 */
export interface ErrorPolicy {
  /** Runs one stage of one record; undefined when the record is to be skipped. Throws what is not tolerated. */
  tolerate(error: unknown, place: RecordPlace): void;
  /** Whether this error is to be tried again now, having waited; false when the time for retries is over. */
  retry(error: unknown, attempt: number, sinceMs: number, signal: AbortSignal): Promise<boolean>;
  readonly toleratesAll: boolean;
}

export function errorPolicy(config: RawConfig, task: string, log: Logger, figures: TaskFigures): ErrorPolicy {
  const toleratesAll = config['errors.tolerance']?.trim().toLowerCase() === 'all';
  const logs = config['errors.log.enable']?.trim().toLowerCase() === 'true';
  const logsMessages = config['errors.log.include.messages']?.trim().toLowerCase() === 'true';
  const timeoutMs = Number(config['errors.retry.timeout'] ?? 0);
  const delayMaxMs = Number(config['errors.retry.delay.max.ms'] ?? 60_000);
  return {
    toleratesAll,
    tolerate(error, place) {
      figures.add('total-record-failures');
      figures.set('last-error-timestamp', Date.now());
      const stage = error instanceof StageError ? error.stage : 'TASK_PUT';
      if (logs) {
        figures.add('total-errors-logged');
        const where = logsMessages ? `, where the record is {${describe(place)}}` : '';
        log.error(`Error encountered in task ${task}. Executing stage '${stage}'${where}.`, { error: String(error) });
      }
      if (!toleratesAll) {
        throw new ConnectError(`Tolerance exceeded in error handler: stage ${stage}, record {${describe(place)}}: ${String(error)}`, {
          cause: error,
        });
      }
      figures.add('total-records-skipped');
    },
    async retry(error, attempt, sinceMs, signal) {
      if (!(causeOf(error) instanceof RetriableError)) return false;
      if (timeoutMs >= 0 && Date.now() - sinceMs >= timeoutMs) return false;
      figures.add('total-retries');
      await sleep(backoffMs(attempt, 300, delayMaxMs), signal);
      return !signal.aborted;
    },
  };
}

function causeOf(error: unknown): unknown {
  return error instanceof StageError ? error.cause : error;
}

function describe({ topic, partition, offset, timestamp }: RecordPlace): string {
  return [
    `topic='${topic}'`,
    `partition=${partition}`,
    ...(offset === undefined ? [] : [`offset=${offset}`]),
    `timestamp=${timestamp}`,
  ].join(', ');
}
