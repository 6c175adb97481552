import { ConnectError } from '../api/index.ts';

/** Where on its way a record failed. Source: org.apache.kafka.connect.runtime.errors.Stage. */
export type Stage = 'TRANSFORMATION' | 'KEY_CONVERTER' | 'VALUE_CONVERTER' | 'HEADER_CONVERTER' | 'KAFKA_PRODUCE' | 'TASK_PUT';

/** An error of one record, with the stage that it failed in: what `errors.tolerance` decides about. */
export class StageError extends ConnectError {
  override readonly name: string = 'StageError';
  readonly stage: Stage;
  /** The JVM class that what refused the record stands in for. */
  readonly executing: string;

  constructor(stage: Stage, cause: unknown, executing = 'unknown') {
    super(messageOf(cause), { cause });
    this.stage = stage;
    this.executing = executing;
  }
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  // What walks through values calls itself for each level, and the engine's words say nothing of values.
  if (cause instanceof RangeError && /call stack/.test(cause.message)) return `it is nested too deep to be dealt with (${cause.message}).`;
  return cause.message;
}
