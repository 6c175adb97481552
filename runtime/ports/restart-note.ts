/**
 * What the trace of a failed task says of its restart, as its last line. Statuses have no other field for it that
 * Connect's clients would take, and it has to reach the workers that do not run the task.
 */
export interface RestartNote {
  /** Which one in a row it will be, from 1. */
  readonly count: number;
  /** Of so many; undefined: there is no limit. */
  readonly of: number | undefined;
  /** ISO 8601. */
  readonly at: string;
}

export function withRestartNote(trace: string, { count, of, at }: RestartNote): string {
  return `${trace.trimEnd()}\nRestart ${count}${of === undefined ? '' : ` of ${of}`} comes at ${at}.`;
}

/** Undefined where the trace ends otherwise. */
export function restartNoteOf(trace: string | undefined): RestartNote | undefined {
  const found = /\nRestart (\d+)(?: of (\d+))? comes at (\d[\d:.TZ-]+Z)\.$/.exec(trace ?? '');
  if (found === null) return undefined;
  const [, count, of, at = ''] = found;
  return { count: Number(count), of: of === undefined ? undefined : Number(of), at };
}
